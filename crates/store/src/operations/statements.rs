//! What a party's transactions come to.

use super::{Named, Session, millis, parsed};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::money::Currency;
use trunkline_domain::party::PartyKind;

/// Calls in one currency, and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementTotals {
    /// The currency; `None` for calls that nothing was agreed for.
    pub currency: Option<Currency>,
    /// Calls.
    pub calls: i64,
    /// Calls that something is paid for.
    pub paid_calls: i64,
    /// What is paid, in cents.
    pub amount: i64,
    /// Corrections of these calls.
    pub corrections: i64,
    /// What the corrections added to what was first paid, in cents; less than nothing where they
    /// took away.
    pub difference: i64,
}

impl StatementTotals {
    /// Adds others of the same currency.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.paid_calls += other.paid_calls;
        self.amount += other.amount;
        self.corrections += other.corrections;
        self.difference += other.difference;
    }
}

/// A campaign's line in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The campaign.
    pub campaign: Named,
    /// What its calls come to.
    pub totals: StatementTotals,
}

impl Session<'_> {
    /// What the calls of a party (by our id) that started in a time come to, by their newest rows:
    /// a line for each campaign and currency, by our ids of the campaigns. An advertiser's lines
    /// are payins, an affiliate's payouts. Calls that were turned away are in the currency that
    /// their terms agree on.
    pub fn statement(
        &mut self,
        kind: PartyKind,
        party: i64,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<StatementLine>, Error> {
        let (whose, side, pricing) = match kind {
            PartyKind::Advertiser => ("advertiser_id", "payin", "advertiser_payin"),
            PartyKind::Affiliate => ("affiliate_id", "payout", "affiliate_payout"),
        };
        let agreed = self.json_text("s.body", &format!("{pricing}.policies[0].currency"));
        // A call and its rows have one time, and are in one month.
        let same = |of: &str| {
            format!(
                "{of}.start_time = t.start_time AND {of}.start_time >= ?2 AND {of}.start_time < ?3"
            )
        };
        let (of_call, of_row) = (same("c"), same("o"));
        self.all(
            &format!(
                "SELECT k.id_from_network, k.name, n.currency, COUNT(*),
                 COUNT(CASE WHEN n.amount > 0 THEN 1 END), CAST(SUM(n.amount) AS BIGINT),
                 CAST(SUM(n.corrections) AS BIGINT), CAST(SUM(n.amount - n.first) AS BIGINT)
                 FROM (SELECT t.campaign_id, COALESCE(t.{side}, 0) AS amount,
                     COALESCE(t.{side}_currency,
                         (SELECT {agreed} FROM calls c JOIN terms s ON s.id = c.terms_id
                         WHERE c.id = t.call_id AND {of_call})) AS currency,
                     CASE WHEN t.corrects_id IS NULL THEN 0 ELSE (SELECT COUNT(*)
                         FROM transactions o WHERE o.call_id = t.call_id AND {of_row}
                         AND o.corrects_id IS NOT NULL) END AS corrections,
                     CASE WHEN t.corrects_id IS NULL THEN COALESCE(t.{side}, 0)
                         ELSE COALESCE((SELECT o.{side} FROM transactions o
                         WHERE o.call_id = t.call_id AND {of_row} AND o.corrects_id IS NULL), 0) END AS first
                     FROM transactions t
                     WHERE t.{whose} = ?1 AND t.start_time >= ?2 AND t.start_time < ?3
                     AND NOT EXISTS (SELECT 1 FROM transactions o
                         WHERE o.corrects_id = t.id AND {of_row})) n
                 JOIN campaigns k ON k.id = n.campaign_id
                 GROUP BY k.id, k.id_from_network, k.name, n.currency ORDER BY k.id, n.currency IS NOT NULL, n.currency"
            ),
            params![party, millis(from), millis(before)],
            |row| {
                let currency: Option<String> = row.get(2)?;
                let currency = currency.map(|word| parsed(Currency::parse(&word), "currency"));
                Ok(StatementLine {
                    campaign: Named { id_from_network: row.get(0)?, name: row.get(1)? },
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
