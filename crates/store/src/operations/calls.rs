//! Calls, and the running totals of their quarters of an hour.

use super::months::Tables;
use super::{Session, from_json, millis, moment, to_json};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use trunkline_domain::call::{Call, Heard, Settlement, TurnedAway};
use trunkline_domain::campaign::{CurrentTerms, Terms};

const CALL: &str = "id, network_id, campaign_id, affiliate_id, promo_number_id, external_id,
    complete_call_id, terms_id, start_time, body, created_at, ended_at";

/// A call from a row that begins with the columns of [`CALL`].
pub(super) fn call(row: &Row<'_>) -> Result<Call, Error> {
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
        heard: from_json(&row.get::<String>(9)?, "call")?,
        created_at: moment(row.get(10)?)?,
        ended_at: row.get::<Option<i64>>(11)?.map(moment).transpose()?,
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

/// Quarters of an hour since 1970.
fn quarter(at: Timestamp) -> i64 {
    at.as_second().div_euclid(900)
}

impl Session<'_> {
    /// A network's call by its sender's id, with the fingerprint of the request that brought it.
    pub fn call_by_external_id(
        &mut self,
        network: i64,
        id: &str,
    ) -> Result<Option<(Call, Vec<u8>)>, Error> {
        let key = "network_id = ?1 AND external_id = ?2";
        let read = |row: &Row<'_>| Ok((call(row)?, row.get(12)?));
        // As a rule there is none, and then no partition is looked at.
        match self.tables_of_call(key, params![network, id])? {
            Some(Tables { id: Some(id), calls, .. }) => {
                let sql = format!("SELECT {CALL}, fingerprint FROM {calls} WHERE id = ?1");
                self.first(&sql, [id], read)
            }
            Some(Tables { calls, .. }) => {
                let sql = format!("SELECT {CALL}, fingerprint FROM {calls} WHERE {key}");
                self.first(&sql, params![network, id], read)
            }
            None => Ok(None),
        }
    }

    /// Stores a new call and returns our id.
    pub fn insert_call(&mut self, it: &Call, fingerprint: &[u8]) -> Result<i64, Error> {
        let caller = it.heard.facts.calling_phone_number.as_ref().map(|number| number.e164());
        self.make_month(millis(it.start_time))?;
        let inserted = self.insert(
            "INSERT INTO calls (network_id, campaign_id, affiliate_id, promo_number_id, external_id,
             fingerprint, complete_call_id, terms_id, caller, start_time, body, created_at, ended_at,
             turned_away)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
                it.ended_at.map(millis),
                it.heard.turned_away.map(TurnedAway::as_str),
            ],
        );
        if inserted.is_err() {
            self.forget_months();
        }
        inserted
    }

    /// A network's call by our id.
    pub fn call_by_id(&mut self, network: i64, id: i64) -> Result<Option<Call>, Error> {
        let Some(Tables { calls, .. }) = self.tables_of_call("call_id = ?1", [id])? else {
            return Ok(None);
        };
        let sql = format!("SELECT {CALL} FROM {calls} WHERE id = ?2 AND network_id = ?1");
        self.first(&sql, [network, id], call)
    }

    /// Stores what is known of a call by now, and when it was over.
    pub fn update_call(&mut self, it: &Call) -> Result<(), Error> {
        self.execute(
            "UPDATE calls SET body = ?2, ended_at = ?3 WHERE id = ?1 AND start_time = ?4",
            params![
                it.id,
                to_json(&it.heard, "call")?,
                it.ended_at.map(millis),
                millis(it.start_time)
            ],
        )?;
        Ok(())
    }

    /// Adds calls, and how long they took, to the totals of a moment's quarter of an hour.
    pub fn add_to_totals(
        &mut self,
        campaign: i64,
        at: Timestamp,
        calls: i64,
        seconds: i64,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO call_quarters (campaign_id, quarter, calls, seconds)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (campaign_id, quarter) DO UPDATE
             SET calls = call_quarters.calls + excluded.calls,
             seconds = call_quarters.seconds + excluded.seconds",
            params![campaign, quarter(at), calls, seconds],
        )?;
        Ok(())
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

    /// A campaign's calls from a moment on and before another; both at the edge of a quarter of an
    /// hour, as every zone's midnights are.
    pub fn call_totals(
        &mut self,
        campaign: i64,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<CallTotals, Error> {
        let found = self.first(
            "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT), CAST(COALESCE(SUM(seconds), 0) AS BIGINT)
             FROM call_quarters
             WHERE campaign_id = ?1 AND quarter >= ?2 AND quarter < ?3",
            params![campaign, quarter(from), quarter(before)],
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
                    terms: from_json(&row.get::<String>(2)?, "terms")?,
                })
            },
        )
    }

    /// Terms that were once live, by our id.
    pub fn terms_by_id(&mut self, id: i64) -> Result<Option<Terms>, Error> {
        self.first("SELECT body FROM terms WHERE id = ?1", [id], |row| {
            from_json(&row.get::<String>(0)?, "terms")
        })
    }

    /// The status that a campaign (`campaign`) or an affiliate campaign (`affiliate_campaign`) had
    /// at a moment; `None` before it was made.
    pub fn status_at(
        &mut self,
        object: &'static str,
        id: i64,
        at: Timestamp,
    ) -> Result<Option<String>, Error> {
        self.first(
            "SELECT status FROM statuses WHERE object = ?1 AND object_id = ?2 AND since <= ?3
             ORDER BY since DESC, id DESC LIMIT 1",
            params![object, id, millis(at)],
            |row| row.get(0),
        )
    }

    /// How many calls a campaign had in each quarter of an hour from a moment on and before
    /// another, in order: when it began, and how many. Quarters without calls are left out.
    pub fn calls_by_quarter(
        &mut self,
        campaign: i64,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<(Timestamp, i64)>, Error> {
        self.all(
            "SELECT quarter, calls FROM call_quarters
             WHERE campaign_id = ?1 AND quarter >= ?2 AND quarter <= ?3 ORDER BY quarter",
            params![campaign, quarter(from), quarter(before)],
            |row| Ok((moment(row.get::<i64>(0)? * 900_000)?, row.get(1)?)),
        )
    }

    /// Goes through a campaign's calls that came in from a moment on and before another and are
    /// over, in order of time: what a call is called, and what is known of it, as corrected last.
    /// `take` answers whether to go on.
    pub fn each_heard(
        &mut self,
        campaign: i64,
        from: Timestamp,
        before: Timestamp,
        mut take: impl FnMut(&str, Heard) -> bool,
    ) -> Result<(), Error> {
        self.each(
            "SELECT c.complete_call_id, c.body, (
                 SELECT t.body FROM transactions t WHERE t.call_id = c.id
                 AND t.start_time = c.start_time AND t.start_time >= ?2 AND t.start_time < ?3
                 AND t.corrects_id IS NOT NULL ORDER BY t.id DESC LIMIT 1)
             FROM calls c WHERE c.campaign_id = ?1 AND c.start_time >= ?2 AND c.start_time < ?3
             AND c.ended_at IS NOT NULL ORDER BY c.start_time, c.id",
            params![campaign, millis(from), millis(before)],
            |row| {
                let corrected = match row.get::<Option<&str>>(2)? {
                    None => None,
                    Some(body) => from_json::<Settlement>(body, "transaction")?.correction,
                };
                let heard = match corrected.and_then(|correction| correction.heard) {
                    Some(heard) => *heard,
                    None => from_json(row.get(1)?, "call")?,
                };
                Ok(take(row.get(0)?, heard))
            },
        )
    }
}
