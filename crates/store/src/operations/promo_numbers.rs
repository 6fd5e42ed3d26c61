//! Inventory of a network's phone numbers, and the promo numbers assigned from it.

use super::{UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::id::{AffiliateId, CampaignId, NetworkId, PromoNumberId};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::promo::{PromoNumber, PromoType};

/// Columns of a promo number `n`.
macro_rules! columns {
    () => {
        "n.id, n.network_id, n.campaign_id, n.affiliate_id, n.id_from_network, n.number, \
         n.description, n.media_type, n.promo_type, n.adwords_account_id, n.custom_data, \
         n.created_at"
    };
}

pub(super) const PROMO_NUMBER_COLUMNS: &str = columns!();
pub(super) const SELECT_PROMO_NUMBER: &str =
    concat!("SELECT ", columns!(), " FROM promo_numbers n");

pub(super) fn promo_number_from_row(row: &Row<'_>) -> Result<PromoNumber, Error> {
    Ok(PromoNumber {
        id: row.get(0)?,
        network_id: row.get(1)?,
        campaign_id: row.get(2)?,
        affiliate_id: row.get(3)?,
        external_id: row.get(4)?,
        number: or_unreadable(PhoneNumber::parse(&row.get::<String>(5)?), "promo number")?,
        description: row.get(6)?,
        media_type: row.get(7)?,
        promo_type: row
            .get::<Option<&str>>(8)?
            .map(|text| or_unreadable(PromoType::parse(text), "promo type"))
            .transpose()?,
        adwords_account_id: row.get(9)?,
        custom_data: from_json(&row.get::<String>(10)?, "custom data")?,
        created_at: timestamp_from_millis(row.get(11)?)?,
    })
}

impl UnitOfWork<'_> {
    /// Adds a number to the inventory. Returns false if it is there already.
    pub fn insert_number(
        &mut self,
        network: NetworkId,
        number: &PhoneNumber,
    ) -> Result<bool, Error> {
        let added = self.execute_counted(
            "INSERT INTO numbers (network_id, number) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![network, number.e164()],
        )?;
        Ok(added == 1)
    }

    /// Unassigned number with a prefix in E.164 format that has been free the longest, and that
    /// became free at a moment or before. A number that was never assigned has been free the longest.
    pub fn longest_free_number(
        &mut self,
        network: NetworkId,
        prefix: &str,
        free_since: Timestamp,
    ) -> Result<Option<PhoneNumber>, Error> {
        self.query_first(
            "SELECT number FROM numbers WHERE network_id = ?1 AND promo_number_id IS NULL
             AND number >= ?2 AND number < ?3 AND free_since <= ?4
             ORDER BY free_since, number LIMIT 1",
            params![network, prefix, format!("{prefix}:"), to_millis(free_since)],
            |row| or_unreadable(PhoneNumber::parse(&row.get::<String>(0)?), "number"),
        )
    }

    /// Number of promo numbers of a campaign, or of one affiliate in it.
    pub fn count_promo_numbers(
        &mut self,
        campaign: CampaignId,
        affiliate: Option<AffiliateId>,
    ) -> Result<u32, Error> {
        let count = self.query_first(
            "SELECT COUNT(*) FROM promo_numbers WHERE campaign_id = ?1 AND affiliate_id IS NOT DISTINCT FROM ?2",
            params![campaign, affiliate],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Inserts a promo number, marks its phone number as assigned, begins its holding, and returns
    /// its id.
    pub fn insert_promo_number(
        &mut self,
        promo_number: &PromoNumber,
    ) -> Result<PromoNumberId, Error> {
        let id = self.insert(
            "INSERT INTO promo_numbers (network_id, campaign_id, affiliate_id, id_from_network,
             number, description, media_type, promo_type, adwords_account_id, custom_data, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                promo_number.network_id,
                promo_number.campaign_id,
                promo_number.affiliate_id,
                promo_number.external_id,
                promo_number.number.e164(),
                promo_number.description,
                promo_number.media_type,
                promo_number.promo_type.map(PromoType::as_str),
                promo_number.adwords_account_id,
                to_json(&promo_number.custom_data, "custom data")?,
                to_millis(promo_number.created_at),
            ],
        )?;
        self.execute(
            "UPDATE numbers SET promo_number_id = ?3 WHERE network_id = ?1 AND number = ?2",
            params![promo_number.network_id, promo_number.number.e164(), id],
        )?;
        let held = PromoNumber { id, ..promo_number.clone() };
        self.begin_holding(&held, promo_number.created_at)?;
        Ok(id)
    }

    /// Updates a promo number: all that a request can change.
    /// Its holding ends and the next one begins at the same moment.
    pub fn update_promo_number(
        &mut self,
        promo_number: &PromoNumber,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "UPDATE promo_numbers SET id_from_network = ?2, description = ?3, media_type = ?4,
             custom_data = ?5, campaign_id = ?6, affiliate_id = ?7, promo_type = ?8,
             adwords_account_id = ?9 WHERE id = ?1",
            params![
                promo_number.id,
                promo_number.external_id,
                promo_number.description,
                promo_number.media_type,
                to_json(&promo_number.custom_data, "custom data")?,
                promo_number.campaign_id,
                promo_number.affiliate_id,
                promo_number.promo_type.map(PromoType::as_str),
                promo_number.adwords_account_id,
            ],
        )?;
        self.end_holding(promo_number.id, now)?;
        self.begin_holding(promo_number, now)
    }

    /// Deletes a promo number, ends its holding, and releases its phone number.
    pub fn delete_promo_number(
        &mut self,
        promo_number: &PromoNumber,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "UPDATE numbers SET promo_number_id = NULL, free_since = ?3
             WHERE network_id = ?1 AND number = ?2",
            params![promo_number.network_id, promo_number.number.e164(), to_millis(now)],
        )?;
        self.end_holding(promo_number.id, now)?;
        self.execute("DELETE FROM promo_numbers WHERE id = ?1", [promo_number.id])?;
        Ok(())
    }

    /// One page of the promo numbers of a campaign, or of one affiliate in it.
    pub fn promo_numbers(
        &mut self,
        campaign: CampaignId,
        affiliate: Option<AffiliateId>,
        page: Page,
    ) -> Result<Vec<PromoNumber>, Error> {
        self.query_page(page,
            &format!(
                "{SELECT_PROMO_NUMBER} WHERE campaign_id = ?1 AND affiliate_id IS NOT DISTINCT FROM ?2 AND id > ?3
                 ORDER BY id LIMIT ?4"
            ),
            params![campaign, affiliate, page.after, page.limit],
            promo_number_from_row,
        )
    }

    /// Promo number of a network, by phone number.
    pub fn promo_number(
        &mut self,
        network: NetworkId,
        number: &PhoneNumber,
    ) -> Result<Option<PromoNumber>, Error> {
        self.query_first(
            &format!("{SELECT_PROMO_NUMBER} WHERE network_id = ?1 AND number = ?2"),
            params![network, number.e164()],
            promo_number_from_row,
        )
    }

    /// Number that callers dial of a promo number, also of a released one.
    pub fn number_of_promo_number(
        &mut self,
        id: PromoNumberId,
    ) -> Result<Option<PhoneNumber>, Error> {
        let found = self.query_first(
            "SELECT number FROM promo_number_holdings WHERE promo_number_id = ?1
             ORDER BY id DESC LIMIT 1",
            [id],
            |row| row.get::<String>(0),
        )?;
        Ok(found.as_deref().and_then(PhoneNumber::parse))
    }

    /// Promo number of a network, by external id.
    pub fn promo_number_by_external_id(
        &mut self,
        network: NetworkId,
        id: &str,
    ) -> Result<Option<PromoNumber>, Error> {
        self.query_first(
            &format!("{SELECT_PROMO_NUMBER} WHERE network_id = ?1 AND id_from_network = ?2"),
            params![network, id],
            promo_number_from_row,
        )
    }

    /// Generates an external id, a decimal string, that no promo number of the network has.
    pub fn generate_promo_number_id(&mut self, network: NetworkId) -> Result<String, Error> {
        self.generate_external_id(
            "promo_numbers",
            "SELECT 1 FROM promo_numbers
             WHERE network_id = ?1 AND id_from_network = ?2 AND ?3 = ''",
            network,
            "",
        )
    }
}
