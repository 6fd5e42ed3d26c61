//! Reading the ledger: all of it, or the part of one party.

use crate::parties::not_found;
use crate::{Context, Error, Page, PathObject, UnitOfWork, calls, with_internal_ids};
use jiff::Timestamp;
use std::ops::RangeInclusive;
use trunkline_domain::id::TransactionId;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_store::{LedgerFilter, LedgerRow, LedgerScope};

/// Rows of one call that are read to find its newest one.
const MAX_ROWS_OF_CALL: u32 = 4_000;

/// Ledger to read. It determines how much of a row is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ledger {
    /// Ledger of the whole network.
    Network,
    /// Ledger of a party: by external id, else by id.
    Party(PartyKind, String),
}

/// Filter of ledger rows.
#[derive(Debug, Clone, Default)]
pub struct TransactionFilter {
    /// Earliest second in which the call started, included.
    pub from: Option<Timestamp>,
    /// Latest second in which the call started, included.
    pub to: Option<Timestamp>,
    /// Largest row id, included: see [`id_bounds`].
    pub until: Option<TransactionId>,
    /// Id of the only row.
    pub transaction: Option<TransactionId>,
    /// `complete_call_id` of the only call.
    pub complete_call_id: Option<String>,
}

/// Resolves a ledger to the scope of its rows, if the principal may read it.
pub fn resolve_ledger(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ledger: &Ledger,
) -> Result<LedgerScope, Error> {
    match ledger {
        Ledger::Network => {
            context.principal.ensure_can_view_network()?;
            Ok(LedgerScope::Network)
        }
        Ledger::Party(kind, id) => {
            let party = find_party(unit, context, *kind, id)?;
            Ok(match kind {
                PartyKind::Advertiser => LedgerScope::Advertiser(party.id.as_advertiser()),
                PartyKind::Affiliate => LedgerScope::Affiliate(party.id.as_affiliate()),
            })
        }
    }
}

/// Finds the row that an id of a client names, among the rows of a scope: the row with this
/// `transaction_id`, else the first row of the call with this `complete_call_id`.
pub fn find_position(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    scope: LedgerScope,
    id: &str,
) -> Result<Option<TransactionId>, Error> {
    // No id contains U+0000, and PostgreSQL rejects it in a text.
    if id.contains('\0') {
        return Ok(None);
    }
    let network = context.principal.network_id;
    let mut find = |filter: &LedgerFilter| -> Result<Option<TransactionId>, Error> {
        let rows = unit.ledger(network, filter, Page::new(0, 1))?;
        Ok(rows.first().map(|row| row.transaction.id))
    };
    // Only the form in which rows show their ids counts: `7`, not `07`.
    let number = id.parse().ok().filter(|number: &TransactionId| number.to_string() == id);
    if let Some(number) = number {
        let filter = LedgerFilter { transaction: Some(number), ..LedgerFilter::for_scope(scope) };
        if let Some(found) = find(&filter)? {
            return Ok(Some(found));
        }
    }
    find(&LedgerFilter { complete_call_id: Some(id.to_owned()), ..LedgerFilter::for_scope(scope) })
}

/// Returns a party that the principal may see. `id` is a segment of a path: an external id, else an id.
pub(crate) fn find_party(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
) -> Result<Party, Error> {
    let network = context.principal.network_id;
    let object = match kind {
        PartyKind::Advertiser => PathObject::Advertiser,
        PartyKind::Affiliate => PathObject::Affiliate,
    };
    with_internal_ids(unit, context, [(object, id)], |unit, [id]| {
        let visible = |party: &Party| context.principal.can_view(kind, party.id);
        let found = unit.party(network, kind, id)?.filter(visible);
        found.ok_or_else(|| not_found(kind, id))
    })
}

fn ledger_filter(scope: LedgerScope, filter: &TransactionFilter) -> LedgerFilter {
    LedgerFilter {
        scope,
        from: filter.from,
        // Times have a resolution of one second, and the last second is included.
        to: filter.to.map(calls::end_of_second),
        max_id: filter.until,
        transaction: filter.transaction,
        complete_call_id: filter.complete_call_id.clone(),
        newest_of_campaign: None,
    }
}

/// Returns the ids of the first and the last row that match a filter now, so that the pages of a
/// list need not search for them; `None` if no row matches.
pub fn id_bounds(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ledger: &Ledger,
    filter: &TransactionFilter,
) -> Result<Option<RangeInclusive<TransactionId>>, Error> {
    let filter = ledger_filter(resolve_ledger(unit, context, ledger)?, filter);
    Ok(unit.ledger_id_range(context.principal.network_id, &filter)?)
}

/// Returns one page of a ledger, ordered by id.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ledger: &Ledger,
    filter: &TransactionFilter,
    page: Page,
) -> Result<Vec<LedgerRow>, Error> {
    let filter = ledger_filter(resolve_ledger(unit, context, ledger)?, filter);
    Ok(unit.ledger(context.principal.network_id, &filter, page)?)
}

/// Returns a row by its id, or the newest row of a call by its `complete_call_id`, which takes the place of
/// a `transaction_id` while the call is under way. Does not check if the principal may see it.
pub(crate) fn find(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<LedgerRow, Error> {
    let missing = || Error::NotFound(format!("Transaction {id}"));
    let number: Option<TransactionId> = id.parse().ok();
    let filter = LedgerFilter {
        transaction: number,
        complete_call_id: number.is_none().then(|| id.to_owned()),
        ..LedgerFilter::for_scope(LedgerScope::Network)
    };
    let page = Page::new(0, MAX_ROWS_OF_CALL);
    let found = unit.ledger(context.principal.network_id, &filter, page)?;
    found.into_iter().next_back().ok_or_else(missing)
}
