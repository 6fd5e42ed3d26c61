//! The ledger, read: whole, or a party's part of it.

use crate::parties::not_found;
use crate::{Context, Error, Page, Session, calls};
use jiff::Timestamp;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_store::{LedgerFilter, LedgerOf, LedgerRow};

/// EventAudience ledger is read, and so how much of a row is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ledger {
    /// The whole network's.
    Network,
    /// A party's: by the network's id, else by ours.
    Party(PartyKind, String),
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// Only calls that started in this second or later.
    pub from: Option<Timestamp>,
    /// Only calls that started in this second or before.
    pub to: Option<Timestamp>,
    /// Only rows up to this one, by our id: see [`bounds`].
    pub until: Option<i64>,
    /// Only this row, by our id.
    pub transaction: Option<i64>,
    /// Only this call's rows.
    pub complete_call_id: Option<String>,
}

/// EventAudience ledger it is, if the caller may read it.
pub fn open(
    session: &mut Session<'_>,
    context: &Context,
    ledger: &Ledger,
) -> Result<LedgerOf, Error> {
    match ledger {
        Ledger::Network => {
            context.caller.ensure_can_view_network()?;
            Ok(LedgerOf::Network)
        }
        Ledger::Party(kind, id) => {
            let party = find_party(session, context, *kind, id)?;
            Ok(match kind {
                PartyKind::Advertiser => LedgerOf::Advertiser(party.id),
                PartyKind::Affiliate => LedgerOf::Affiliate(party.id),
            })
        }
    }
}

/// A party that the caller sees, by the network's id, else by ours.
pub(crate) fn find_party(
    session: &mut Session<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
) -> Result<Party, Error> {
    let network = context.caller.network_id;
    let mut found = session.party(network, kind, id)?;
    if let (None, Ok(ours)) = (&found, id.parse()) {
        found = session.party_by_id(ours)?;
    }
    let own = |party: &Party| {
        party.network_id == network && party.kind == kind && context.caller.sees(kind, party.id)
    };
    found.filter(own).ok_or_else(|| not_found(kind, id))
}

fn ledger_filter(of: LedgerOf, narrowed: &Narrowed) -> LedgerFilter {
    LedgerFilter {
        of,
        from: narrowed.from,
        // What is said to the second means all of it.
        to: narrowed.to.map(calls::end_of_second),
        until: narrowed.until,
        transaction: narrowed.transaction,
        complete_call_id: narrowed.complete_call_id.clone(),
    }
}

/// Our ids of the first and the last row that there is now within a time, so that a list need not
/// look for them; `None` where there is none.
pub fn bounds(
    session: &mut Session<'_>,
    context: &Context,
    ledger: &Ledger,
    narrowed: &Narrowed,
) -> Result<Option<(i64, i64)>, Error> {
    let filter = ledger_filter(open(session, context, ledger)?, narrowed);
    Ok(session.ledger_bounds(context.caller.network_id, &filter)?)
}

/// One page of a ledger, by our ids.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    ledger: &Ledger,
    narrowed: &Narrowed,
    page: Page,
) -> Result<Vec<LedgerRow>, Error> {
    let filter = ledger_filter(open(session, context, ledger)?, narrowed);
    Ok(session.ledger(context.caller.network_id, &filter, page)?)
}

/// A row by our id, whosever it is.
pub(crate) fn find(
    session: &mut Session<'_>,
    context: &Context,
    id: &str,
) -> Result<LedgerRow, Error> {
    let missing = || Error::NotFound(format!("Transaction {id}"));
    let number: i64 = id.parse().map_err(|_| missing())?;
    let filter = LedgerFilter { transaction: Some(number), ..LedgerFilter::of(LedgerOf::Network) };
    let page = Page::of(0, 1);
    let found = session.ledger(context.caller.network_id, &filter, page)?;
    found.into_iter().next().ok_or_else(missing)
}
