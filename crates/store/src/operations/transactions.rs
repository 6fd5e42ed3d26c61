//! The ledger.

use super::months::Tables;
use super::rows::{Kind, Put, Table};
use super::{Session, from_json, millis, moment, parsed, to_json};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::call::{Heard, Side, Transaction};
use trunkline_domain::timezone::ZoneName;

/// A row of the ledger with the names of all that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// The row itself.
    pub transaction: Transaction,
    /// What people call the call by.
    pub complete_call_id: String,
    /// What is known of the call as of this row.
    pub heard: Heard,
    /// The terms that priced the call, ours.
    pub terms_id: Option<i64>,
    /// Who pays in.
    pub advertiser: Named,
    /// The advertiser campaign.
    pub campaign: Named,
    /// Who is paid out.
    pub affiliate: Option<Named>,
    /// The network's id of the affiliate campaign, where there is one.
    pub affiliate_campaign: Option<String>,
    /// The network's id of the promo number, while it is there.
    pub promo_number: Option<String>,
    /// The zone of the terms that priced the call.
    pub zone: Option<ZoneName>,
    /// The country of the terms that priced the call.
    pub country: Option<String>,
}

/// How a network calls something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The network's id.
    pub id_from_network: String,
    /// The name.
    pub name: String,
}

/// Whose rows of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerOf {
    /// Everybody's.
    Network,
    /// An advertiser's, by our id.
    Advertiser(i64),
    /// An affiliate's, by our id.
    Affiliate(i64),
}

/// Which rows of a ledger.
#[derive(Debug, Clone)]
pub struct LedgerFilter {
    /// Whose.
    pub of: LedgerOf,
    /// Only calls that started at this moment or later.
    pub from: Option<Timestamp>,
    /// Only calls that started at this moment or before.
    pub to: Option<Timestamp>,
    /// Only rows up to this one, by our id.
    pub until: Option<i64>,
    /// Only this row, by our id.
    pub transaction: Option<i64>,
    /// Only this call's rows.
    pub complete_call_id: Option<String>,
}

impl LedgerFilter {
    /// Every row of somebody's.
    pub fn of(of: LedgerOf) -> Self {
        let (from, to, until) = (None, None, None);
        Self { of, from, to, until, transaction: None, complete_call_id: None }
    }
}

/// Where a row goes.
const TRANSACTIONS: Table<16> = Table {
    name: "transactions",
    columns: [
        ("id", Kind::Integer),
        ("network_id", Kind::Integer),
        ("call_id", Kind::Integer),
        ("campaign_id", Kind::Integer),
        ("advertiser_id", Kind::Integer),
        ("affiliate_id", Kind::Integer),
        ("corrects_id", Kind::Integer),
        ("start_time", Kind::Integer),
        ("payin_currency", Kind::Text),
        ("payin", Kind::Integer),
        ("payin_delta", Kind::Integer),
        ("payout_currency", Kind::Text),
        ("payout", Kind::Integer),
        ("payout_delta", Kind::Integer),
        ("body", Kind::Text),
        ("created_at", Kind::Integer),
    ],
};

pub(super) fn transaction(row: &Row<'_>) -> Result<Transaction, Error> {
    Ok(Transaction {
        id: row.get(0)?,
        network_id: row.get(1)?,
        call_id: row.get(2)?,
        campaign_id: row.get(3)?,
        advertiser_id: row.get(4)?,
        affiliate_id: row.get(5)?,
        corrects_id: row.get(6)?,
        start_time: moment(row.get(7)?)?,
        settlement: from_json(&row.get::<String>(8)?, "transaction")?,
        created_at: moment(row.get(9)?)?,
    })
}

fn ledger_row(row: &Row<'_>) -> Result<LedgerRow, Error> {
    let mut transaction = transaction(row)?;
    let named = |id: usize| -> Result<Option<Named>, Error> {
        let (id, name): (Option<String>, Option<String>) = (row.get(id)?, row.get(id + 1)?);
        let both = id.zip(name);
        Ok(both.map(|(id_from_network, name)| Named { id_from_network, name }))
    };
    let corrected = transaction.settlement.correction.as_mut().and_then(|it| it.heard.clone());
    let heard = match corrected {
        Some(heard) => *heard,
        None => from_json(&row.get::<String>(11)?, "call")?,
    };
    let zone: Option<String> = row.get(21)?;
    Ok(LedgerRow {
        transaction,
        complete_call_id: row.get(10)?,
        heard,
        terms_id: row.get(12)?,
        advertiser: parsed(named(13)?, "advertiser")?,
        campaign: parsed(named(15)?, "campaign")?,
        affiliate: named(17)?,
        affiliate_campaign: row.get(19)?,
        promo_number: row.get(20)?,
        zone: zone.and_then(|name| ZoneName::parse(&name)),
        country: row.get(22)?,
    })
}

fn cents(side: Option<&Side>) -> Option<i64> {
    side.map(|side| side.amount.cents())
}

/// A row, and the one that it corrects.
fn put_transaction(
    (it, replaced): (&Transaction, Option<&Transaction>),
    put: &mut Put<'_, 16>,
) -> Result<(), Error> {
    let (payin, payout) = (it.settlement.payin.as_ref(), it.settlement.payout.as_ref());
    let before = |side: fn(&Transaction) -> Option<&Side>| cents(replaced.and_then(side));
    // A row that takes a whole payin back still says of which currency.
    let currency = |side: fn(&Transaction) -> Option<&Side>| {
        let known = side(it).or_else(|| replaced.and_then(side));
        known.map(|side| side.currency.as_str())
    };
    let payin_before = before(|it| it.settlement.payin.as_ref());
    let payout_before = before(|it| it.settlement.payout.as_ref());
    put(&params![
        it.id,
        it.network_id,
        it.call_id,
        it.campaign_id,
        it.advertiser_id,
        it.affiliate_id,
        it.corrects_id,
        millis(it.start_time),
        currency(|it| it.settlement.payin.as_ref()),
        cents(payin),
        cents(payin).unwrap_or(0) - payin_before.unwrap_or(0),
        currency(|it| it.settlement.payout.as_ref()),
        cents(payout),
        cents(payout).unwrap_or(0) - payout_before.unwrap_or(0),
        to_json(&it.settlement, "transaction")?,
        millis(it.created_at),
    ])
}

impl Session<'_> {
    /// Writes rows under ids of [`Session::next_ids`], each with the row that it corrects.
    pub fn insert_transactions<'t>(
        &mut self,
        rows: impl Iterator<Item = (&'t Transaction, Option<&'t Transaction>)>,
    ) -> Result<(), Error> {
        for (part, rows) in self.by_month(rows, |(it, _)| millis(it.start_time))? {
            self.insert_rows((&TRANSACTIONS, &part), rows.into_iter(), put_transaction)
                .inspect_err(|_| self.forget_months())?;
        }
        Ok(())
    }

    /// One page of a network's ledger, by our ids, with the names of what its rows are about.
    pub fn ledger(
        &mut self,
        network: i64,
        filter: &LedgerFilter,
        page: Page,
    ) -> Result<Vec<LedgerRow>, Error> {
        let tables = match (filter.transaction, &filter.complete_call_id) {
            (Some(id), _) => self.tables_of_transaction(id)?,
            (None, Some(id)) => self.tables_of_call("complete_call_id = ?1", [id])?,
            (None, None) => Some(Tables::whole()),
        };
        let Some(Tables { calls, transactions, .. }) = tables else { return Ok(Vec::new()) };
        // A page is found before anything is joined to it: by its one row or call, else in the order
        // of ids, whatever the planner thinks of the time, so that a list costs one pass at most.
        let one =
            if filter.transaction.is_some() { "id = ?5" } else { "CAST(?5 AS BIGINT) IS NULL" };
        let (call, plain) = match filter.complete_call_id {
            Some(_) if self.is_postgres() => {
                ("call_id = (SELECT call_id FROM call_keys WHERE complete_call_id = ?6)", "+")
            }
            Some(_) => ("call_id = (SELECT id FROM calls WHERE complete_call_id = ?6)", "+"),
            None => ("CAST(?6 AS TEXT) IS NULL", ""),
        };
        let (whose, party) = match filter.of {
            LedgerOf::Network => ("CAST(?4 AS BIGINT) IS NULL".to_owned(), None),
            LedgerOf::Advertiser(id) => (format!("{plain}advertiser_id = ?4"), Some(id)),
            LedgerOf::Affiliate(id) => (format!("{plain}affiliate_id = ?4"), Some(id)),
        };
        let months = self.within_months("start_time", "?7", "?8");
        let call_months = self.within_months("c.start_time", "?7", "?8");
        let zone = self.json_text("s.body", "timezone");
        let country = self.json_text("s.body", "campaign_country");
        self.all(
            &format!(
                "SELECT t.id, t.network_id, t.call_id, t.campaign_id, t.advertiser_id,
                 t.affiliate_id, t.corrects_id, t.start_time, t.body, t.created_at,
                 c.complete_call_id, c.body, c.terms_id, a.id_from_network, a.name,
                 k.id_from_network, k.name, f.id_from_network, f.name, m.id_from_network,
                 p.id_from_network, {zone}, {country}
                 FROM (SELECT * FROM {transactions} WHERE {plain}network_id = ?1
                     AND {plain}id > ?2 AND {plain}id <= ?9 AND {whose} AND {one} AND {call}
                     AND (CAST(?7 AS BIGINT) IS NULL OR +start_time >= ?7)
                     AND (CAST(?8 AS BIGINT) IS NULL OR +start_time <= ?8){months}
                     ORDER BY id LIMIT ?3) t
                 JOIN {calls} c ON c.id = t.call_id AND c.start_time = t.start_time{call_months}
                 JOIN parties a ON a.id = t.advertiser_id
                 JOIN campaigns k ON k.id = t.campaign_id
                 LEFT JOIN parties f ON f.id = t.affiliate_id
                 LEFT JOIN affiliate_campaigns m
                     ON m.campaign_id = t.campaign_id AND m.affiliate_id = t.affiliate_id
                 LEFT JOIN promo_numbers p ON p.id = c.promo_number_id
                 LEFT JOIN terms s ON s.id = c.terms_id
                 ORDER BY t.id"
            ),
            params![
                network,
                page.after,
                page.limit,
                party,
                filter.transaction,
                filter.complete_call_id,
                filter.from.map(millis),
                filter.to.map(millis),
                filter.until.unwrap_or(i64::MAX),
            ],
            ledger_row,
        )
    }

    /// Our ids of the first and the last row that there is now of what a filter's time asks for;
    /// `None` where there is none.
    pub fn ledger_bounds(
        &mut self,
        network: i64,
        filter: &LedgerFilter,
    ) -> Result<Option<(i64, i64)>, Error> {
        let (whose, id) = match filter.of {
            LedgerOf::Network => ("network_id", network),
            LedgerOf::Advertiser(id) => ("advertiser_id", id),
            LedgerOf::Affiliate(id) => ("affiliate_id", id),
        };
        let found = self.first(
            &format!(
                "SELECT MIN(id), MAX(id) FROM transactions
                 WHERE {whose} = ?1 AND start_time >= ?2 AND start_time <= ?3"
            ),
            params![id, filter.from.map_or(i64::MIN, millis), filter.to.map_or(i64::MAX, millis),],
            |row| Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?)),
        )?;
        Ok(found.and_then(|(first, last)| first.zip(last)))
    }

    /// The row that corrects a row, by our id.
    pub fn correction_of(&mut self, it: &Transaction) -> Result<Option<i64>, Error> {
        self.first(
            "SELECT id FROM transactions WHERE corrects_id = ?1 AND start_time = ?2",
            [it.id, millis(it.start_time)],
            |row| row.get(0),
        )
    }
}
