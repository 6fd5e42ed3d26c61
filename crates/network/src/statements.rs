//! Monthly statements of a party.

use crate::transactions::find_party;
use crate::{Context, Error, UnitOfWork};
use jiff::ToSpan;
use jiff::civil::Date;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_store::{StatementLine, StatementTotals};

/// Statement of a party for one month.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Party.
    pub party: Party,
    /// First day of the month.
    pub month: Date,
    /// One line for each campaign and currency.
    pub lines: Vec<StatementLine>,
    /// Sums of the lines, one for each currency.
    pub totals: Vec<StatementTotals>,
}

/// Returns a party's statement for a month in the network's time zone: the sums of the transactions
/// of calls that started in the month, corrections included. An advertiser's statement has payins,
/// an affiliate's payouts. `id` is an external id, else an id.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
    month: Date,
) -> Result<Statement, Error> {
    let party = find_party(unit, context, kind, id)?;
    let network = unit.network(party.network_id)?;
    let zone = network.map(|network| network.time_zone).unwrap_or_default().to_time_zone();
    let month = month.first_of_month();
    let next = month.saturating_add(1.month());
    let midnight = |date: Date| {
        let zoned = date.to_zoned(zone.clone());
        zoned.map(|zoned| zoned.timestamp()).map_err(|error| Error::Internal(error.to_string()))
    };
    let lines = unit.statement(kind, party.id, midnight(month)?, midnight(next)?)?;
    let mut totals: Vec<StatementTotals> = Vec::new();
    for line in &lines {
        match totals.iter_mut().find(|total| total.currency == line.totals.currency) {
            Some(total) => total.add(&line.totals),
            None => totals.push(line.totals),
        }
    }
    Ok(Statement { party, month, lines, totals })
}
