//! Calls as they are shown: with the names of who has a part in them, and what they came to.

use super::calls::call;
use super::months::Tables;
use super::{Session, from_json, parsed, to_ids};
use crate::sql::{Row, params};
use crate::{Error, Page};
use trunkline_domain::call::{Call, Live, Settlement};
use trunkline_domain::phone::PhoneNumber;

/// A call, and what is shown with it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The call itself.
    pub call: Call,
    /// Its campaign, by the network's id.
    pub campaign: String,
    /// Whose campaign that is, ours.
    pub advertiser_id: i64,
    /// The affiliate that brought it, by the network's id.
    pub affiliate: Option<String>,
    /// The promo number it came in by, while the campaign has it.
    pub promo_number: Option<PhoneNumber>,
    /// Where it is, while it is under way.
    pub live: Option<Live>,
    /// What it came to: our id of the newest transaction, and what that says.
    pub settled: Option<(i64, Settlement)>,
}

/// Whose calls to list, by our ids: those of any of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsOf {
    /// A network's.
    pub network: Option<i64>,
    /// A campaign's.
    pub campaign: Option<i64>,
    /// Those of advertisers' campaigns.
    pub advertisers: Vec<i64>,
    /// Those that affiliates brought.
    pub affiliates: Vec<i64>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListedCalls {
    /// Only a campaign's, by our id.
    pub campaign: Option<i64>,
    /// Only those that are under way, or only those that are over.
    pub live: Option<bool>,
}

/// A record's columns, in a call's tables.
fn record_in(Tables { calls, transactions, .. }: &Tables) -> String {
    record_from(&format!("{calls} c"), transactions, "")
}

/// The same, where the call is `c`; `same` is what is known of the time of its transactions besides.
fn record_from(calls: &str, transactions: &str, same: &str) -> String {
    format!(
        "SELECT c.id, c.network_id, c.campaign_id, c.affiliate_id, c.promo_number_id,
    c.external_id, c.complete_call_id, c.terms_id, c.start_time, c.body, c.created_at, c.ended_at,
    k.id_from_network, k.advertiser_id, f.id_from_network, p.number, l.state, t.id, t.body
    FROM {calls} JOIN campaigns k ON k.id = c.campaign_id
    LEFT JOIN parties f ON f.id = c.affiliate_id
    LEFT JOIN promo_numbers p ON p.id = c.promo_number_id
    LEFT JOIN live_calls l ON l.call_id = c.id
    LEFT JOIN {transactions} t
        ON t.id = (SELECT MAX(t.id) FROM {transactions} t WHERE t.call_id = c.id {same}) {same}"
    )
}

fn record(row: &Row<'_>) -> Result<CallRecord, Error> {
    let number: Option<String> = row.get(15)?;
    let live: Option<String> = row.get(16)?;
    let settled = match row.get::<Option<i64>>(17)? {
        Some(id) => Some((id, from_json(&row.get::<String>(18)?, "transaction")?)),
        None => None,
    };
    Ok(CallRecord {
        call: call(row)?,
        campaign: row.get(12)?,
        advertiser_id: row.get(13)?,
        affiliate: row.get(14)?,
        promo_number: number
            .map(|number| parsed(PhoneNumber::parse(&number), "promo number"))
            .transpose()?,
        live: live.map(|state| from_json(&state, "live call")).transpose()?,
        settled,
    })
}

/// Calls (`c`) of which there may be some on a page.
const ON_PAGE: &str = "c.id > ?2 AND (CAST(?4 AS BIGINT) IS NULL OR c.campaign_id = ?4)";

impl Session<'_> {
    /// One page of our ids of somebody's calls, in order: one statement, however many there are whose
    /// calls they may be.
    pub fn call_ids(
        &mut self,
        of: &CallsOf,
        which: ListedCalls,
        page: Page,
    ) -> Result<Vec<i64>, Error> {
        let (advertisers, affiliates) = (self.ids_in("?6"), self.ids_in("?7"));
        let mut parts = Vec::new();
        if of.network.is_some() {
            parts.push(self.calls_where("c.network_id = ?1", which.live));
        }
        if of.campaign.is_some() {
            parts.push(self.calls_where("c.campaign_id = ?5", which.live));
        }
        if !of.advertisers.is_empty() {
            let whose = format!("k.advertiser_id IN {advertisers}");
            parts.push(self.calls_of_each("campaign_id", "campaigns", &whose, which.live));
        }
        if !of.affiliates.is_empty() {
            let whose = format!("k.id IN {affiliates}");
            parts.push(self.calls_of_each("affiliate_id", "parties", &whose, which.live));
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        // Every parameter is named, so that each statement has as many as it is given.
        let given = "CAST(?1 AS BIGINT) IS NULL AND CAST(?5 AS BIGINT) IS NULL
            AND CAST(?6 AS TEXT) IS NULL AND CAST(?7 AS TEXT) IS NULL";
        let parts = parts.join(" UNION ");
        self.page(
            page,
            &format!(
                "SELECT id FROM ({parts} UNION SELECT id FROM campaigns WHERE id = 0 AND {given}) u
                 ORDER BY id LIMIT ?3"
            ),
            params![
                of.network,
                page.after,
                page.limit,
                which.campaign,
                of.campaign,
                to_ids(&of.advertisers)?,
                to_ids(&of.affiliates)?,
            ],
            |row| row.get(0),
        )
    }

    /// A page of the calls that a condition holds for.
    fn calls_where(&self, condition: &str, live: Option<bool>) -> String {
        // Few calls are under way at once, so those are looked for among themselves.
        let (from, ended) = match live {
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
             WHERE {condition} AND {ended} AND {ON_PAGE} ORDER BY c.id LIMIT ?3) p"
        )
    }

    /// A page of the calls of each of a table's rows (`k`), by an index for each: so a page costs as
    /// many looks as there are rows, however many calls they have.
    fn calls_of_each(&self, column: &str, table: &str, whose: &str, live: Option<bool>) -> String {
        if live == Some(true) {
            let those = format!("c.{column} IN (SELECT k.id FROM {table} k WHERE {whose})");
            return self.calls_where(&those, live);
        }
        let page = self.calls_where(&format!("c.{column} = k.id"), live);
        if self.is_postgres() {
            return format!(
                "SELECT i.id FROM {table} k CROSS JOIN LATERAL ({page}) i WHERE {whose}"
            );
        }
        // SQLite keeps the order of a CROSS JOIN.
        format!("SELECT i.id FROM {table} k CROSS JOIN calls i WHERE {whose} AND i.id IN ({page})")
    }

    /// A network's call, and what is shown with it.
    pub fn call_record(&mut self, network: i64, id: i64) -> Result<Option<CallRecord>, Error> {
        let Some(tables) = self.tables_of_call("call_id = ?1", [id])? else { return Ok(None) };
        let sql = format!("{} WHERE c.id = ?2 AND c.network_id = ?1", record_in(&tables));
        self.first(&sql, [network, id], record)
    }

    /// Calls of a network, and what is shown with them, in the order of our ids.
    pub fn call_records(&mut self, network: i64, ids: &[i64]) -> Result<Vec<CallRecord>, Error> {
        let listed = self.ids_in("?2");
        // By a call's key its month is known.
        let (calls, same) = match self.is_postgres() {
            true => (
                "call_keys y JOIN calls c ON c.id = y.call_id AND c.start_time = y.start_time",
                "AND t.start_time = c.start_time",
            ),
            false => ("calls c", ""),
        };
        let id = if self.is_postgres() { "y.call_id" } else { "c.id" };
        let found = record_from(calls, "transactions", same);
        self.all(
            &format!("{found} WHERE c.network_id = ?1 AND {id} IN {listed} ORDER BY c.id"),
            params![network, to_ids(ids)?],
            record,
        )
    }
}
