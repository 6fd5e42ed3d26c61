//! A call is over: it is priced, once, and the ledger, the statistics, the budgets and those who
//! listen are told.

use crate::budgets;
use crate::events::{self, Whose};
use crate::{Context, Error, Session};
use serde_json::{Value, json};
use trunkline_domain::call::{Call, Settlement, Side, Transaction};
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

/// Writes what a call came to. It is stored, and over.
pub(crate) fn settle(
    session: &mut Session<'_>,
    context: &Context,
    books: &Books<'_>,
    call: &Call,
) -> Result<Transaction, Error> {
    let mut transaction = Transaction {
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
    transaction.id = session.insert_transaction(&transaction, None)?;
    let seconds = i64::from(call.heard.facts.duration.unwrap_or(0));
    session.add_to_totals(call.campaign_id, call.start_time, 1, seconds)?;
    if let Some(terms) = books.terms {
        let earned = transaction.settlement.payin.as_ref();
        let moves = earned.map(|side| (CountedThing::Payin(side.currency), side.amount.cents()));
        let moves = moves.as_slice();
        budgets::count(session, context, books.campaign, terms, call.start_time, moves)?;
    }
    tell(session, context, books, call, &transaction, "transaction.created")?;
    Ok(transaction)
}

/// Tells of a transaction.
pub(crate) fn tell(
    session: &mut Session<'_>,
    context: &Context,
    books: &Books<'_>,
    call: &Call,
    transaction: &Transaction,
    kind: &str,
) -> Result<(), Error> {
    let settlement = &transaction.settlement;
    let side = |side: &Option<Side>| {
        let shown = side.as_ref().map(|side| {
            json!({
                "amount": side.amount.to_json_number(),
                "currency": side.currency.as_str(),
                "matching_policies": side.matching_policies,
            })
        });
        Value::from(shown)
    };
    let mut data = json!({
        "transaction_id": transaction.id.to_string(),
        "complete_call_id": call.complete_call_id,
        "advertiser_campaign": books.campaign.id_from_network,
        "affiliate": books.affiliate,
        "start_time": call.start_time.to_string(),
        "duration": call.heard.facts.duration,
        "connect_duration": settlement.connect_duration,
        "outcome": settlement.outcome,
        "reason": settlement.reason,
        "advertiser_payin": side(&settlement.payin),
        "affiliate_payout": side(&settlement.payout),
    });
    if let Some(corrected) = transaction.corrects_id {
        data["corrects_transaction_id"] = corrected.to_string().into();
    }
    let advertiser = Some(transaction.advertiser_id);
    let whose = Whose { advertiser, affiliate: transaction.affiliate_id };
    events::emit(session, context, kind, whose, data)
}
