//! The ledger.

use super::{Session, from_json, millis, moment, to_json};
use crate::Error;
use crate::sql::{Row, params};
use trunkline_domain::call::{Side, Transaction};

const TRANSACTION: &str = "SELECT t.id, t.network_id, t.call_id, t.campaign_id, t.advertiser_id,
    t.affiliate_id, t.corrects_id, t.start_time, t.body, t.created_at FROM transactions t";

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

fn cents(side: Option<&Side>) -> Option<i64> {
    side.map(|side| side.amount.cents())
}

impl Session<'_> {
    /// Writes a row and returns our id. `replaced` is the row that it corrects.
    pub fn insert_transaction(
        &mut self,
        it: &Transaction,
        replaced: Option<&Transaction>,
    ) -> Result<i64, Error> {
        let (payin, payout) = (it.settlement.payin.as_ref(), it.settlement.payout.as_ref());
        let before = |side: fn(&Transaction) -> Option<&Side>| cents(replaced.and_then(side));
        let payin_before = before(|it| it.settlement.payin.as_ref());
        let payout_before = before(|it| it.settlement.payout.as_ref());
        self.insert(
            "INSERT INTO transactions (network_id, call_id, campaign_id, advertiser_id, affiliate_id,
             corrects_id, start_time, payin_currency, payin, payin_delta, payout_currency, payout,
             payout_delta, body, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                it.network_id,
                it.call_id,
                it.campaign_id,
                it.advertiser_id,
                it.affiliate_id,
                it.corrects_id,
                millis(it.start_time),
                payin.map(|side| side.currency.as_str()),
                cents(payin),
                cents(payin).unwrap_or(0) - payin_before.unwrap_or(0),
                payout.map(|side| side.currency.as_str()),
                cents(payout),
                cents(payout).unwrap_or(0) - payout_before.unwrap_or(0),
                to_json(&it.settlement, "transaction")?,
                millis(it.created_at),
            ],
        )
    }

    /// A network's transaction by our id.
    pub fn transaction(&mut self, network: i64, id: i64) -> Result<Option<Transaction>, Error> {
        self.first(
            &format!("{TRANSACTION} WHERE t.id = ?2 AND t.network_id = ?1"),
            [network, id],
            transaction,
        )
    }
}
