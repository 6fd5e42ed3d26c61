//! Calls, and the counts of calls in each quarter of an hour.

use super::bulk_insert::{ColumnType, InsertTarget, RowSink};
use super::partitions::Tables;
use super::{UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::ops::Range;
use trunkline_domain::call::{Call, RecordedFacts, RejectionReason, Settlement};
use trunkline_domain::campaign::{CurrentTerms, Terms};
use trunkline_domain::id::{AdvertiserId, CallId, CampaignId, NetworkId, TermsId};

const CALL_COLUMNS: &str =
    "id, network_id, campaign_id, affiliate_id, promo_number_id, external_id,
    complete_call_id, terms_id, start_time, body, created_at, ended_at";

/// Reads a call from a row that begins with the columns of [`CALL_COLUMNS`].
pub(super) fn call_from_row(row: &Row<'_>) -> Result<Call, Error> {
    Ok(Call {
        id: row.get(0)?,
        network_id: row.get(1)?,
        campaign_id: row.get(2)?,
        affiliate_id: row.get(3)?,
        promo_number_id: row.get(4)?,
        external_id: row.get(5)?,
        complete_call_id: row.get(6)?,
        terms_id: row.get(7)?,
        start_time: timestamp_from_millis(row.get(8)?)?,
        recorded: from_json(&row.get::<String>(9)?, "call")?,
        created_at: timestamp_from_millis(row.get(10)?)?,
        ended_at: row.get::<Option<i64>>(11)?.map(timestamp_from_millis).transpose()?,
    })
}

/// Stored call of a report, by which a repeated report is distinguished from another call with the same external
/// id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// External id that the sender chose.
    pub external_id: String,
    /// Id of the advertiser whose campaign was called.
    pub advertiser_id: AdvertiserId,
    /// Complete call id.
    pub complete_call_id: String,
    /// Fingerprint of the request: see `docs/glossary.md`.
    pub fingerprint: Vec<u8>,
    /// Reason for which the call was rejected.
    pub rejection: Option<RejectionReason>,
}

fn report_from_row(row: &Row<'_>) -> Result<StoredReport, Error> {
    let reason: Option<String> = row.get(3)?;
    let parse = |text: String| or_unreadable(RejectionReason::parse(&text), "rejection reason");
    Ok(StoredReport {
        external_id: row.get(0)?,
        complete_call_id: row.get(1)?,
        fingerprint: row.get(2)?,
        rejection: reason.map(parse).transpose()?,
        advertiser_id: row.get(4)?,
    })
}

/// Value with the half-open interval in which it was valid; without an end it is still valid.
#[derive(Debug, Clone)]
pub struct ValidityPeriod<T> {
    /// Start of the validity.
    pub from: Timestamp,
    /// End of the validity, exclusive.
    pub until: Option<Timestamp>,
    /// Value.
    pub value: T,
}

impl<T> ValidityPeriod<T> {
    /// Returns true if it was valid at a moment.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Query for an earlier call: whether a number called a campaign in an interval.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepeatCallerQuery {
    /// Id of the campaign.
    pub campaign_id: CampaignId,
    /// Number of the caller, in E.164 format.
    pub caller: String,
    /// Start of the interval.
    pub from: Timestamp,
    /// End of the interval, inclusive.
    pub until: Timestamp,
    /// Calls that started at the end of the interval count if their ids are lower than this one.
    pub before_call: CallId,
}

/// Condition on calls that count as earlier calls of their callers.
const IS_INBOUND: &str = "turned_away IS DISTINCT FROM 'not_inbound'";

/// Columns of a new call.
const NEW_CALL: InsertTarget<15> = InsertTarget {
    name: "calls",
    columns: [
        ("id", ColumnType::Integer),
        ("network_id", ColumnType::Integer),
        ("campaign_id", ColumnType::Integer),
        ("affiliate_id", ColumnType::Integer),
        ("promo_number_id", ColumnType::Integer),
        ("external_id", ColumnType::Text),
        ("fingerprint", ColumnType::Bytes),
        ("complete_call_id", ColumnType::Text),
        ("terms_id", ColumnType::Integer),
        ("caller", ColumnType::Text),
        ("start_time", ColumnType::Integer),
        ("body", ColumnType::Text),
        ("created_at", ColumnType::Integer),
        ("ended_at", ColumnType::Integer),
        ("turned_away", ColumnType::Text),
    ],
};

fn push_call(
    id: CallId,
    call: &Call,
    fingerprint: &[u8],
    push: &mut RowSink<'_, 15>,
) -> Result<(), Error> {
    let caller = call.recorded.facts.calling_phone_number.as_ref().map(|number| number.e164());
    push(&params![
        id,
        call.network_id,
        call.campaign_id,
        call.affiliate_id,
        call.promo_number_id,
        call.external_id,
        fingerprint,
        call.complete_call_id,
        call.terms_id,
        caller,
        to_millis(call.start_time),
        to_json(&call.recorded, "call")?,
        to_millis(call.created_at),
        call.ended_at.map(to_millis),
        call.recorded.rejection.map(RejectionReason::as_str),
    ])
}

/// Ended call, for evaluations over many calls.
#[derive(Debug)]
pub struct EndedCall<'a> {
    /// Complete call id.
    pub complete_call_id: &'a str,
    /// Newest facts.
    pub recorded: RecordedFacts,
    /// Start of the call.
    pub start_time: Timestamp,
    /// Start of the caller's previous call of the campaign, if it was looked up and there is one.
    pub previous_start: Option<Timestamp>,
}

impl UnitOfWork<'_> {
    /// Stored report of a call, by its external id, which is unique for each advertiser.
    pub fn reported_call(
        &mut self,
        network: NetworkId,
        advertiser: AdvertiserId,
        external_id: &str,
    ) -> Result<Option<StoredReport>, Error> {
        let found = self.reported_calls(network, &[external_id])?;
        Ok(found.into_iter().find(|report| report.advertiser_id == advertiser))
    }

    /// Inserts calls under ids from [`UnitOfWork::reserve_ids`], each with the fingerprint of its
    /// request.
    pub fn insert_calls<'c>(
        &mut self,
        calls: impl Iterator<Item = (CallId, &'c Call, &'c [u8])>,
    ) -> Result<(), Error> {
        for (suffix, calls) in
            self.group_by_partition(calls, |(_, call, _)| to_millis(call.start_time))?
        {
            let push_row = |(id, call, fingerprint): (CallId, &Call, &[u8]),
                            push: &mut RowSink<'_, 15>| {
                push_call(id, call, fingerprint, push)
            };
            self.insert_rows(&NEW_CALL, &suffix, calls.into_iter(), push_row)
                .inspect_err(|_| self.invalidate_partitions())?;
        }
        Ok(())
    }

    /// Inserts a call and returns its id.
    pub fn insert_call(&mut self, call: &Call, fingerprint: &[u8]) -> Result<CallId, Error> {
        self.ensure_partition(to_millis(call.start_time))?;
        let inserted = self
            .insert_row(&NEW_CALL, |push| push_call(CallId::UNASSIGNED, call, fingerprint, push));
        if inserted.is_err() {
            self.invalidate_partitions();
        }
        inserted
    }

    /// Call of a network, by id.
    pub fn call_by_id(&mut self, network: NetworkId, id: CallId) -> Result<Option<Call>, Error> {
        let Some(Tables { calls, .. }) = self.tables_of_call("call_id = ?1", [id])? else {
            return Ok(None);
        };
        let sql = format!("SELECT {CALL_COLUMNS} FROM {calls} WHERE id = ?2 AND network_id = ?1");
        self.query_first(&sql, params![network, id], call_from_row)
    }

    /// Id of the call of a network with a complete call id.
    pub fn call_id(
        &mut self,
        network: NetworkId,
        complete_call_id: &str,
    ) -> Result<Option<CallId>, Error> {
        let sql = match self.is_postgres() {
            true => "SELECT call_id FROM call_keys WHERE complete_call_id = ?2 AND network_id = ?1",
            false => "SELECT id FROM calls WHERE complete_call_id = ?2 AND network_id = ?1",
        };
        self.query_first(sql, params![network, complete_call_id], |row| row.get(0))
    }

    /// Updates the recorded facts and the end of a call.
    pub fn update_call(&mut self, call: &Call) -> Result<(), Error> {
        self.execute(
            "UPDATE calls SET body = ?2, ended_at = ?3 WHERE id = ?1 AND start_time = ?4",
            params![
                call.id,
                to_json(&call.recorded, "call")?,
                call.ended_at.map(to_millis),
                to_millis(call.start_time)
            ],
        )?;
        Ok(())
    }

    /// Returns true if each query is a round trip to a server, so that batched look-ups pay.
    pub fn is_remote_database(&self) -> bool {
        self.is_postgres()
    }

    /// Finds the reported calls of all advertisers with some external ids.
    pub fn reported_calls(
        &mut self,
        network: NetworkId,
        external_ids: &[&str],
    ) -> Result<Vec<StoredReport>, Error> {
        // Usually the calls are new, and then no partition is queried.
        let found = if self.is_postgres() {
            // The lateral joins force one index look-up per id, whatever the planner estimates.
            "json_array_elements_text(CAST(CAST(?2 AS TEXT) AS json)) AS it (id)
             CROSS JOIN LATERAL (SELECT call_id, start_time FROM call_keys
                 WHERE network_id = ?1 AND external_id = it.id OFFSET 0) k
             CROSS JOIN LATERAL (
                 SELECT campaign_id, external_id, complete_call_id, fingerprint, turned_away FROM calls
                 WHERE id = k.call_id AND start_time = k.start_time LIMIT 1) c"
        } else {
            "(SELECT value AS id FROM json_each(?2)) it
             CROSS JOIN calls c ON c.network_id = ?1 AND c.external_id = it.id"
        };
        self.query_all(
            &format!(
                "SELECT c.external_id, c.complete_call_id, c.fingerprint, c.turned_away, p.advertiser_id
                 FROM {found} JOIN campaigns p ON p.id = c.campaign_id"
            ),
            params![network, json!(external_ids).to_string()],
            report_from_row,
        )
    }

    /// Answers many queries of [`UnitOfWork::has_called_before`], in their order.
    pub fn have_called_before(
        &mut self,
        queries: &[RepeatCallerQuery],
    ) -> Result<Vec<bool>, Error> {
        let mut have_called = vec![false; queries.len()];
        let rows = queries.iter().enumerate().map(|(index, query)| {
            json!({"i": index, "c": query.campaign_id, "n": query.caller, "s": to_millis(query.from),
                "u": to_millis(query.until)})
        });
        let rows = Value::from_iter(rows).to_string();
        let queries = if self.is_postgres() {
            "SELECT * FROM json_to_recordset(CAST(CAST(?1 AS TEXT) AS json))
             AS it (i BIGINT, c BIGINT, n TEXT, s BIGINT, u BIGINT)"
        } else {
            "SELECT value ->> 'i' AS i, value ->> 'c' AS c, value ->> 'n' AS n, value ->> 's' AS s,
             value ->> 'u' AS u FROM json_each(?1)"
        };
        // The scalar subquery forces one index look-up per query, whatever the planner estimates.
        let campaign = self.callers_index_campaign();
        let found = self.query_all(
            &format!(
                "SELECT it.i FROM ({queries}) it WHERE (SELECT 1 FROM calls
                     WHERE {campaign} = it.c AND caller = it.n AND {IS_INBOUND}
                     AND start_time >= it.s AND start_time <= it.u LIMIT 1) IS NOT NULL"
            ),
            [rows],
            |row| row.get::<i64>(0),
        )?;
        for index in found {
            let answer = usize::try_from(index).ok().and_then(|index| have_called.get_mut(index));
            *or_unreadable(answer, "index of a query")? = true;
        }
        Ok(have_called)
    }

    /// SQL expression of the campaign in the index on callers.
    pub(super) fn callers_index_campaign(&self) -> &'static str {
        if self.is_postgres() { "campaign_id + 0" } else { "campaign_id" }
    }

    /// Returns true if the number called the campaign in the interval.
    pub fn has_called_before(&mut self, query: &RepeatCallerQuery) -> Result<bool, Error> {
        let campaign = self.callers_index_campaign();
        self.exists(
            &format!(
                "SELECT 1 FROM calls WHERE {campaign} = ?1 AND caller = ?2 AND {IS_INBOUND}
                 AND start_time >= ?3 AND start_time <= ?4 AND (start_time < ?4 OR id < ?5)"
            ),
            params![
                query.campaign_id,
                query.caller,
                to_millis(query.from),
                to_millis(query.until),
                query.before_call
            ],
        )
    }

    /// Terms of a campaign that were current at a moment, with their period of validity.
    pub fn terms_at(
        &mut self,
        campaign: CampaignId,
        at: Timestamp,
    ) -> Result<Option<ValidityPeriod<CurrentTerms>>, Error> {
        self.query_first(
            "SELECT id, went_live_at, body, (SELECT MIN(n.went_live_at) FROM terms n
                 WHERE n.campaign_id = ?1 AND n.went_live_at > ?2)
             FROM terms WHERE campaign_id = ?1 AND went_live_at <= ?2
             ORDER BY went_live_at DESC, id DESC LIMIT 1",
            params![campaign, to_millis(at)],
            |row| {
                let went_live_at = timestamp_from_millis(row.get(1)?)?;
                let terms = from_json(&row.get::<String>(2)?, "terms")?;
                Ok(ValidityPeriod {
                    from: went_live_at,
                    until: row.get::<Option<i64>>(3)?.map(timestamp_from_millis).transpose()?,
                    value: CurrentTerms { id: row.get(0)?, went_live_at, terms },
                })
            },
        )
    }

    /// Terms that have been live, by id.
    pub fn terms_by_id(&mut self, id: TermsId) -> Result<Option<Terms>, Error> {
        self.query_first("SELECT body FROM terms WHERE id = ?1", [id], |row| {
            from_json(&row.get::<String>(0)?, "terms")
        })
    }

    /// Passes the ended calls of a campaign in an interval to `visit`, ordered by start time, with
    /// their newest facts, until it returns `false`. `with_previous_start` looks up the caller's
    /// previous call too.
    pub fn for_each_ended_call(
        &mut self,
        campaign: CampaignId,
        interval: Range<Timestamp>,
        with_previous_start: bool,
        mut visit: impl FnMut(EndedCall<'_>) -> bool,
    ) -> Result<(), Error> {
        let of_campaign = match self.is_postgres() {
            true => "p.campaign_id + 0 = c.campaign_id",
            false => "p.campaign_id = c.campaign_id",
        };
        let previous = match with_previous_start {
            true => format!(
                "(SELECT MAX(p.start_time) FROM calls p WHERE {of_campaign}
                 AND p.caller = c.caller AND p.{IS_INBOUND} AND p.start_time <= c.start_time
                 AND (p.start_time < c.start_time OR p.id < c.id))"
            ),
            false => "CAST(NULL AS BIGINT)".to_owned(),
        };
        self.for_each_row(
            &format!(
                "SELECT c.complete_call_id, c.body, (
                     SELECT t.body FROM transactions t WHERE t.call_id = c.id
                     AND t.start_time = c.start_time AND t.start_time >= ?2 AND t.start_time < ?3
                     AND t.corrects_id IS NOT NULL ORDER BY t.id DESC LIMIT 1),
                     c.start_time, {previous}
                 FROM calls c
                 WHERE c.campaign_id = ?1 AND c.start_time >= ?2 AND c.start_time < ?3
                 AND c.ended_at IS NOT NULL ORDER BY c.start_time, c.id"
            ),
            params![campaign, to_millis(interval.start), to_millis(interval.end)],
            |row| {
                let corrected = match row.get::<Option<&str>>(2)? {
                    None => None,
                    Some(body) => from_json::<Settlement>(body, "transaction")?.correction,
                };
                let attribution = corrected.as_ref().and_then(|correction| correction.attribution);
                if attribution.is_some_and(|moved| moved.campaign_id != campaign) {
                    return Ok(true);
                }
                let recorded = match corrected.and_then(|correction| correction.recorded) {
                    Some(recorded) => *recorded,
                    None => from_json(row.get(1)?, "call")?,
                };
                let previous: Option<i64> = row.get(4)?;
                Ok(visit(EndedCall {
                    complete_call_id: row.get(0)?,
                    recorded,
                    start_time: timestamp_from_millis(row.get(3)?)?,
                    previous_start: previous.map(timestamp_from_millis).transpose()?,
                }))
            },
        )
    }
}
