//! Settlement of an ended call: prices it once, and posts the ledger row, the statistics, the
//! budget totals and the event.

use crate::budgets;
use crate::events::EventAudience;
use crate::pending_writes::PendingWrites;
use crate::{Context, Error, UnitOfWork};
use serde::Serialize;
use serde_json::Number;
use trunkline_domain::call::{
    Call, LedgerAmount, Outcome, RecordedFacts, RejectionReason, Settlement, Transaction,
};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::id::TransactionId;
use trunkline_store::{CallTotals, CounterScope};

/// Inputs of a settlement besides the call.
pub(crate) struct SettlementContext<'a> {
    /// Campaign of the call.
    pub(crate) campaign: &'a Campaign,
    /// Terms that were in force when the call started.
    pub(crate) terms: Option<&'a Terms>,
    /// External id of the affiliate that is credited with the call.
    pub(crate) affiliate: Option<&'a str>,
}

/// Prices an ended call and buffers its ledger row, statistics, budget changes and event. Returns
/// the index of the ledger row in `writes`. `call_index` is the index of the call in `writes`, if
/// it is not stored yet.
pub(crate) fn post_settlement(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    settlement_context: &SettlementContext<'_>,
    call: &Call,
    call_index: Option<usize>,
) -> Result<usize, Error> {
    let transaction = Transaction {
        id: TransactionId::UNASSIGNED,
        network_id: call.network_id,
        call_id: call.id,
        campaign_id: call.campaign_id,
        advertiser_id: settlement_context.campaign.advertiser_id,
        affiliate_id: call.affiliate_id,
        corrects_id: None,
        start_time: call.start_time,
        settlement: Settlement::from_recorded(&call.recorded, settlement_context.terms),
        created_at: context.now,
    };
    let event_json = transaction_event_json(
        settlement_context,
        &call.complete_call_id,
        &call.recorded,
        &transaction,
    )?;
    let audience = EventAudience {
        advertiser: Some(transaction.advertiser_id),
        affiliate: transaction.affiliate_id,
    };
    let payin = transaction.settlement.payin.as_ref();
    let change = payin.map(|side| (CounterScope::Payin(side.currency), side.amount.cents()));
    let row = writes.push_transaction(transaction, None, call_index);
    let totals = CallTotals::of_call(call.recorded.facts.duration);
    writes.totals.add_calls(call.campaign_id, call.start_time, totals);
    if let Some(terms) = settlement_context.terms {
        let campaign = settlement_context.campaign;
        let start = call.start_time;
        let changes = change.as_slice();
        budgets::add_to_budgets(unit, context, writes, campaign, terms, start, changes)?;
    }
    writes.push_transaction_event(row, "transaction.created", audience, event_json);
    Ok(row)
}

/// Properties of a transaction's event, except its id.
#[derive(Serialize)]
struct TransactionEventData<'a> {
    complete_call_id: &'a str,
    advertiser_campaign: &'a str,
    affiliate: Option<&'a str>,
    start_time: String,
    duration: Option<u32>,
    connect_duration: Option<u32>,
    outcome: Outcome,
    reason: Option<RejectionReason>,
    advertiser_payin: Option<EventAmount<'a>>,
    affiliate_payout: Option<EventAmount<'a>>,
}

#[derive(Serialize)]
struct EventAmount<'a> {
    amount: Number,
    currency: &'static str,
    matching_policies: &'a str,
}

/// Serializes the properties of a transaction's event, except its id, as a JSON object.
pub(crate) fn transaction_event_json(
    settlement_context: &SettlementContext<'_>,
    complete_call_id: &str,
    recorded: &RecordedFacts,
    transaction: &Transaction,
) -> Result<String, Error> {
    fn event_amount(side: Option<&LedgerAmount>) -> Option<EventAmount<'_>> {
        side.map(|side| EventAmount {
            amount: side.amount.to_json_number(),
            currency: side.currency.as_str(),
            matching_policies: &side.matching_policies,
        })
    }
    let settlement = &transaction.settlement;
    let properties = TransactionEventData {
        complete_call_id,
        advertiser_campaign: &settlement_context.campaign.external_id,
        affiliate: settlement_context.affiliate,
        start_time: transaction.start_time.to_string(),
        duration: recorded.facts.duration,
        connect_duration: settlement.connect_duration,
        outcome: settlement.outcome,
        reason: settlement.reason,
        advertiser_payin: event_amount(settlement.payin.as_ref()),
        affiliate_payout: event_amount(settlement.payout.as_ref()),
    };
    let text = serde_json::to_string(&properties);
    text.map_err(|error| {
        Error::Internal(format!("cannot serialize a transaction's event: {error}"))
    })
}
