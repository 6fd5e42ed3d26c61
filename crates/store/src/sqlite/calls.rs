//! Calls, and the running totals of their days.

use super::{Session, from_json, millis, moment, to_json};
use crate::Error;
use jiff::Timestamp;
use rusqlite::{Row, params};
use trunkline_domain::call::Call;
use trunkline_domain::campaign::CurrentTerms;

const CALL: &str = "SELECT id, network_id, campaign_id, affiliate_id, promo_number_id, external_id,
    complete_call_id, terms_id, start_time, body, created_at FROM calls";

fn call(row: &Row<'_>) -> Result<Call, Error> {
    Ok(Call {
        id: row.get(0)?,
        network_id: row.get(1)?,
        campaign_id: row.get(2)?,
        affiliate_id: row.get(3)?,
        promo_number_id: row.get(4)?,
        external_id: row.get(5)?,
        complete_call_id: row.get(6)?,
        terms_id: row.get(7)?,
        start_time: moment(row.get(8)?)?,
        heard: from_json(&row.get::<_, String>(9)?, "call")?,
        created_at: moment(row.get(10)?)?,
    })
}

/// Calls of some days, and how long they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallTotals {
    /// How many.
    pub calls: i64,
    /// Their durations together (seconds).
    pub seconds: i64,
}

impl Session<'_> {
    /// A network's call by its sender's id, with the fingerprint of the request that brought it.
    pub fn call_by_external_id(
        &mut self,
        network: i64,
        id: &str,
    ) -> Result<Option<(Call, Vec<u8>)>, Error> {
        let sql = CALL.replace(" FROM calls", ", fingerprint FROM calls");
        self.first(
            &format!("{sql} WHERE network_id = ?1 AND external_id = ?2"),
            params![network, id],
            |row| Ok((call(row)?, row.get(11)?)),
        )
    }

    /// Stores a new call, adds it to its day's totals, and returns our id. `day` counts from
    /// 1970-01-01 in the campaign's zone.
    pub fn insert_call(&mut self, it: &Call, fingerprint: &[u8], day: i64) -> Result<i64, Error> {
        let caller = it.heard.facts.calling_phone_number.as_ref().map(|number| number.e164());
        let id = self.insert(
            "INSERT INTO calls (network_id, campaign_id, affiliate_id, promo_number_id, external_id,
             fingerprint, complete_call_id, terms_id, caller, start_time, body, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                it.network_id,
                it.campaign_id,
                it.affiliate_id,
                it.promo_number_id,
                it.external_id,
                fingerprint,
                it.complete_call_id,
                it.terms_id,
                caller,
                millis(it.start_time),
                to_json(&it.heard, "call")?,
                millis(it.created_at),
            ],
        )?;
        self.execute(
            "INSERT INTO call_days (campaign_id, day, calls, seconds) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (campaign_id, day) DO UPDATE
             SET calls = calls + 1, seconds = seconds + excluded.seconds",
            params![it.campaign_id, day, it.heard.facts.duration.unwrap_or(0)],
        )?;
        Ok(id)
    }

    /// Whether a caller called a campaign from `since` on and before `before`.
    pub fn has_called(
        &mut self,
        campaign: i64,
        caller: &str,
        since: Timestamp,
        before: Timestamp,
    ) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM calls WHERE campaign_id = ?1 AND caller = ?2
             AND start_time >= ?3 AND start_time < ?4",
            params![campaign, caller, millis(since), millis(before)],
        )
    }

    /// A campaign's calls from a day on, that day and `last` included.
    pub fn call_totals(
        &mut self,
        campaign: i64,
        first: i64,
        last: i64,
    ) -> Result<CallTotals, Error> {
        let found = self.first(
            "SELECT COALESCE(SUM(calls), 0), COALESCE(SUM(seconds), 0) FROM call_days
             WHERE campaign_id = ?1 AND day BETWEEN ?2 AND ?3",
            params![campaign, first, last],
            |row| Ok(CallTotals { calls: row.get(0)?, seconds: row.get(1)? }),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// The terms that were a campaign's current ones at a moment.
    pub fn terms_at(
        &mut self,
        campaign: i64,
        at: Timestamp,
    ) -> Result<Option<CurrentTerms>, Error> {
        self.first(
            "SELECT id, went_live_at, body FROM terms WHERE campaign_id = ?1 AND went_live_at <= ?2
             ORDER BY went_live_at DESC, id DESC LIMIT 1",
            params![campaign, millis(at)],
            |row| {
                Ok(CurrentTerms {
                    id: row.get(0)?,
                    went_live_at: moment(row.get(1)?)?,
                    terms: from_json(&row.get::<_, String>(2)?, "terms")?,
                })
            },
        )
    }
}
