//! Running totals of budget periods.

use super::{UnitOfWork, or_unreadable, to_json_rows, to_millis};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use trunkline_domain::campaign::BudgetPeriod;
use trunkline_domain::id::CampaignId;
use trunkline_domain::money::Currency;

/// Key of a counter: a quantity that a budget limits, in one of its periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterKey {
    /// Id of the campaign.
    pub campaign_id: CampaignId,
    /// Quantity that is counted.
    pub scope: CounterScope,
    /// Period.
    pub period: BudgetPeriod,
}

/// Quantity that a budget limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterScope {
    /// Admitted calls.
    Calls,
    /// Payin in a currency, in cents.
    Payin(Currency),
    /// Concurrent live calls, in no particular period. Only the alerts of this budget are stored.
    LiveCalls,
}

impl CounterScope {
    fn sql_key(self) -> (&'static str, &'static str) {
        match self {
            Self::Calls => ("calls", ""),
            Self::Payin(currency) => ("payin", currency.as_str()),
            Self::LiveCalls => ("at_once", ""),
        }
    }
}

/// Stored running total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredTotal {
    /// Bounds of its period.
    pub bounds: PeriodBounds,
    /// Calls, or cents.
    pub total: i64,
    /// Percentage of the budget up to which alerts were sent.
    pub alerted_percent: u32,
    /// Amount of the budget for which they were sent.
    pub budget_amount: i64,
}

/// Totals of a campaign's budgets at one time, as far as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentTotals {
    /// Number of live calls.
    live: i64,
    /// Stored totals by kind, currency, and the bounds of the period.
    stored: HashMap<(String, String, i64, i64), i64>,
}

impl CurrentTotals {
    /// Number of columns that are read.
    pub(super) const COLUMNS: usize = 2;

    /// SQL expressions of the columns: the number of live calls, and the stored totals as text.
    pub(super) fn columns(campaign: &str, now: &str) -> String {
        format!(
            "(SELECT COUNT(*) FROM live_calls WHERE campaign_id = {campaign}),
             (SELECT string_agg(b.kind || ' ' || b.currency || ' ' || b.period_start || ' '
             || b.period_end || ' ' || b.total, ',') FROM budget_totals b
             WHERE b.campaign_id = {campaign} AND b.period_start <= {now} AND b.period_end > {now})"
        )
    }

    pub(super) fn read(row: &Row<'_>) -> Result<Self, Error> {
        let mut stored = HashMap::new();
        let lines = row.get::<Option<&str>>(1)?.unwrap_or_default();
        for line in lines.split(',').filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |word: &str| or_unreadable(word.parse::<i64>().ok(), "total");
            let [kind, currency, start, end, total] = words[..] else {
                return or_unreadable(None, "total");
            };
            let key = (kind.to_owned(), currency.to_owned(), number(start)?, number(end)?);
            stored.insert(key, number(total)?);
        }
        Ok(Self { live: row.get(0)?, stored })
    }

    /// Total of a current period; `None` if it is not stored and must be computed.
    pub fn get(&self, counted: &CounterKey) -> Option<i64> {
        let PeriodBounds { start_ms: start, end_ms: end } = PeriodBounds::new(counted.period);
        let (kind, currency) = counted.scope.sql_key();
        match counted.scope {
            CounterScope::LiveCalls => Some(self.live),
            _ => self.stored.get(&(kind.to_owned(), currency.to_owned(), start, end)).copied(),
        }
    }
}

/// SQL expressions for a row of [`UnitOfWork::budget_totals`]: index, campaign, kind, start and end
/// of the period, currency.
const STORED_TOTAL_SQL: &str = "(SELECT b.total FROM budget_totals b
    WHERE b.campaign_id = CAST(j.value ->> 1 AS BIGINT) AND b.kind = j.value ->> 2
    AND b.period_start = CAST(j.value ->> 3 AS BIGINT)
    AND b.period_end = CAST(j.value ->> 4 AS BIGINT) AND b.currency = j.value ->> 5)";
const COUNT_CALLS_SQL: &str = "(SELECT COUNT(*) FROM calls c
    WHERE c.campaign_id = CAST(j.value ->> 1 AS BIGINT)
    AND c.start_time >= CAST(j.value ->> 3 AS BIGINT)
    AND c.start_time < CAST(j.value ->> 4 AS BIGINT) AND c.turned_away IS NULL)";
const SUM_PAYIN_SQL: &str =
    "(SELECT CAST(COALESCE(SUM(t.payin_delta), 0) AS BIGINT) FROM transactions t
    WHERE t.campaign_id = CAST(j.value ->> 1 AS BIGINT)
    AND t.start_time >= CAST(j.value ->> 3 AS BIGINT)
    AND t.start_time < CAST(j.value ->> 4 AS BIGINT) AND t.payin_currency = j.value ->> 5)";
const COUNT_LIVE_SQL: &str = "(SELECT COUNT(*) FROM live_calls l
    WHERE l.campaign_id = CAST(j.value ->> 1 AS BIGINT))";

/// Bounds of a period in milliseconds since 1970, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeriodBounds {
    /// First moment of the period.
    pub start_ms: i64,
    /// First moment after the period; `i64::MAX` if it has no end.
    pub end_ms: i64,
}

impl PeriodBounds {
    /// Bounds of a period.
    pub fn new(period: BudgetPeriod) -> Self {
        let end_ms = period.end.map_or(i64::MAX, to_millis);
        Self { start_ms: to_millis(period.start), end_ms }
    }

    /// Returns true if a moment is within the period.
    pub fn contains(self, at: Timestamp) -> bool {
        let at_ms = to_millis(at);
        self.start_ms <= at_ms && at_ms < self.end_ms
    }
}

impl UnitOfWork<'_> {
    /// Total of a period: the stored total, or one computed from the rows if none is stored.
    pub fn budget_total(&mut self, counted: CounterKey) -> Result<i64, Error> {
        match self.stored_total(counted)? {
            Some(total) if counted.scope != CounterScope::LiveCalls => Ok(total),
            _ => self.recompute_total(counted),
        }
    }

    /// Totals of several periods in their order, by one statement for each kind of quantity.
    pub fn budget_totals(&mut self, counted: &[CounterKey]) -> Result<Vec<i64>, Error> {
        type Row<'a> = (usize, CampaignId, &'a str, i64, i64, &'a str);
        let row = |(index, counted): (usize, &CounterKey)| -> Row<'_> {
            let PeriodBounds { start_ms: start, end_ms: end } = PeriodBounds::new(counted.period);
            let (kind, currency) = counted.scope.sql_key();
            (index, counted.campaign_id, kind, start, end, currency)
        };
        let rows: Vec<Row<'_>> = counted.iter().enumerate().map(row).collect();
        let mut totals: Vec<Option<i64>> = vec![None; rows.len()];
        self.fill_totals(
            STORED_TOTAL_SQL,
            rows.iter().filter(|row| row.2 != "at_once"),
            &mut totals,
        )?;
        for (kind, sql) in
            [("calls", COUNT_CALLS_SQL), ("payin", SUM_PAYIN_SQL), ("at_once", COUNT_LIVE_SQL)]
        {
            let missing: Vec<Row<'_>> = rows.iter().filter(|row| row.2 == kind).copied().collect();
            let missing = missing.iter().filter(|row| totals[row.0].is_none());
            let missing: Vec<&Row<'_>> = missing.collect();
            self.fill_totals(sql, missing.into_iter(), &mut totals)?;
        }
        Ok(totals.into_iter().map(|total| total.unwrap_or(0)).collect())
    }

    /// Runs a statement that computes the totals of some rows, and stores them at the rows'
    /// indexes.
    fn fill_totals<'r, R: serde::Serialize + 'r>(
        &mut self,
        sql: &str,
        rows: impl Iterator<Item = &'r R>,
        totals: &mut [Option<i64>],
    ) -> Result<(), Error> {
        let rows: Vec<&R> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT CAST(j.value ->> 0 AS BIGINT), {sql} FROM {}",
            self.json_rows_sql("?1")
        );
        self.for_each_row(&sql, [to_json_rows(&rows)?], |row| {
            let index = usize::try_from(row.get::<i64>(0)?).ok();
            if let Some(total) = index.and_then(|index| totals.get_mut(index)) {
                *total = row.get(1)?;
            }
            Ok(true)
        })
    }

    fn stored_total(&mut self, counted: CounterKey) -> Result<Option<i64>, Error> {
        let PeriodBounds { start_ms: start, end_ms: end } = PeriodBounds::new(counted.period);
        let (kind, currency) = counted.scope.sql_key();
        self.query_first(
            "SELECT total FROM budget_totals WHERE campaign_id = ?1 AND kind = ?2
             AND period_start = ?3 AND period_end = ?4 AND currency = ?5",
            params![counted.campaign_id, kind, start, end, currency],
            |row| row.get(0),
        )
    }

    /// Computes the total of a period from the stored rows.
    pub fn recompute_total(&mut self, counted: CounterKey) -> Result<i64, Error> {
        let PeriodBounds { start_ms: start, end_ms: end } = PeriodBounds::new(counted.period);
        let found = match counted.scope {
            CounterScope::LiveCalls => return self.count_live_calls(counted.campaign_id),
            CounterScope::Calls => self.query_first(
                "SELECT COUNT(*) FROM calls WHERE campaign_id = ?1 AND start_time >= ?2
                 AND start_time < ?3 AND turned_away IS NULL",
                params![counted.campaign_id, start, end],
                |row| row.get(0),
            ),
            CounterScope::Payin(currency) => self.query_first(
                "SELECT CAST(COALESCE(SUM(payin_delta), 0) AS BIGINT) FROM transactions WHERE campaign_id = ?1
                 AND start_time >= ?2 AND start_time < ?3 AND payin_currency = ?4",
                params![counted.campaign_id, start, end, currency.as_str()],
                |row| row.get(0),
            ),
        };
        Ok(found?.unwrap_or(0))
    }

    /// Stored totals of one quantity of a campaign, for every period that overlaps a span of
    /// time.
    pub fn stored_totals(
        &mut self,
        campaign: CampaignId,
        of: CounterScope,
        span: &RangeInclusive<Timestamp>,
    ) -> Result<Vec<StoredTotal>, Error> {
        let (kind, currency) = of.sql_key();
        self.query_all(
            "SELECT period_start, period_end, total, alerted, amount FROM budget_totals
             WHERE campaign_id = ?1 AND kind = ?2 AND period_start <= ?4 AND period_end > ?3
             AND currency = ?5",
            params![campaign, kind, to_millis(*span.start()), to_millis(*span.end()), currency],
            |row| {
                Ok(StoredTotal {
                    bounds: PeriodBounds { start_ms: row.get(0)?, end_ms: row.get(1)? },
                    total: row.get(2)?,
                    alerted_percent: row.get(3)?,
                    budget_amount: row.get(4)?,
                })
            },
        )
    }

    /// Inserts or updates a running total.
    pub fn upsert_total(
        &mut self,
        campaign: CampaignId,
        of: CounterScope,
        total: &StoredTotal,
    ) -> Result<(), Error> {
        let PeriodBounds { start_ms: start, end_ms: end } = total.bounds;
        let (kind, currency) = of.sql_key();
        self.execute(
            "INSERT INTO budget_totals (campaign_id, kind, period_start, period_end, currency,
             total, alerted, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (campaign_id, kind, period_start, period_end, currency) DO UPDATE
             SET total = excluded.total, alerted = excluded.alerted, amount = excluded.amount",
            params![
                campaign,
                kind,
                start,
                end,
                currency,
                total.total,
                total.alerted_percent,
                total.budget_amount
            ],
        )?;
        Ok(())
    }

    /// Number of live calls of a campaign.
    pub fn count_live_calls(&mut self, campaign: CampaignId) -> Result<i64, Error> {
        let found = self.query_first(
            "SELECT COUNT(*) FROM live_calls WHERE campaign_id = ?1",
            [campaign],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(0))
    }
}
