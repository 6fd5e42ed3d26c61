//! Ledger: the transactions of calls.

use super::bulk_insert::{ColumnType, InsertTarget, RowSink};
use super::partitions::Tables;
use super::{UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use std::ops::RangeInclusive;
use trunkline_domain::call::{LedgerAmount, RecordedFacts, Transaction};
use trunkline_domain::id::{
    AdvertiserId, AffiliateId, CampaignId, NetworkId, TermsId, TransactionId,
};
use trunkline_domain::phone::PhoneNumber;

/// Transaction with the names of the objects it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// Transaction.
    pub transaction: Transaction,
    /// Complete call id of its call.
    pub complete_call_id: String,
    /// Facts of the call as of this transaction.
    pub facts: RecordedFacts,
    /// Id of the campaign that took the call. A correction can have moved it to another one.
    pub call_campaign_id: CampaignId,
    /// Id of the terms that priced the call.
    pub terms_id: Option<TermsId>,
    /// Advertiser.
    pub advertiser: IdAndName,
    /// Campaign.
    pub campaign: IdAndName,
    /// Affiliate, if the call has one.
    pub affiliate: Option<IdAndName>,
    /// External id of the affiliate campaign, if it exists.
    pub affiliate_campaign_external_id: Option<String>,
    /// External id of the promo number that was called.
    pub promo_number_external_id: Option<String>,
    /// Promo number that was called.
    pub promo_number: Option<PhoneNumber>,
    /// Country of the terms that priced the call.
    pub country: Option<String>,
    /// True if a recording of the call is kept.
    pub has_recording: bool,
}

/// External id and name of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdAndName {
    /// External id.
    pub external_id: String,
    /// Name.
    pub name: String,
}

/// Scope of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerScope {
    /// All transactions of the network.
    Network,
    /// Transactions of an advertiser, by id.
    Advertiser(AdvertiserId),
    /// Transactions of an affiliate, by id.
    Affiliate(AffiliateId),
}

/// Filter of a ledger.
#[derive(Debug, Clone)]
pub struct LedgerFilter {
    /// Scope.
    pub scope: LedgerScope,
    /// Only calls that started at this time or later.
    pub from: Option<Timestamp>,
    /// Only calls that started at this time or earlier.
    pub to: Option<Timestamp>,
    /// Only transactions up to this id.
    pub max_id: Option<TransactionId>,
    /// Only the transaction with this id.
    pub transaction: Option<TransactionId>,
    /// Only transactions of this call.
    pub complete_call_id: Option<String>,
    /// Only the newest transaction of each call, if it is of this campaign.
    pub newest_of_campaign: Option<CampaignId>,
}

impl LedgerFilter {
    /// All transactions in a scope.
    pub fn for_scope(scope: LedgerScope) -> Self {
        Self {
            scope,
            from: None,
            to: None,
            max_id: None,
            transaction: None,
            complete_call_id: None,
            newest_of_campaign: None,
        }
    }

    /// SQL condition on the call, with `?6`, and the prefix that keeps the planner from using
    /// another index than that of the call.
    fn call_condition_sql(&self, is_postgres: bool) -> (&'static str, &'static str) {
        match self.complete_call_id {
            Some(_) if is_postgres => {
                ("call_id = (SELECT call_id FROM call_keys WHERE complete_call_id = ?6)", "+")
            }
            Some(_) => ("call_id = (SELECT id FROM calls WHERE complete_call_id = ?6)", "+"),
            None if self.newest_of_campaign.is_some() => ("CAST(?6 AS TEXT) IS NULL", "+"),
            None => ("CAST(?6 AS TEXT) IS NULL", ""),
        }
    }

    /// SQL condition on the campaign of the newest transactions, with `?10`, of the table `tx`.
    fn newest_condition_sql(&self) -> &'static str {
        match self.newest_of_campaign {
            Some(_) => {
                "campaign_id = ?10 AND start_time >= ?7 AND start_time <= ?8 AND NOT EXISTS (
                    SELECT 1 FROM transactions n WHERE n.corrects_id = tx.id
                    AND n.start_time = tx.start_time)"
            }
            None => "CAST(?10 AS BIGINT) IS NULL",
        }
    }
}

/// Columns of a new transaction.
const NEW_TRANSACTION: InsertTarget<16> = InsertTarget {
    name: "transactions",
    columns: [
        ("id", ColumnType::Integer),
        ("network_id", ColumnType::Integer),
        ("call_id", ColumnType::Integer),
        ("campaign_id", ColumnType::Integer),
        ("advertiser_id", ColumnType::Integer),
        ("affiliate_id", ColumnType::Integer),
        ("corrects_id", ColumnType::Integer),
        ("start_time", ColumnType::Integer),
        ("payin_currency", ColumnType::Text),
        ("payin", ColumnType::Integer),
        ("payin_delta", ColumnType::Integer),
        ("payout_currency", ColumnType::Text),
        ("payout", ColumnType::Integer),
        ("payout_delta", ColumnType::Integer),
        ("body", ColumnType::Text),
        ("created_at", ColumnType::Integer),
    ],
};

fn transaction_from_row(row: &Row<'_>) -> Result<Transaction, Error> {
    Ok(Transaction {
        id: row.get(0)?,
        network_id: row.get(1)?,
        call_id: row.get(2)?,
        campaign_id: row.get(3)?,
        advertiser_id: row.get(4)?,
        affiliate_id: row.get(5)?,
        corrects_id: row.get(6)?,
        start_time: timestamp_from_millis(row.get(7)?)?,
        settlement: from_json(&row.get::<String>(8)?, "transaction")?,
        created_at: timestamp_from_millis(row.get(9)?)?,
    })
}

fn ledger_row_from_row(row: &Row<'_>) -> Result<LedgerRow, Error> {
    let mut transaction = transaction_from_row(row)?;
    let named = |index: usize| -> Result<Option<IdAndName>, Error> {
        let id: Option<String> = row.get(index)?;
        let name: Option<String> = row.get(index + 1)?;
        Ok(id
            .zip(name)
            .map(|(id_from_network, name)| IdAndName { external_id: id_from_network, name }))
    };
    let corrected = transaction
        .settlement
        .correction
        .as_mut()
        .and_then(|correction| correction.recorded.clone());
    let recorded = match corrected {
        Some(recorded) => *recorded,
        None => from_json(&row.get::<String>(11)?, "call")?,
    };
    Ok(LedgerRow {
        transaction,
        complete_call_id: row.get(10)?,
        facts: recorded,
        terms_id: row.get(12)?,
        advertiser: or_unreadable(named(13)?, "advertiser")?,
        campaign: or_unreadable(named(15)?, "campaign")?,
        affiliate: named(17)?,
        affiliate_campaign_external_id: row.get(19)?,
        promo_number_external_id: row.get(20)?,
        promo_number: row.get::<Option<String>>(23)?.as_deref().and_then(PhoneNumber::parse),
        country: row.get(21)?,
        has_recording: row.get(24)?,
        call_campaign_id: row.get(22)?,
    })
}

fn to_cents(side: Option<&LedgerAmount>) -> Option<i64> {
    side.map(|side| side.amount.cents())
}

/// Passes the values of a transaction, whose deltas are relative to the one it corrects, to the
/// sink.
fn push_transaction(
    transaction: &Transaction,
    corrected: Option<&Transaction>,
    push: &mut RowSink<'_, 16>,
) -> Result<(), Error> {
    let payin = transaction.settlement.payin.as_ref();
    let payout = transaction.settlement.payout.as_ref();
    let before =
        |side: fn(&Transaction) -> Option<&LedgerAmount>| to_cents(corrected.and_then(side));
    // A transaction that reverses a whole payin keeps its currency.
    let currency = |side: fn(&Transaction) -> Option<&LedgerAmount>| {
        let known = side(transaction).or_else(|| corrected.and_then(side));
        known.map(|side| side.currency.as_str())
    };
    let payin_before = before(|transaction| transaction.settlement.payin.as_ref());
    let payout_before = before(|transaction| transaction.settlement.payout.as_ref());
    push(&params![
        transaction.id,
        transaction.network_id,
        transaction.call_id,
        transaction.campaign_id,
        transaction.advertiser_id,
        transaction.affiliate_id,
        transaction.corrects_id,
        to_millis(transaction.start_time),
        currency(|transaction| transaction.settlement.payin.as_ref()),
        to_cents(payin),
        to_cents(payin).unwrap_or(0) - payin_before.unwrap_or(0),
        currency(|transaction| transaction.settlement.payout.as_ref()),
        to_cents(payout),
        to_cents(payout).unwrap_or(0) - payout_before.unwrap_or(0),
        to_json(&transaction.settlement, "transaction")?,
        to_millis(transaction.created_at),
    ])
}

/// SQL condition that a recording of the call of a transaction `t` is kept.
const HAS_RECORDING: &str =
    "EXISTS (SELECT 1 FROM recordings r WHERE r.call_id = t.call_id AND r.state = 'available')";

/// SQL of a column of the promo number of a call `c`, also of a released one.
fn promo_number_column_sql(column: &str) -> String {
    format!(
        "COALESCE(p.{column}, (SELECT h.{column} FROM promo_number_holdings h
             WHERE h.promo_number_id = c.promo_number_id ORDER BY h.id DESC LIMIT 1))"
    )
}

impl UnitOfWork<'_> {
    /// Inserts transactions under ids from [`UnitOfWork::reserve_ids`], each with the one it corrects.
    pub fn insert_transactions<'t>(
        &mut self,
        rows: impl Iterator<Item = (&'t Transaction, Option<&'t Transaction>)>,
    ) -> Result<(), Error> {
        for (suffix, rows) in
            self.group_by_partition(rows, |(transaction, _)| to_millis(transaction.start_time))?
        {
            self.insert_rows(
                &NEW_TRANSACTION,
                &suffix,
                rows.into_iter(),
                |(row, corrected), push| push_transaction(row, corrected, push),
            )
            .inspect_err(|_| self.invalidate_partitions())?;
        }
        Ok(())
    }

    /// Number of calls of a campaign that started in a range, both ends included, by their newest
    /// transactions. At most `limit` are counted.
    pub fn count_calls_of_campaign(
        &mut self,
        campaign: CampaignId,
        range: RangeInclusive<Timestamp>,
        limit: u64,
    ) -> Result<u64, Error> {
        let count = self.query_first(
            "SELECT COUNT(*) FROM (SELECT 1 FROM transactions t WHERE t.campaign_id = ?1
                 AND t.start_time >= ?2 AND t.start_time <= ?3
                 AND NOT EXISTS (SELECT 1 FROM transactions n WHERE n.corrects_id = t.id
                     AND n.start_time = t.start_time) LIMIT ?4) counted",
            params![
                campaign,
                to_millis(*range.start()),
                to_millis(*range.end()),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            |row| row.get::<i64>(0),
        )?;
        or_unreadable(u64::try_from(count.unwrap_or(0)).ok(), "number of calls")
    }

    /// One page of a network's ledger, in the order of ids.
    pub fn ledger(
        &mut self,
        network: NetworkId,
        filter: &LedgerFilter,
        page: Page,
    ) -> Result<Vec<LedgerRow>, Error> {
        let tables = match (filter.transaction, &filter.complete_call_id) {
            (Some(id), _) => self.tables_of_transaction(id)?,
            (None, Some(id)) => self.tables_of_call("complete_call_id = ?1", [id])?,
            (None, None) => Some(Tables::parent_tables()),
        };
        let Some(Tables { calls, transactions, .. }) = tables else { return Ok(Vec::new()) };
        // The page is selected before the joins, by its one row or call or in the order of ids, so
        // that a list costs one pass at most. The unary plus keeps the planner from using another
        // index.
        let one =
            if filter.transaction.is_some() { "id = ?5" } else { "CAST(?5 AS BIGINT) IS NULL" };
        let (call, plain) = filter.call_condition_sql(self.is_postgres());
        let (owner_condition, party) = match filter.scope {
            LedgerScope::Network => ("CAST(?4 AS BIGINT) IS NULL".to_owned(), None),
            LedgerScope::Advertiser(id) => (format!("{plain}advertiser_id = ?4"), Some(id.get())),
            LedgerScope::Affiliate(id) => (format!("{plain}affiliate_id = ?4"), Some(id.get())),
        };
        let newest = filter.newest_condition_sql();
        let months = self.partition_condition_sql("start_time", "?7", "?8");
        let call_months = self.partition_condition_sql("c.start_time", "?7", "?8");
        let country = self.json_text_sql("s.body", "campaign_country");
        let [external_id, number] = ["id_from_network", "number"].map(promo_number_column_sql);
        let mut rows = self.query_all(
            &format!(
                "SELECT t.id, t.network_id, t.call_id, t.campaign_id, t.advertiser_id,
                 t.affiliate_id, t.corrects_id, t.start_time, t.body, t.created_at,
                 c.complete_call_id, c.body, c.terms_id, a.id_from_network, a.name,
                 k.id_from_network, k.name, f.id_from_network, f.name, m.id_from_network,
                 {external_id}, {country}, c.campaign_id, {number}, {HAS_RECORDING}
                 FROM (SELECT * FROM {transactions} tx WHERE {plain}network_id = ?1
                     AND {plain}id > ?2 AND {plain}id <= ?9 AND {owner_condition} AND {one} AND {call}
                     AND {newest}
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
                filter.from.map(to_millis),
                filter.to.map(to_millis),
                filter.max_id.map_or(i64::MAX, TransactionId::get),
                filter.newest_of_campaign,
            ],
            ledger_row_from_row,
        )?;
        for row in &mut rows {
            self.apply_attribution(row)?;
        }
        Ok(rows)
    }

    /// Replaces the terms and the promo number of a row whose call a correction moved. Such rows are
    /// few, so each is looked up.
    fn apply_attribution(&mut self, row: &mut LedgerRow) -> Result<(), Error> {
        let correction = row.transaction.settlement.correction.as_ref();
        let Some(attribution) = correction.and_then(|correction| correction.attribution) else {
            return Ok(());
        };
        let terms = match attribution.terms_id {
            Some(id) => self.terms_by_id(id)?,
            None => None,
        };
        row.terms_id = attribution.terms_id;
        row.country = terms.and_then(|terms| terms.campaign_country);
        row.promo_number = match attribution.promo_number_id {
            Some(id) => self.number_of_promo_number(id)?,
            None => None,
        };
        row.promo_number_external_id = match attribution.promo_number_id {
            None => None,
            Some(id) => self.query_first(
                "SELECT COALESCE((SELECT p.id_from_network FROM promo_numbers p WHERE p.id = ?1),
                     (SELECT h.id_from_network FROM promo_number_holdings h
                      WHERE h.promo_number_id = ?1 ORDER BY h.id DESC LIMIT 1))",
                [id],
                |row| row.get(0),
            )?,
        };
        Ok(())
    }

    /// Lowest and highest id of the transactions in the scope and the time range of a filter;
    /// `None` if there are none.
    pub fn ledger_id_range(
        &mut self,
        network: NetworkId,
        filter: &LedgerFilter,
    ) -> Result<Option<RangeInclusive<TransactionId>>, Error> {
        let (owner_condition, id) = match filter.scope {
            LedgerScope::Network => ("network_id", network.get()),
            LedgerScope::Advertiser(id) => ("advertiser_id", id.get()),
            LedgerScope::Affiliate(id) => ("affiliate_id", id.get()),
        };
        let found = self.query_first(
            &format!(
                "SELECT MIN(id), MAX(id) FROM transactions
                 WHERE {owner_condition} = ?1 AND start_time >= ?2 AND start_time <= ?3"
            ),
            params![
                id,
                filter.from.map_or(i64::MIN, to_millis),
                filter.to.map_or(i64::MAX, to_millis),
            ],
            |row| Ok((row.get::<Option<TransactionId>>(0)?, row.get::<Option<TransactionId>>(1)?)),
        )?;
        Ok(found.and_then(|(first, last)| first.zip(last)).map(|(first, last)| first..=last))
    }

    /// Id of the transaction that corrects a transaction.
    pub fn correction_id(
        &mut self,
        transaction: &Transaction,
    ) -> Result<Option<TransactionId>, Error> {
        self.query_first(
            "SELECT id FROM transactions WHERE corrects_id = ?1 AND start_time = ?2",
            params![transaction.id, to_millis(transaction.start_time)],
            |row| row.get(0),
        )
    }
}
