//! Calls as they are shown: with the names of who has a part in them, and what they came to.

use super::calls::call;
use super::months::Tables;
use super::{Session, from_json, parsed};
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

/// Whose calls to list, by our ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallsOf {
    /// A network's.
    Network(i64),
    /// A campaign's.
    Campaign(i64),
    /// An affiliate's.
    Affiliate(i64),
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
    format!(
        "SELECT c.id, c.network_id, c.campaign_id, c.affiliate_id, c.promo_number_id,
    c.external_id, c.complete_call_id, c.terms_id, c.start_time, c.body, c.created_at, c.ended_at,
    k.id_from_network, k.advertiser_id, f.id_from_network, p.number, l.state, t.id, t.body
    FROM {calls} c JOIN campaigns k ON k.id = c.campaign_id
    LEFT JOIN parties f ON f.id = c.affiliate_id
    LEFT JOIN promo_numbers p ON p.id = c.promo_number_id
    LEFT JOIN live_calls l ON l.call_id = c.id
    LEFT JOIN {transactions} t ON t.id = (SELECT MAX(id) FROM {transactions} WHERE call_id = c.id)"
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

impl Session<'_> {
    /// One page of our ids of somebody's calls, in order.
    pub fn call_ids(
        &mut self,
        of: CallsOf,
        which: ListedCalls,
        page: Page,
    ) -> Result<Vec<i64>, Error> {
        let (column, id) = match of {
            CallsOf::Network(id) => ("network_id", id),
            CallsOf::Campaign(id) => ("campaign_id", id),
            CallsOf::Affiliate(id) => ("affiliate_id", id),
        };
        // Few calls are under way at once, so those are looked for among themselves.
        let (from, live) = match which.live {
            Some(true) if self.is_postgres() => (
                "live_calls l JOIN call_keys y ON y.call_id = l.call_id
                 JOIN calls c ON c.id = y.call_id AND c.start_time = y.start_time",
                "l.call_id > ?2",
            ),
            Some(true) => ("live_calls l JOIN calls c ON c.id = l.call_id", "l.call_id > ?2"),
            Some(false) => ("calls c", "c.id > ?2 AND c.ended_at IS NOT NULL"),
            None => ("calls c", "c.id > ?2"),
        };
        self.all(
            &format!(
                "SELECT c.id FROM {from} WHERE c.{column} = ?1 AND {live}
                 AND (CAST(?4 AS BIGINT) IS NULL OR c.campaign_id = ?4) ORDER BY c.id LIMIT ?3"
            ),
            params![id, page.after, page.limit, which.campaign],
            |row| row.get(0),
        )
    }

    /// A network's call, and what is shown with it.
    pub fn call_record(&mut self, network: i64, id: i64) -> Result<Option<CallRecord>, Error> {
        let Some(tables) = self.tables_of_call("call_id = ?1", [id])? else { return Ok(None) };
        let sql = format!("{} WHERE c.id = ?2 AND c.network_id = ?1", record_in(&tables));
        self.first(&sql, [network, id], record)
    }
}
