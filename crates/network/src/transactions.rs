//! Reading the ledger: all of it, or the part of one party.

use crate::parties::not_found;
use crate::{Context, Error, Page, UnitOfWork, calls};
use jiff::Timestamp;
use std::ops::RangeInclusive;
use trunkline_domain::id::TransactionId;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_store::{LedgerFilter, LedgerRow, LedgerScope};

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

/// Scope of a ledger's rows.
#[derive(Debug, Clone, Copy)]
pub struct ResolvedLedger {
    /// Scope.
    pub scope: LedgerScope,
    /// True if the party was found by its id, not by its external id.
    pub is_by_id: bool,
}

/// Resolves a ledger to the scope of its rows, if the principal may read it.
pub fn resolve_ledger(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ledger: &Ledger,
) -> Result<ResolvedLedger, Error> {
    match ledger {
        Ledger::Network => {
            context.principal.ensure_can_view_network()?;
            Ok(ResolvedLedger { scope: LedgerScope::Network, is_by_id: false })
        }
        Ledger::Party(kind, id) => {
            let party = find_party(unit, context, *kind, id)?;
            let scope = match kind {
                PartyKind::Advertiser => LedgerScope::Advertiser(party.id.as_advertiser()),
                PartyKind::Affiliate => LedgerScope::Affiliate(party.id.as_affiliate()),
            };
            Ok(ResolvedLedger { scope, is_by_id: party.external_id != *id })
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

/// Returns a party that the principal may see, by its external id, else by its id.
pub(crate) fn find_party(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
) -> Result<Party, Error> {
    let network = context.principal.network_id;
    let mut found = unit.party(network, kind, id)?;
    if let (None, Ok(id)) = (&found, id.parse()) {
        found = unit.party_by_id(id)?;
    }
    let own = |party: &Party| {
        party.network_id == network
            && party.kind == kind
            && context.principal.can_view(kind, party.id)
    };
    found.filter(own).ok_or_else(|| not_found(kind, id))
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
    let filter = ledger_filter(resolve_ledger(unit, context, ledger)?.scope, filter);
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
    let filter = ledger_filter(resolve_ledger(unit, context, ledger)?.scope, filter);
    Ok(unit.ledger(context.principal.network_id, &filter, page)?)
}

/// Returns a row by its id. Does not check if the principal may see it.
pub(crate) fn find(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<LedgerRow, Error> {
    let missing = || Error::NotFound(format!("Transaction {id}"));
    let number: TransactionId = id.parse().map_err(|_| missing())?;
    let filter =
        LedgerFilter { transaction: Some(number), ..LedgerFilter::for_scope(LedgerScope::Network) };
    let page = Page::new(0, 1);
    let found = unit.ledger(context.principal.network_id, &filter, page)?;
    found.into_iter().next().ok_or_else(missing)
}
