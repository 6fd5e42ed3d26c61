//! A call is over: it is priced, once, and the ledger, the statistics, the budgets and those who
//! listen are told.

use crate::budgets;
use crate::entries::Entries;
use crate::events::Whose;
use crate::{Context, Error, Session};
use serde::Serialize;
use serde_json::Number;
use trunkline_domain::call::{Call, Outcome, Settlement, Side, Transaction, TurnedAway};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_store::CountedThing;

/// What a call is settled by.
pub(crate) struct Books<'a> {
    /// Its campaign.
    pub(crate) campaign: &'a Campaign,
    /// The terms that were in force at its start.
    pub(crate) terms: Option<&'a Terms>,
    /// The network's id of the affiliate that brought it.
    pub(crate) affiliate: Option<&'a str>,
}

/// Enters what a call came to, which is over; the place of the ledger's row. `call` is the call, and
/// its place where it is yet to be stored.
pub(crate) fn settle(
    session: &mut Session<'_>,
    context: &Context,
    entries: &mut Entries,
    books: &Books<'_>,
    (call, place): (&Call, Option<usize>),
) -> Result<usize, Error> {
    let transaction = Transaction {
        id: 0,
        network_id: call.network_id,
        call_id: call.id,
        campaign_id: call.campaign_id,
        advertiser_id: books.campaign.advertiser_id,
        affiliate_id: call.affiliate_id,
        corrects_id: None,
        start_time: call.start_time,
        settlement: Settlement::of(&call.heard, books.terms),
        created_at: context.now,
    };
    let told = told(books, call, &transaction)?;
    let (advertiser, affiliate) = (Some(transaction.advertiser_id), transaction.affiliate_id);
    let earned = transaction.settlement.payin.as_ref();
    let moves = earned.map(|side| (CountedThing::Payin(side.currency), side.amount.cents()));
    let row = entries.enter_transaction(transaction, None, place);
    let seconds = i64::from(call.heard.facts.duration.unwrap_or(0));
    entries.totals.add_call(call.campaign_id, call.start_time, 1, seconds);
    if let Some(terms) = books.terms {
        let (campaign, moves) = (books.campaign, moves.as_slice());
        budgets::count(session, context, entries, (campaign, terms), call.start_time, moves)?;
    }
    entries.tell_of(row, "transaction.created", Whose { advertiser, affiliate }, told);
    Ok(row)
}

/// What is told of a transaction, but for its id.
#[derive(Serialize)]
struct Told<'a> {
    complete_call_id: &'a str,
    advertiser_campaign: &'a str,
    affiliate: Option<&'a str>,
    start_time: String,
    duration: Option<u32>,
    connect_duration: Option<u32>,
    outcome: Outcome,
    reason: Option<TurnedAway>,
    advertiser_payin: Option<Paid<'a>>,
    affiliate_payout: Option<Paid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects_transaction_id: Option<String>,
}

#[derive(Serialize)]
struct Paid<'a> {
    amount: Number,
    currency: &'static str,
    matching_policies: &'a str,
}

/// What is told of a transaction, but for its id: a JSON object.
pub(crate) fn told(
    books: &Books<'_>,
    call: &Call,
    transaction: &Transaction,
) -> Result<String, Error> {
    fn paid(side: Option<&Side>) -> Option<Paid<'_>> {
        side.map(|side| Paid {
            amount: side.amount.to_json_number(),
            currency: side.currency.as_str(),
            matching_policies: &side.matching_policies,
        })
    }
    let settlement = &transaction.settlement;
    let told = Told {
        complete_call_id: &call.complete_call_id,
        advertiser_campaign: &books.campaign.id_from_network,
        affiliate: books.affiliate,
        start_time: call.start_time.to_string(),
        duration: call.heard.facts.duration,
        connect_duration: settlement.connect_duration,
        outcome: settlement.outcome,
        reason: settlement.reason,
        advertiser_payin: paid(settlement.payin.as_ref()),
        affiliate_payout: paid(settlement.payout.as_ref()),
        corrects_transaction_id: transaction.corrects_id.map(|id| id.to_string()),
    };
    let text = serde_json::to_string(&told);
    text.map_err(|error| Error::Internal(format!("a transaction's event: {error}")))
}
