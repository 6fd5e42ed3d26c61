//! What budgets' periods have come to.

use super::{Session, millis, parsed, to_rows};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use std::collections::HashMap;
use trunkline_domain::campaign::Period;
use trunkline_domain::money::Currency;

/// What a budget counts in one of its periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The campaign, ours.
    pub campaign: i64,
    /// Calls, or payin in a currency.
    pub of: CountedThing,
    /// When.
    pub period: Period,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountedThing {
    /// Calls that were let in.
    Calls,
    /// Payin, in cents of a currency.
    Payin(Currency),
    /// Calls under way, whatever the period: only its alerts are kept.
    AtOnce,
}

impl CountedThing {
    fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Calls => ("calls", ""),
            Self::Payin(currency) => ("payin", currency.as_str()),
            Self::AtOnce => ("at_once", ""),
        }
    }
}

/// A running total that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptTotal {
    /// The edges of its period: see [`edges`].
    pub edges: (i64, i64),
    /// Calls, or cents.
    pub total: i64,
    /// The percent up to which alerts were given.
    pub alerted: u32,
    /// The amount of the budget that they were given for.
    pub amount: i64,
}

/// What a campaign's budgets have come to at a moment, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsNow {
    /// Calls under way.
    live: i64,
    /// A total for each: kind, currency, the period's first moment and the first one after it.
    kept: HashMap<(String, String, i64, i64), i64>,
}

impl TotalsNow {
    /// How many columns there are.
    pub(super) const COLUMNS: usize = 2;

    /// The columns that it is read from: calls under way, and a line for each total.
    pub(super) fn columns(campaign: &str, now: &str) -> String {
        format!(
            "(SELECT COUNT(*) FROM live_calls WHERE campaign_id = {campaign}),
             (SELECT string_agg(b.kind || ' ' || b.currency || ' ' || b.period_start || ' '
             || b.period_end || ' ' || b.total, ',') FROM budget_totals b
             WHERE b.campaign_id = {campaign} AND b.period_start <= {now} AND b.period_end > {now})"
        )
    }

    pub(super) fn read(row: &Row<'_>) -> Result<Self, Error> {
        let mut kept = HashMap::new();
        let lines = row.get::<Option<&str>>(1)?.unwrap_or_default();
        for line in lines.split(',').filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |word: &str| parsed(word.parse::<i64>().ok(), "total");
            let [kind, currency, start, end, total] = words[..] else {
                return parsed(None, "total");
            };
            let key = (kind.to_owned(), currency.to_owned(), number(start)?, number(end)?);
            kept.insert(key, number(total)?);
        }
        Ok(Self { live: row.get(0)?, kept })
    }

    /// What a period has come to that is now; `None` where it has to be counted.
    pub fn of(&self, counted: &Counted) -> Option<i64> {
        let ((start, end), (kind, currency)) = (edges(counted.period), counted.of.key());
        match counted.of {
            CountedThing::AtOnce => Some(self.live),
            _ => self.kept.get(&(kind.to_owned(), currency.to_owned(), start, end)).copied(),
        }
    }
}

/// What stands for a row of [`Session::budget_totals_of`]: place, campaign, kind, the period's start and
/// end, currency.
const KEPT: &str = "(SELECT b.total FROM budget_totals b
    WHERE b.campaign_id = CAST(j.value ->> 1 AS BIGINT) AND b.kind = j.value ->> 2
    AND b.period_start = CAST(j.value ->> 3 AS BIGINT)
    AND b.period_end = CAST(j.value ->> 4 AS BIGINT) AND b.currency = j.value ->> 5)";
const CALLS: &str = "(SELECT COUNT(*) FROM calls c
    WHERE c.campaign_id = CAST(j.value ->> 1 AS BIGINT)
    AND c.start_time >= CAST(j.value ->> 3 AS BIGINT)
    AND c.start_time < CAST(j.value ->> 4 AS BIGINT) AND c.turned_away IS NULL)";
const PAYIN: &str = "(SELECT CAST(COALESCE(SUM(t.payin_delta), 0) AS BIGINT) FROM transactions t
    WHERE t.campaign_id = CAST(j.value ->> 1 AS BIGINT)
    AND t.start_time >= CAST(j.value ->> 3 AS BIGINT)
    AND t.start_time < CAST(j.value ->> 4 AS BIGINT) AND t.payin_currency = j.value ->> 5)";
const AT_ONCE: &str = "(SELECT COUNT(*) FROM live_calls l
    WHERE l.campaign_id = CAST(j.value ->> 1 AS BIGINT))";

/// A period's first moment and the first one after it (milliseconds since 1970): what it is kept by.
pub fn edges(period: Period) -> (i64, i64) {
    (millis(period.start), period.end.map_or(i64::MAX, millis))
}

impl Session<'_> {
    /// What a period has come to: its running total, or a recount where none is kept yet.
    pub fn budget_total(&mut self, counted: Counted) -> Result<i64, Error> {
        match self.kept_total(counted)? {
            Some(total) if counted.of != CountedThing::AtOnce => Ok(total),
            _ => self.recount(counted),
        }
    }

    /// The same of many periods, in their order: as many statements as there are kinds of things.
    pub fn budget_totals_of(&mut self, counted: &[Counted]) -> Result<Vec<i64>, Error> {
        type Row<'a> = (usize, i64, &'a str, i64, i64, &'a str);
        let row = |(at, counted): (usize, &Counted)| -> Row<'_> {
            let ((start, end), (kind, currency)) = (edges(counted.period), counted.of.key());
            (at, counted.campaign, kind, start, end, currency)
        };
        let rows: Vec<Row<'_>> = counted.iter().enumerate().map(row).collect();
        let mut totals: Vec<Option<i64>> = vec![None; rows.len()];
        self.totals_by(KEPT, rows.iter().filter(|row| row.2 != "at_once"), &mut totals)?;
        for (kind, sql) in [("calls", CALLS), ("payin", PAYIN), ("at_once", AT_ONCE)] {
            let missing: Vec<Row<'_>> = rows.iter().filter(|row| row.2 == kind).copied().collect();
            let missing = missing.iter().filter(|row| totals[row.0].is_none());
            let missing: Vec<&Row<'_>> = missing.collect();
            self.totals_by(sql, missing.into_iter(), &mut totals)?;
        }
        Ok(totals.into_iter().map(|total| total.unwrap_or(0)).collect())
    }

    /// Adds what a statement finds for each of some rows to their totals.
    fn totals_by<'r, R: serde::Serialize + 'r>(
        &mut self,
        sql: &str,
        rows: impl Iterator<Item = &'r R>,
        totals: &mut [Option<i64>],
    ) -> Result<(), Error> {
        let rows: Vec<&R> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql =
            format!("SELECT CAST(j.value ->> 0 AS BIGINT), {sql} FROM {}", self.rows_in("?1"));
        self.each(&sql, [to_rows(&rows)?], |row| {
            let at = usize::try_from(row.get::<i64>(0)?).ok();
            if let Some(total) = at.and_then(|at| totals.get_mut(at)) {
                *total = row.get(1)?;
            }
            Ok(true)
        })
    }

    fn kept_total(&mut self, counted: Counted) -> Result<Option<i64>, Error> {
        let ((start, end), (kind, currency)) = (edges(counted.period), counted.of.key());
        self.first(
            "SELECT total FROM budget_totals WHERE campaign_id = ?1 AND kind = ?2
             AND period_start = ?3 AND period_end = ?4 AND currency = ?5",
            params![counted.campaign, kind, start, end, currency],
            |row| row.get(0),
        )
    }

    /// What a period comes to by the rows that are stored.
    pub fn recount(&mut self, counted: Counted) -> Result<i64, Error> {
        let (start, end) = edges(counted.period);
        let found = match counted.of {
            CountedThing::AtOnce => return self.live_calls(counted.campaign),
            CountedThing::Calls => self.first(
                "SELECT COUNT(*) FROM calls WHERE campaign_id = ?1 AND start_time >= ?2
                 AND start_time < ?3 AND turned_away IS NULL",
                params![counted.campaign, start, end],
                |row| row.get(0),
            ),
            CountedThing::Payin(currency) => self.first(
                "SELECT CAST(COALESCE(SUM(payin_delta), 0) AS BIGINT) FROM transactions WHERE campaign_id = ?1
                 AND start_time >= ?2 AND start_time < ?3 AND payin_currency = ?4",
                params![counted.campaign, start, end, currency.as_str()],
                |row| row.get(0),
            ),
        };
        Ok(found?.unwrap_or(0))
    }

    /// The running totals that are kept of what a campaign counts, of every period that has a moment
    /// in common with a span: from its first moment to its last.
    pub fn kept_totals(
        &mut self,
        campaign: i64,
        of: CountedThing,
        (first, last): (Timestamp, Timestamp),
    ) -> Result<Vec<KeptTotal>, Error> {
        let (kind, currency) = of.key();
        self.all(
            "SELECT period_start, period_end, total, alerted, amount FROM budget_totals
             WHERE campaign_id = ?1 AND kind = ?2 AND period_start <= ?4 AND period_end > ?3
             AND currency = ?5",
            params![campaign, kind, millis(first), millis(last), currency],
            |row| {
                Ok(KeptTotal {
                    edges: (row.get(0)?, row.get(1)?),
                    total: row.get(2)?,
                    alerted: row.get(3)?,
                    amount: row.get(4)?,
                })
            },
        )
    }

    /// Stores what a running total has come to.
    pub fn keep_total(
        &mut self,
        campaign: i64,
        of: CountedThing,
        it: &KeptTotal,
    ) -> Result<(), Error> {
        let ((start, end), (kind, currency)) = (it.edges, of.key());
        self.execute(
            "INSERT INTO budget_totals (campaign_id, kind, period_start, period_end, currency,
             total, alerted, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (campaign_id, kind, period_start, period_end, currency) DO UPDATE
             SET total = excluded.total, alerted = excluded.alerted, amount = excluded.amount",
            params![campaign, kind, start, end, currency, it.total, it.alerted, it.amount],
        )?;
        Ok(())
    }

    /// Calls of a campaign that are under way.
    pub fn live_calls(&mut self, campaign: i64) -> Result<i64, Error> {
        let found = self.first(
            "SELECT COUNT(*) FROM live_calls WHERE campaign_id = ?1",
            [campaign],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(0))
    }
}
