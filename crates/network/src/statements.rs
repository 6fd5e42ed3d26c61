//! Statements: what a party owes, or is owed, for a month.

use crate::transactions::find_party;
use crate::{Context, Error, Session};
use jiff::ToSpan;
use jiff::civil::Date;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_store::{StatementLine, StatementTotals};

/// A party's month.
#[derive(Debug, Clone)]
pub struct Statement {
    /// EventAudience.
    pub party: Party,
    /// The month's first day.
    pub month: Date,
    /// One for each campaign and currency.
    pub lines: Vec<StatementLine>,
    /// One for each currency: the sum of its lines.
    pub totals: Vec<StatementTotals>,
}

/// A party's statement for a month in the network's zone, by when calls started: what its
/// transactions of that month come to, corrections counted in. An advertiser's has its payin, an
/// affiliate's its payout. The party is named by the network's id, else by ours.
pub fn statement(
    session: &mut Session<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
    month: Date,
) -> Result<Statement, Error> {
    let party = find_party(session, context, kind, id)?;
    let network = session.network(party.network_id)?;
    let zone = network.map(|network| network.time_zone).unwrap_or_default().zone();
    let month = month.first_of_month();
    let next = month.saturating_add(1.month());
    let edge = |date: Date| {
        let zoned = date.to_zoned(zone.clone());
        zoned.map(|it| it.timestamp()).map_err(|error| Error::Internal(error.to_string()))
    };
    let lines = session.statement(kind, party.id, edge(month)?, edge(next)?)?;
    let mut totals: Vec<StatementTotals> = Vec::new();
    for line in &lines {
        match totals.iter_mut().find(|total| total.currency == line.totals.currency) {
            Some(total) => total.add(&line.totals),
            None => totals.push(line.totals),
        }
    }
    Ok(Statement { party, month, lines, totals })
}
