//! Calls as they are listed, joined with the names of their parties and their latest settlement.

use super::calls::{RepeatCallerQuery, call_from_row};
use super::partitions::Tables;
use super::{UnitOfWork, from_json, or_unreadable, to_json_ids, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::call::{Call, LiveCall, Outcome, RejectionReason, Settlement};
use trunkline_domain::id::{
    AdvertiserId, AffiliateId, CallId, CampaignId, NetworkId, TransactionId,
};
use trunkline_domain::phone::PhoneNumber;

/// Call with the data that is shown with it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// Call.
    pub call: Call,
    /// External id of its campaign.
    pub campaign_external_id: String,
    /// Id of the campaign's advertiser.
    pub advertiser_id: AdvertiserId,
    /// External id of the affiliate that sent the call.
    pub affiliate_external_id: Option<String>,
    /// Promo number that was called, if it still exists.
    pub promo_number: Option<PhoneNumber>,
    /// State of the call while it is live.
    pub live: Option<LiveCall>,
    /// Id and settlement of its latest transaction.
    pub latest_transaction: Option<(TransactionId, Settlement)>,
}

/// Scope of a list of calls, by ids: calls that match any of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallScope {
    /// Calls of a network.
    pub network_id: Option<NetworkId>,
    /// Calls of a campaign.
    pub campaign_id: Option<CampaignId>,
    /// Calls of campaigns of these advertisers.
    pub advertiser_ids: Vec<AdvertiserId>,
    /// Calls sent by these affiliates.
    pub affiliate_ids: Vec<AffiliateId>,
}

/// Filter of a list of calls: calls that match all of the given fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallRowFilter {
    /// Only calls of this campaign, by id.
    pub campaign_id: Option<CampaignId>,
    /// Only live calls, or only ended ones.
    pub live: Option<bool>,
    /// Only calls of campaigns of this advertiser, by id.
    pub advertiser_id: Option<AdvertiserId>,
    /// Only calls sent by this affiliate, by id.
    pub affiliate_id: Option<AffiliateId>,
    /// Only calls with this external id.
    pub external_id: Option<String>,
    /// Only calls from this number, in E.164 format.
    pub caller: Option<String>,
    /// Only calls to this promo number, in E.164 format.
    pub promo_number: Option<String>,
    /// Only calls with this outcome by their latest transaction.
    pub outcome: Option<Outcome>,
    /// Only calls that were rejected for this reason.
    pub reason: Option<RejectionReason>,
    /// Only connected calls that exceeded their time limit, and whose connect duration is not known.
    pub is_incomplete: bool,
    /// Only calls that started at this time or later.
    pub from: Option<Timestamp>,
    /// Only calls that started before this time.
    pub before: Option<Timestamp>,
}

/// SELECT of the columns of a record, in given tables.
fn select_record_in(Tables { calls, transactions, .. }: &Tables) -> String {
    select_record_from(&format!("{calls} c"), transactions, "")
}

/// SELECT of the columns of a record, where `calls` is a table expression with the alias `c` and
/// `same` an additional condition on the start time of transactions.
fn select_record_from(calls: &str, transactions: &str, same: &str) -> String {
    format!(
        "SELECT c.id, c.network_id, c.campaign_id, c.affiliate_id, c.promo_number_id,
    c.external_id, c.complete_call_id, c.terms_id, c.start_time, c.body, c.created_at, c.ended_at,
    k.id_from_network, k.advertiser_id, f.id_from_network,
    COALESCE(p.number, (SELECT h.number FROM promo_number_holdings h
        WHERE h.promo_number_id = c.promo_number_id LIMIT 1)), l.state, t.id, t.body
    FROM {calls} JOIN campaigns k ON k.id = c.campaign_id
    LEFT JOIN parties f ON f.id = c.affiliate_id
    LEFT JOIN promo_numbers p ON p.id = c.promo_number_id
    LEFT JOIN live_calls l ON l.call_id = c.id
    LEFT JOIN {transactions} t
        ON t.id = (SELECT MAX(t.id) FROM {transactions} t WHERE t.call_id = c.id {same}) {same}"
    )
}

fn record_from_row(row: &Row<'_>) -> Result<CallRecord, Error> {
    let number: Option<String> = row.get(15)?;
    let live: Option<String> = row.get(16)?;
    let settled = match row.get::<Option<TransactionId>>(17)? {
        Some(id) => Some((id, from_json(&row.get::<String>(18)?, "transaction")?)),
        None => None,
    };
    Ok(CallRecord {
        call: call_from_row(row)?,
        campaign_external_id: row.get(12)?,
        advertiser_id: row.get(13)?,
        affiliate_external_id: row.get(14)?,
        promo_number: number
            .map(|number| or_unreadable(PhoneNumber::parse(&number), "promo number"))
            .transpose()?,
        live: live.map(|state| from_json(&state, "live call")).transpose()?,
        latest_transaction: settled,
    })
}

/// Condition on calls (`c`) for the cursor and the filter of a page.
const PAGE_CONDITION: &str = "c.id > ?2 AND (CAST(?4 AS BIGINT) IS NULL OR c.campaign_id = ?4)";

/// Condition that names every parameter of a page's statement: each must occur in it.
const ALL_PARAMETERS: &str = "CAST(?1 AS BIGINT) IS NULL AND CAST(?5 AS BIGINT) IS NULL
    AND CAST(?6 AS TEXT) IS NULL AND CAST(?7 AS TEXT) IS NULL AND CAST(?8 AS BIGINT) IS NULL
    AND CAST(?9 AS BIGINT) IS NULL AND CAST(?10 AS TEXT) IS NULL AND CAST(?11 AS TEXT) IS NULL
    AND CAST(?12 AS TEXT) IS NULL AND CAST(?13 AS TEXT) IS NULL AND CAST(?14 AS TEXT) IS NULL
    AND CAST(?15 AS BIGINT) IS NULL AND CAST(?16 AS BIGINT) IS NULL";

impl UnitOfWork<'_> {
    /// Same as [`UnitOfWork::has_called_before`], among the calls of some affiliates.
    pub fn has_called_affiliates_before(
        &mut self,
        query: &RepeatCallerQuery,
        affiliates: &[AffiliateId],
    ) -> Result<bool, Error> {
        let campaign = self.callers_index_campaign();
        let listed = self.json_ids_sql("?5");
        self.exists(
            &format!(
                "SELECT 1 FROM calls WHERE {campaign} = ?1 AND caller = ?2
                 AND start_time >= ?3 AND start_time <= ?4 AND affiliate_id IN {listed}"
            ),
            params![
                query.campaign_id,
                query.caller,
                to_millis(query.from),
                to_millis(query.until),
                to_json_ids(affiliates)?
            ],
        )
    }

    /// One page of the ids of calls in a scope, in order, by one statement.
    pub fn call_ids(
        &mut self,
        of: &CallScope,
        filter: &CallRowFilter,
        page: Page,
    ) -> Result<Vec<CallId>, Error> {
        let advertisers = self.json_ids_sql("?6");
        let affiliates = self.json_ids_sql("?7");
        let mut selects = Vec::new();
        if of.network_id.is_some() {
            selects.push(self.select_calls_where("c.network_id = ?1", filter));
        }
        if of.campaign_id.is_some() {
            selects.push(self.select_calls_where("c.campaign_id = ?5", filter));
        }
        if !of.advertiser_ids.is_empty() {
            let owner_condition = format!("k.advertiser_id IN {advertisers}");
            selects.push(self.select_calls_per_row(
                "campaign_id",
                "campaigns",
                &owner_condition,
                filter,
            ));
        }
        if !of.affiliate_ids.is_empty() {
            let owner_condition = format!("k.id IN {affiliates}");
            selects.push(self.select_calls_per_row(
                "affiliate_id",
                "parties",
                &owner_condition,
                filter,
            ));
        }
        if selects.is_empty() {
            return Ok(Vec::new());
        }
        let selects = selects.join(" UNION ");
        self.query_page(
            page,
            &format!(
                "SELECT id FROM ({selects} UNION SELECT id FROM campaigns WHERE id = 0 AND {ALL_PARAMETERS}) u
                 ORDER BY id LIMIT ?3"
            ),
            params![
                of.network_id,
                page.after,
                page.limit,
                filter.campaign_id,
                of.campaign_id,
                to_json_ids(&of.advertiser_ids)?,
                to_json_ids(&of.affiliate_ids)?,
                filter.advertiser_id,
                filter.affiliate_id,
                filter.external_id,
                filter.caller,
                filter.promo_number,
                filter.outcome.map(Outcome::as_str),
                filter.reason.map(RejectionReason::as_str),
                filter.from.map(to_millis),
                filter.before.map(to_millis),
            ],
            |row| row.get(0),
        )
    }

    /// SELECT of a page of calls that meet a condition.
    fn select_calls_where(&self, condition: &str, filter: &CallRowFilter) -> String {
        // Few calls are live at once, so the search starts from `live_calls`.
        let (from, ended) = match filter.live {
            Some(true) if self.is_postgres() => (
                "live_calls l JOIN call_keys y ON y.call_id = l.call_id
                 JOIN calls c ON c.id = y.call_id AND c.start_time = y.start_time",
                "l.call_id > ?2",
            ),
            Some(true) => ("live_calls l JOIN calls c ON c.id = l.call_id", "l.call_id > ?2"),
            Some(false) => ("calls c", "c.ended_at IS NOT NULL"),
            None => ("calls c", "c.id > ?2"),
        };
        format!(
            "SELECT id FROM (SELECT c.id FROM {from}
             WHERE {condition} AND {ended} AND {PAGE_CONDITION}{} ORDER BY c.id LIMIT ?3) p",
            self.filter_conditions(filter)
        )
    }

    /// SQL conditions for the given fields of a filter, each after `AND`. A field that is not given has
    /// none, so that an index of the others can be used.
    fn filter_conditions(&self, filter: &CallRowFilter) -> String {
        let latest_body = "(SELECT t.body FROM transactions t WHERE t.call_id = c.id
            AND t.start_time = c.start_time ORDER BY t.id DESC LIMIT 1)";
        let latest = match self.is_postgres() {
            true => format!("CAST({latest_body} AS json)"),
            false => latest_body.to_owned(),
        };
        let incomplete = format!(
            "{latest} ->> 'end' = 'time_limit' AND {latest} ->> 'outcome' = 'connected'
             AND {latest} ->> 'connect_duration' IS NULL"
        );
        let (by_external_id, outcome) = match self.is_postgres() {
            true => (
                "c.id IN (SELECT call_id FROM call_keys WHERE network_id = c.network_id
                    AND external_id = ?10)",
                format!("CAST({latest_body} AS json) ->> 'outcome' = ?13"),
            ),
            false => ("c.external_id = ?10", format!("{latest_body} ->> 'outcome' = ?13")),
        };
        let of_advertiser = "c.campaign_id IN (SELECT id FROM campaigns WHERE advertiser_id = ?8)";
        let to_promo_number = "c.promo_number_id IN (SELECT promo_number_id
            FROM promo_number_holdings WHERE network_id = c.network_id AND number = ?12)";
        let conditions = [
            (filter.advertiser_id.is_some(), of_advertiser),
            (filter.affiliate_id.is_some(), "c.affiliate_id = ?9"),
            (filter.external_id.is_some(), by_external_id),
            (filter.caller.is_some(), "c.caller = ?11"),
            (filter.promo_number.is_some(), to_promo_number),
            (filter.outcome.is_some(), outcome.as_str()),
            (filter.is_incomplete, incomplete.as_str()),
            (filter.reason.is_some(), "c.turned_away = ?14"),
            (filter.from.is_some(), "c.start_time >= ?15"),
            (filter.before.is_some(), "c.start_time < ?16"),
        ];
        let given = conditions.into_iter().filter(|(is_given, _)| *is_given);
        given.map(|(_, condition)| format!(" AND {condition}")).collect()
    }

    /// SELECT of a page of the calls of each row of a table (`k`), by one index scan for each row.
    /// Its cost depends on the number of rows and not on the number of their calls.
    fn select_calls_per_row(
        &self,
        column: &str,
        table: &str,
        owner_condition: &str,
        filter: &CallRowFilter,
    ) -> String {
        if filter.live == Some(true) {
            let those =
                format!("c.{column} IN (SELECT k.id FROM {table} k WHERE {owner_condition})");
            return self.select_calls_where(&those, filter);
        }
        let page = self.select_calls_where(&format!("c.{column} = k.id"), filter);
        if self.is_postgres() {
            return format!(
                "SELECT i.id FROM {table} k CROSS JOIN LATERAL ({page}) i WHERE {owner_condition}"
            );
        }
        // SQLite does not reorder a CROSS JOIN.
        format!(
            "SELECT i.id FROM {table} k CROSS JOIN calls i WHERE {owner_condition} AND i.id IN ({page})"
        )
    }

    /// Call of a network with the data that is shown with it.
    pub fn call_record(
        &mut self,
        network: NetworkId,
        id: CallId,
    ) -> Result<Option<CallRecord>, Error> {
        let Some(tables) = self.tables_of_call("call_id = ?1", [id])? else { return Ok(None) };
        let sql = format!("{} WHERE c.id = ?2 AND c.network_id = ?1", select_record_in(&tables));
        self.query_first(&sql, params![network, id], record_from_row)
    }

    /// Calls of a network with the data that is shown with them, in the order of ids.
    pub fn call_records(
        &mut self,
        network: NetworkId,
        ids: &[CallId],
    ) -> Result<Vec<CallRecord>, Error> {
        let listed = self.json_ids_sql("?2");
        // The key of a call has its start time, which determines the partition.
        let (calls, same) = match self.is_postgres() {
            true => (
                "call_keys y JOIN calls c ON c.id = y.call_id AND c.start_time = y.start_time",
                "AND t.start_time = c.start_time",
            ),
            false => ("calls c", ""),
        };
        let id = if self.is_postgres() { "y.call_id" } else { "c.id" };
        let found = select_record_from(calls, "transactions", same);
        self.query_all(
            &format!("{found} WHERE c.network_id = ?1 AND {id} IN {listed} ORDER BY c.id"),
            params![network, to_json_ids(ids)?],
            record_from_row,
        )
    }
}
