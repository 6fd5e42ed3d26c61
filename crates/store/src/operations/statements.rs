//! Statements: totals of a party's transactions.

use super::{IdAndName, UnitOfWork, or_unreadable, to_millis};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::id::PartyId;
use trunkline_domain::money::Currency;
use trunkline_domain::party::PartyKind;

/// Totals of calls in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementTotals {
    /// Currency; `None` for calls without agreed terms.
    pub currency: Option<Currency>,
    /// Number of calls.
    pub calls: i64,
    /// Number of calls with a positive amount.
    pub paid_calls: i64,
    /// Sum of the amounts, in cents.
    pub amount: i64,
    /// Number of corrections of these calls.
    pub corrections: i64,
    /// Difference that the corrections made to the first amounts, in cents; negative where they
    /// reduced them.
    pub difference: i64,
}

impl StatementTotals {
    /// Adds totals of the same currency.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.paid_calls += other.paid_calls;
        self.amount += other.amount;
        self.corrections += other.corrections;
        self.difference += other.difference;
    }
}

/// Line of a statement, for one campaign and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// Campaign.
    pub campaign: IdAndName,
    /// Totals of its calls.
    pub totals: StatementTotals,
}

impl UnitOfWork<'_> {
    /// Statement of a party, by id, about the calls that started in a half-open interval, by their
    /// latest transactions. It has a line for each campaign and currency, in the order of campaign
    /// ids. Amounts are payins for an advertiser and payouts for an affiliate. Rejected calls count
    /// in the currency of their terms.
    pub fn statement(
        &mut self,
        kind: PartyKind,
        party: PartyId,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<StatementLine>, Error> {
        let (party_column, side, pricing) = match kind {
            PartyKind::Advertiser => ("advertiser_id", "payin", "advertiser_payin"),
            PartyKind::Affiliate => ("affiliate_id", "payout", "affiliate_payout"),
        };
        let agreed_currency =
            self.json_text_sql("s.body", &format!("{pricing}.policies[0].currency"));
        // A call and its transactions have the same start time, so they are in the same partition.
        let same_partition = |alias: &str| {
            format!(
                "{alias}.start_time = t.start_time AND {alias}.start_time >= ?2 AND {alias}.start_time < ?3"
            )
        };
        let call_partition = same_partition("c");
        let transaction_partition = same_partition("o");
        self.query_all(
            &format!(
                "SELECT k.id_from_network, k.name, n.currency, COUNT(*),
                 COUNT(CASE WHEN n.amount > 0 THEN 1 END), CAST(SUM(n.amount) AS BIGINT),
                 CAST(SUM(n.corrections) AS BIGINT), CAST(SUM(n.amount - n.first) AS BIGINT)
                 FROM (SELECT t.campaign_id, COALESCE(t.{side}, 0) AS amount,
                     COALESCE(t.{side}_currency,
                         (SELECT {agreed_currency} FROM calls c JOIN terms s ON s.id = c.terms_id
                         WHERE c.id = t.call_id AND {call_partition})) AS currency,
                     CASE WHEN t.corrects_id IS NULL THEN 0 ELSE (SELECT COUNT(*)
                         FROM transactions o WHERE o.call_id = t.call_id AND {transaction_partition}
                         AND o.corrects_id IS NOT NULL) END AS corrections,
                     CASE WHEN t.corrects_id IS NULL THEN COALESCE(t.{side}, 0)
                         ELSE COALESCE((SELECT o.{side} FROM transactions o
                         WHERE o.call_id = t.call_id AND {transaction_partition} AND o.corrects_id IS NULL), 0) END AS first
                     FROM transactions t
                     WHERE t.{party_column} = ?1 AND t.start_time >= ?2 AND t.start_time < ?3
                     AND NOT EXISTS (SELECT 1 FROM transactions o
                         WHERE o.corrects_id = t.id AND {transaction_partition})) n
                 JOIN campaigns k ON k.id = n.campaign_id
                 GROUP BY k.id, k.id_from_network, k.name, n.currency ORDER BY k.id, n.currency IS NOT NULL, n.currency"
            ),
            params![party, to_millis(from), to_millis(before)],
            |row| {
                let currency: Option<String> = row.get(2)?;
                let currency = currency.map(|word| or_unreadable(Currency::parse(&word), "currency"));
                Ok(StatementLine {
                    campaign: IdAndName { external_id: row.get(0)?, name: row.get(1)? },
                    totals: StatementTotals {
                        currency: currency.transpose()?,
                        calls: row.get(3)?,
                        paid_calls: row.get(4)?,
                        amount: row.get(5)?,
                        corrections: row.get(6)?,
                        difference: row.get(7)?,
                    },
                })
            },
        )
    }
}
