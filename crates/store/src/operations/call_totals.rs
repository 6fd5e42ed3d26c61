//! Numbers and durations of calls in each quarter of an hour.

use super::{UnitOfWork, timestamp_from_millis};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::id::CampaignId;

/// Number and total duration of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallTotals {
    /// Number of calls.
    pub calls: i64,
    /// Sum of the known durations in seconds.
    pub seconds: i64,
    /// Number of calls with a known duration.
    pub timed_calls: i64,
}

impl CallTotals {
    /// Totals of one call, whose duration in seconds may be unknown.
    pub fn of_call(duration: Option<u32>) -> Self {
        Self { calls: 1, ..Self::of_duration(duration) }
    }

    /// Change of the totals when the duration of a call in seconds is corrected.
    pub fn of_correction(before: Option<u32>, after: Option<u32>) -> Self {
        let (before, after) = (Self::of_duration(before), Self::of_duration(after));
        Self {
            calls: 0,
            seconds: after.seconds - before.seconds,
            timed_calls: after.timed_calls - before.timed_calls,
        }
    }

    fn of_duration(duration: Option<u32>) -> Self {
        Self {
            calls: 0,
            seconds: i64::from(duration.unwrap_or(0)),
            timed_calls: i64::from(duration.is_some()),
        }
    }

    /// Adds other totals.
    pub fn add(&mut self, more: Self) {
        self.calls += more.calls;
        self.seconds += more.seconds;
        self.timed_calls += more.timed_calls;
    }
}

/// Quarter of an hour that contains a moment, counted from 1970.
pub fn quarter_hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(900)
}

/// Change of the totals of a campaign in one quarter hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarterHourTotals {
    /// Id of the campaign.
    pub campaign_id: CampaignId,
    /// Number of the quarter hour: see [`quarter_hour`].
    pub quarter_hour: i64,
    /// Totals to add.
    pub totals: CallTotals,
}

/// Number of a campaign's calls in one quarter hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarterHourCalls {
    /// Start of the quarter hour.
    pub start: Timestamp,
    /// Number of calls that start in it.
    pub calls: i64,
}

impl UnitOfWork<'_> {
    /// Adds calls and durations to the counts of campaigns.
    pub fn add_to_quarter_hours(&mut self, more: &[QuarterHourTotals]) -> Result<(), Error> {
        const ON_CONFLICT_ADD: &str = "ON CONFLICT (campaign_id, quarter) DO UPDATE
             SET calls = call_quarters.calls + excluded.calls,
             seconds = call_quarters.seconds + excluded.seconds,
             timed_calls = call_quarters.timed_calls + excluded.timed_calls";
        if self.is_postgres() && more.len() > 1 {
            let rows = more.iter().map(|more| {
                let CallTotals { calls, seconds, timed_calls } = more.totals;
                json!({"c": more.campaign_id, "q": more.quarter_hour, "n": calls, "s": seconds,
                    "t": timed_calls})
            });
            self.execute(
                &format!(
                    "INSERT INTO call_quarters (campaign_id, quarter, calls, seconds, timed_calls)
                     SELECT c, q, n, s, t FROM json_to_recordset(CAST(CAST(?1 AS TEXT) AS json))
                     AS it (c BIGINT, q BIGINT, n BIGINT, s BIGINT, t BIGINT) {ON_CONFLICT_ADD}"
                ),
                [Value::from_iter(rows).to_string()],
            )?;
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO call_quarters (campaign_id, quarter, calls, seconds, timed_calls)
             VALUES (?1, ?2, ?3, ?4, ?5) {ON_CONFLICT_ADD}"
        );
        for more in more {
            let CallTotals { calls, seconds, timed_calls } = more.totals;
            let (campaign, quarter) = (more.campaign_id, more.quarter_hour);
            self.execute(&sql, params![campaign, quarter, calls, seconds, timed_calls])?;
        }
        Ok(())
    }

    /// Totals of a campaign's calls in a half-open interval. Both bounds must be full quarters of
    /// an hour, as midnight is in every time zone.
    pub fn call_totals(
        &mut self,
        campaign: CampaignId,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<CallTotals, Error> {
        let found = self.query_first(
            "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT), CAST(COALESCE(SUM(seconds), 0) AS BIGINT),
                 CAST(COALESCE(SUM(timed_calls), 0) AS BIGINT)
             FROM call_quarters
             WHERE campaign_id = ?1 AND quarter >= ?2 AND quarter < ?3",
            params![campaign, quarter_hour(from), quarter_hour(before)],
            |row| {
                let (calls, seconds, timed_calls) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(CallTotals { calls, seconds, timed_calls })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Numbers of a campaign's calls in the quarters of an hour of an interval, in order. Quarters
    /// without calls are left out.
    pub fn calls_by_quarter_hour(
        &mut self,
        campaign: CampaignId,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<QuarterHourCalls>, Error> {
        self.query_all(
            "SELECT quarter, calls FROM call_quarters
             WHERE campaign_id = ?1 AND quarter >= ?2 AND quarter <= ?3 ORDER BY quarter",
            params![campaign, quarter_hour(from), quarter_hour(before)],
            |row| {
                let start = timestamp_from_millis(row.get::<i64>(0)? * 900_000)?;
                Ok(QuarterHourCalls { start, calls: row.get(1)? })
            },
        )
    }
}
