//! A call is over: it is priced, once, and the ledger, the statistics, the budgets and those who
//! listen are told.

use crate::budgets;
use crate::events::EventAudience;
use crate::pending_writes::PendingWrites;
use crate::{Context, Error, Session};
use serde::Serialize;
use serde_json::Number;
use trunkline_domain::call::{Call, Outcome, Settlement, Side, Transaction, TurnedAway};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_store::CountedThing;

/// What a call is settled by.
pub(crate) struct SettlementContext<'a> {
    /// Its campaign.
    pub(crate) campaign: &'a Campaign,
    /// The terms that were in force at its start.
    pub(crate) terms: Option<&'a Terms>,
    /// The network's id of the affiliate that brought it.
    pub(crate) affiliate: Option<&'a str>,
}

/// Enters what a call came to, which is over; the place of the ledger's row. `call` is the call, and
/// its place where it is yet to be stored.
pub(crate) fn post_settlement(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    settlement_context: &SettlementContext<'_>,
    (call, place): (&Call, Option<usize>),
) -> Result<usize, Error> {
    let transaction = Transaction {
        id: 0,
        network_id: call.network_id,
        call_id: call.id,
        campaign_id: call.campaign_id,
        advertiser_id: settlement_context.campaign.advertiser_id,
        affiliate_id: call.affiliate_id,
        corrects_id: None,
        start_time: call.start_time,
        settlement: Settlement::of(&call.heard, settlement_context.terms),
        created_at: context.now,
    };
    let event_json = transaction_event_json(settlement_context, call, &transaction)?;
    let (advertiser, affiliate) = (Some(transaction.advertiser_id), transaction.affiliate_id);
    let earned = transaction.settlement.payin.as_ref();
    let moves = earned.map(|side| (CountedThing::Payin(side.currency), side.amount.cents()));
    let row = writes.push_transaction(transaction, None, place);
    let seconds = i64::from(call.heard.facts.duration.unwrap_or(0));
    writes.totals.add_call(call.campaign_id, call.start_time, 1, seconds);
    if let Some(terms) = settlement_context.terms {
        let (campaign, moves) = (settlement_context.campaign, moves.as_slice());
        budgets::add_to_budgets(
            session,
            context,
            writes,
            (campaign, terms),
            call.start_time,
            moves,
        )?;
    }
    writes.push_transaction_event(
        row,
        "transaction.created",
        EventAudience { advertiser, affiliate },
        event_json,
    );
    Ok(row)
}

/// What is told of a transaction, but for its id.
#[derive(Serialize)]
struct TransactionEventData<'a> {
    complete_call_id: &'a str,
    advertiser_campaign: &'a str,
    affiliate: Option<&'a str>,
    start_time: String,
    duration: Option<u32>,
    connect_duration: Option<u32>,
    outcome: Outcome,
    reason: Option<TurnedAway>,
    advertiser_payin: Option<EventAmount<'a>>,
    affiliate_payout: Option<EventAmount<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects_transaction_id: Option<String>,
}

#[derive(Serialize)]
struct EventAmount<'a> {
    amount: Number,
    currency: &'static str,
    matching_policies: &'a str,
}

/// What is told of a transaction, but for its id: a JSON object.
pub(crate) fn transaction_event_json(
    settlement_context: &SettlementContext<'_>,
    call: &Call,
    transaction: &Transaction,
) -> Result<String, Error> {
    fn event_amount(side: Option<&Side>) -> Option<EventAmount<'_>> {
        side.map(|side| EventAmount {
            amount: side.amount.to_json_number(),
            currency: side.currency.as_str(),
            matching_policies: &side.matching_policies,
        })
    }
    let settlement = &transaction.settlement;
    let event_json = TransactionEventData {
        complete_call_id: &call.complete_call_id,
        advertiser_campaign: &settlement_context.campaign.id_from_network,
        affiliate: settlement_context.affiliate,
        start_time: call.start_time.to_string(),
        duration: call.heard.facts.duration,
        connect_duration: settlement.connect_duration,
        outcome: settlement.outcome,
        reason: settlement.reason,
        advertiser_payin: event_amount(settlement.payin.as_ref()),
        affiliate_payout: event_amount(settlement.payout.as_ref()),
        corrects_transaction_id: transaction.corrects_id.map(|id| id.to_string()),
    };
    let text = serde_json::to_string(&event_json);
    text.map_err(|error| Error::Internal(format!("a transaction's event: {error}")))
}
