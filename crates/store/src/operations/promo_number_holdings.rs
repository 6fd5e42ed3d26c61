//! Holdings of promo numbers: who had which number, from when until when.

use super::{
    UnitOfWork, ValidityPeriod, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis,
};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use serde_json::json;
use trunkline_domain::id::{NetworkId, PromoNumberId};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::promo::{PromoNumber, PromoNumberHolding};

impl UnitOfWork<'_> {
    /// Holdings of numbers of a network that overlap a closed interval, with their periods of
    /// validity, oldest first. One statement for all numbers.
    pub fn promo_number_holdings(
        &mut self,
        network: NetworkId,
        numbers: &[&str],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ValidityPeriod<PromoNumberHolding>>, Error> {
        let listed = if self.is_postgres() {
            "(SELECT json_array_elements_text(CAST(CAST(?2 AS TEXT) AS json)))"
        } else {
            "(SELECT value FROM json_each(?2))"
        };
        self.query_all(
            &format!(
                "SELECT promo_number_id, number, campaign_id, affiliate_id, description, media_type,
                     custom_data, starts_at, ends_at
                 FROM promo_number_holdings WHERE network_id = ?1 AND number IN {listed}
                 AND starts_at <= ?4 AND (ends_at IS NULL OR (ends_at > ?3 AND ends_at > starts_at))
                 ORDER BY starts_at, id"
            ),
            params![network, json!(numbers).to_string(), to_millis(from), to_millis(until)],
            |row| {
                let number = PhoneNumber::parse(row.get(1)?);
                Ok(ValidityPeriod {
                    from: timestamp_from_millis(row.get(7)?)?,
                    until: row.get::<Option<i64>>(8)?.map(timestamp_from_millis).transpose()?,
                    value: PromoNumberHolding {
                        promo_number_id: row.get(0)?,
                        number: or_unreadable(number, "promo number")?,
                        campaign_id: row.get(2)?,
                        affiliate_id: row.get(3)?,
                        description: row.get(4)?,
                        media_type: row.get(5)?,
                        custom_data: from_json(row.get(6)?, "custom data")?,
                    },
                })
            },
        )
    }

    /// Begins a holding of a promo number.
    pub(super) fn begin_holding(
        &mut self,
        promo_number: &PromoNumber,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO promo_number_holdings (network_id, promo_number_id, number,
             id_from_network, campaign_id, affiliate_id, description, media_type, custom_data,
             starts_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                promo_number.network_id,
                promo_number.id,
                promo_number.number.e164(),
                promo_number.external_id,
                promo_number.campaign_id,
                promo_number.affiliate_id,
                promo_number.description,
                promo_number.media_type,
                to_json(&promo_number.custom_data, "custom data")?,
                to_millis(at),
            ],
        )
    }

    /// Ends the current holding of a promo number. A sandbox's clock may have been set back to
    /// before the holding began: then it ends when it began.
    pub(super) fn end_holding(
        &mut self,
        promo_number: PromoNumberId,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "UPDATE promo_number_holdings
             SET ends_at = CASE WHEN starts_at > ?2 THEN starts_at ELSE ?2 END
             WHERE promo_number_id = ?1 AND ends_at IS NULL",
            params![promo_number, to_millis(at)],
        )
    }
}
