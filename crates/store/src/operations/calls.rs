//! Calls, and the running totals of their quarters of an hour.

use super::months::Tables;
use super::rows::{Kind, Put, Table};
use super::{Session, from_json, millis, moment, to_json};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use serde_json::{Value, json};
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

/// Something that held from a moment on and before another; `None` is to this day.
#[derive(Debug, Clone)]
pub struct Reign<T> {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Option<Timestamp>,
    /// What held.
    pub of: T,
}

impl<T> Reign<T> {
    /// Whether it held at a moment.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A caller who may have called a campaign from a moment on and before another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// The campaign, ours.
    pub campaign: i64,
    /// The caller's number, with its country code.
    pub caller: String,
    /// From when on.
    pub since: Timestamp,
    /// Before when.
    pub before: Timestamp,
}

/// Where a new call goes.
const CALLS: Table<15> = Table {
    name: "calls",
    columns: [
        ("id", Kind::Integer),
        ("network_id", Kind::Integer),
        ("campaign_id", Kind::Integer),
        ("affiliate_id", Kind::Integer),
        ("promo_number_id", Kind::Integer),
        ("external_id", Kind::Text),
        ("fingerprint", Kind::Bytes),
        ("complete_call_id", Kind::Text),
        ("terms_id", Kind::Integer),
        ("caller", Kind::Text),
        ("start_time", Kind::Integer),
        ("body", Kind::Text),
        ("created_at", Kind::Integer),
        ("ended_at", Kind::Integer),
        ("turned_away", Kind::Text),
    ],
};

fn put_call(id: i64, it: &Call, fingerprint: &[u8], put: &mut Put<'_, 15>) -> Result<(), Error> {
    let caller = it.heard.facts.calling_phone_number.as_ref().map(|number| number.e164());
    put(&params![
        id,
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
    ])
}

/// Quarters of an hour since 1970: the one that a moment is in.
pub fn quarter(at: Timestamp) -> i64 {
    at.as_second().div_euclid(900)
}

impl Session<'_> {
    /// What a network's call is called and the fingerprint of the request that brought it, by its
    /// sender's id.
    pub fn known_call(
        &mut self,
        network: i64,
        external_id: &str,
    ) -> Result<Option<(String, Vec<u8>)>, Error> {
        let key = "network_id = ?1 AND external_id = ?2";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        // As a rule there is none, and then no partition is looked at.
        match self.tables_of_call(key, params![network, external_id])? {
            Some(Tables { id: Some(id), calls, .. }) => {
                let sql =
                    format!("SELECT complete_call_id, fingerprint FROM {calls} WHERE id = ?1");
                self.first(&sql, [id], read)
            }
            Some(Tables { calls, .. }) => {
                let sql = format!("SELECT complete_call_id, fingerprint FROM {calls} WHERE {key}");
                self.first(&sql, params![network, external_id], read)
            }
            None => Ok(None),
        }
    }

    /// Stores new calls under ids of [`Session::next_ids`], each with the fingerprint of the request
    /// that brought it.
    pub fn insert_calls<'c>(
        &mut self,
        calls: impl Iterator<Item = (i64, &'c Call, &'c [u8])>,
    ) -> Result<(), Error> {
        for (part, calls) in self.by_month(calls, |(_, it, _)| millis(it.start_time))? {
            let put = |(id, it, fingerprint): (i64, &Call, &[u8]), put: &mut Put<'_, 15>| {
                put_call(id, it, fingerprint, put)
            };
            self.insert_rows((&CALLS, &part), calls.into_iter(), put)
                .inspect_err(|_| self.forget_months())?;
        }
        Ok(())
    }

    /// Stores a new call and returns our id.
    pub fn insert_call(&mut self, it: &Call, fingerprint: &[u8]) -> Result<i64, Error> {
        self.make_month(millis(it.start_time))?;
        let inserted = self.insert_row(&CALLS, |put| put_call(0, it, fingerprint, put));
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

    /// Adds calls, and how long they took, to the totals of campaigns, ours, in a [`quarter`] each.
    pub fn add_to_quarters(&mut self, more: &[(i64, i64, CallTotals)]) -> Result<(), Error> {
        const ADDED: &str = "ON CONFLICT (campaign_id, quarter) DO UPDATE
             SET calls = call_quarters.calls + excluded.calls,
             seconds = call_quarters.seconds + excluded.seconds";
        if self.is_postgres() && more.len() > 1 {
            let rows = more.iter().map(|(campaign, quarter, more)| {
                json!({"c": campaign, "q": quarter, "n": more.calls, "s": more.seconds})
            });
            self.execute(
                &format!(
                    "INSERT INTO call_quarters (campaign_id, quarter, calls, seconds)
                     SELECT c, q, n, s FROM json_to_recordset(CAST(CAST(?1 AS TEXT) AS json))
                     AS it (c BIGINT, q BIGINT, n BIGINT, s BIGINT) {ADDED}"
                ),
                [Value::from_iter(rows).to_string()],
            )?;
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO call_quarters (campaign_id, quarter, calls, seconds)
             VALUES (?1, ?2, ?3, ?4) {ADDED}"
        );
        for (campaign, quarter, more) in more {
            self.execute(&sql, params![campaign, quarter, more.calls, more.seconds])?;
        }
        Ok(())
    }

    /// Whether it pays to look many things up at once: each look-up is a message to another process
    /// and back.
    pub fn is_remote(&self) -> bool {
        self.is_postgres()
    }

    /// As [`Session::known_call`] of many at once, by their senders' ids: those that are known.
    pub fn known_calls(
        &mut self,
        network: i64,
        external_ids: &[&str],
    ) -> Result<Vec<(String, String, Vec<u8>)>, Error> {
        // As a rule there is none, and then no partition is looked at.
        let found = if self.is_postgres() {
            // One look-up by the index for each, whatever the planner thinks of them together.
            "json_array_elements_text(CAST(CAST(?2 AS TEXT) AS json)) AS it (id)
             CROSS JOIN LATERAL (SELECT call_id, start_time FROM call_keys
                 WHERE network_id = ?1 AND external_id = it.id LIMIT 1) k
             CROSS JOIN LATERAL (SELECT external_id, complete_call_id, fingerprint FROM calls
                 WHERE id = k.call_id AND start_time = k.start_time LIMIT 1) c"
        } else {
            "(SELECT value AS id FROM json_each(?2)) it
             JOIN calls c ON c.network_id = ?1 AND c.external_id = it.id"
        };
        self.all(
            &format!("SELECT c.external_id, c.complete_call_id, c.fingerprint FROM {found}"),
            params![network, json!(external_ids).to_string()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    /// As [`Session::has_called`] of many at once: the places of those that have.
    pub fn have_called(&mut self, asked: &[Repeat]) -> Result<Vec<i64>, Error> {
        let rows = asked.iter().enumerate().map(|(place, it)| {
            json!({"i": place, "c": it.campaign, "n": it.caller, "s": millis(it.since),
                "b": millis(it.before)})
        });
        let rows = Value::from_iter(rows).to_string();
        let asked = if self.is_postgres() {
            "SELECT * FROM json_to_recordset(CAST(CAST(?1 AS TEXT) AS json))
             AS it (i BIGINT, c BIGINT, n TEXT, s BIGINT, b BIGINT)"
        } else {
            "SELECT value ->> 'i' AS i, value ->> 'c' AS c, value ->> 'n' AS n, value ->> 's' AS s,
             value ->> 'b' AS b FROM json_each(?1)"
        };
        // One look-up by the index for each, whatever the planner thinks of them together.
        let campaign = self.campaign_of_callers();
        self.all(
            &format!(
                "SELECT it.i FROM ({asked}) it WHERE (SELECT 1 FROM calls
                     WHERE {campaign} = it.c AND caller = it.n
                     AND start_time >= it.s AND start_time < it.b LIMIT 1) IS NOT NULL"
            ),
            [rows],
            |row| row.get(0),
        )
    }

    /// The campaign, in the words of the index of callers.
    fn campaign_of_callers(&self) -> &'static str {
        if self.is_postgres() { "campaign_id + 0" } else { "campaign_id" }
    }

    /// Whether a caller called a campaign.
    pub fn has_called(&mut self, it: &Repeat) -> Result<bool, Error> {
        let campaign = self.campaign_of_callers();
        self.exists(
            &format!(
                "SELECT 1 FROM calls WHERE {campaign} = ?1 AND caller = ?2
                 AND start_time >= ?3 AND start_time < ?4"
            ),
            params![it.campaign, it.caller, millis(it.since), millis(it.before)],
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

    /// The terms that were a campaign's current ones at a moment, and for how long they were.
    pub fn terms_at(
        &mut self,
        campaign: i64,
        at: Timestamp,
    ) -> Result<Option<Reign<CurrentTerms>>, Error> {
        self.first(
            "SELECT id, went_live_at, body, (SELECT MIN(n.went_live_at) FROM terms n
                 WHERE n.campaign_id = ?1 AND n.went_live_at > ?2)
             FROM terms WHERE campaign_id = ?1 AND went_live_at <= ?2
             ORDER BY went_live_at DESC, id DESC LIMIT 1",
            params![campaign, millis(at)],
            |row| {
                let went_live_at = moment(row.get(1)?)?;
                let terms = from_json(&row.get::<String>(2)?, "terms")?;
                Ok(Reign {
                    from: went_live_at,
                    until: row.get::<Option<i64>>(3)?.map(moment).transpose()?,
                    of: CurrentTerms { id: row.get(0)?, went_live_at, terms },
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
    /// at a moment, and for how long; `None` before it was made.
    pub fn status_at(
        &mut self,
        object: &'static str,
        id: i64,
        at: Timestamp,
    ) -> Result<Option<Reign<String>>, Error> {
        self.first(
            "SELECT status, since, (SELECT MIN(n.since) FROM statuses n
                 WHERE n.object = ?1 AND n.object_id = ?2 AND n.since > ?3)
             FROM statuses WHERE object = ?1 AND object_id = ?2 AND since <= ?3
             ORDER BY since DESC, id DESC LIMIT 1",
            params![object, id, millis(at)],
            |row| {
                Ok(Reign {
                    from: moment(row.get(1)?)?,
                    until: row.get::<Option<i64>>(2)?.map(moment).transpose()?,
                    of: row.get(0)?,
                })
            },
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
