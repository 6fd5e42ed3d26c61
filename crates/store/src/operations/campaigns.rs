//! Advertiser campaigns and their terms.

use super::{
    NO_PARAMS, UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_json_ids,
    to_millis,
};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::campaign::{Campaign, CampaignStatus, CurrentTerms, Terms};
use trunkline_domain::id::{AdvertiserId, CampaignId, NetworkId, TermsId};
use trunkline_domain::name_skeleton::name_skeleton;

/// Columns of a campaign `c` and its current terms `t`.
macro_rules! columns {
    () => {
        "c.id, c.network_id, c.advertiser_id, c.id_from_network, c.name, c.status, c.future_terms, \
         c.custom_data, c.created_at, c.updated_at, t.id, t.went_live_at, t.body"
    };
}

pub(super) const CAMPAIGN_COLUMNS: &str = columns!();
pub(super) const SELECT_CAMPAIGN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM campaigns c LEFT JOIN terms t ON t.id = c.current_terms_id"
);

pub(super) fn campaign_from_row(row: &Row<'_>) -> Result<Campaign, Error> {
    let future: Option<String> = row.get(6)?;
    let current = match row.get::<Option<TermsId>>(10)? {
        None => None,
        Some(id) => Some(CurrentTerms {
            id,
            went_live_at: timestamp_from_millis(row.get(11)?)?,
            terms: from_json(&row.get::<String>(12)?, "terms")?,
        }),
    };
    Ok(Campaign {
        id: row.get(0)?,
        network_id: row.get(1)?,
        advertiser_id: row.get(2)?,
        external_id: row.get(3)?,
        name: row.get(4)?,
        status: or_unreadable(CampaignStatus::parse(&row.get::<String>(5)?), "campaign status")?,
        current_terms: current,
        future_terms: future.map(|body| from_json(&body, "terms")).transpose()?,
        custom_data: from_json(&row.get::<String>(7)?, "custom data")?,
        budget_totals: Default::default(),
        created_at: timestamp_from_millis(row.get(8)?)?,
        updated_at: timestamp_from_millis(row.get(9)?)?,
    })
}

fn future_json(campaign: &Campaign) -> Result<Option<String>, Error> {
    campaign.future_terms.as_ref().map(|terms| to_json(terms, "terms")).transpose()
}

impl UnitOfWork<'_> {
    /// Campaign, by external id.
    pub fn campaign(&mut self, network: NetworkId, id: &str) -> Result<Option<Campaign>, Error> {
        self.query_first(
            &format!("{SELECT_CAMPAIGN} WHERE c.network_id = ?1 AND c.id_from_network = ?2"),
            params![network, id],
            campaign_from_row,
        )
    }

    /// Campaign, by id.
    pub fn campaign_by_id(&mut self, id: CampaignId) -> Result<Option<Campaign>, Error> {
        self.query_first(&format!("{SELECT_CAMPAIGN} WHERE c.id = ?1"), [id], campaign_from_row)
    }

    /// One page of an advertiser's campaigns.
    pub fn campaigns(
        &mut self,
        advertiser: AdvertiserId,
        page: Page,
    ) -> Result<Vec<Campaign>, Error> {
        self.query_page(
            page,
            &format!(
                "{SELECT_CAMPAIGN} WHERE c.advertiser_id = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3"
            ),
            params![advertiser, page.after, page.limit],
            campaign_from_row,
        )
    }

    /// Campaigns, by ids, in the order of ids.
    pub fn campaigns_by_ids(&mut self, ids: &[CampaignId]) -> Result<Vec<Campaign>, Error> {
        let listed = self.json_ids_sql("?1");
        let sql = format!("{SELECT_CAMPAIGN} WHERE c.id IN {listed} ORDER BY c.id");
        self.query_all(&sql, [to_json_ids(ids)?], campaign_from_row)
    }

    /// Inserts a campaign that has never been live and returns its id.
    pub fn insert_campaign(&mut self, campaign: &Campaign) -> Result<CampaignId, Error> {
        self.insert(
            "INSERT INTO campaigns (network_id, advertiser_id, id_from_network, name, status,
             future_terms, custom_data, created_at, updated_at, name_skeleton)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                campaign.network_id,
                campaign.advertiser_id,
                campaign.external_id,
                campaign.name,
                campaign.status.as_str(),
                future_json(campaign)?,
                to_json(&campaign.custom_data, "custom data")?,
                to_millis(campaign.created_at),
                to_millis(campaign.updated_at),
                name_skeleton(&campaign.name),
            ],
        )
    }

    /// Updates a campaign's name, status, future terms and custom data.
    pub fn update_campaign(&mut self, campaign: &Campaign) -> Result<(), Error> {
        self.execute(
            "UPDATE campaigns SET name = ?2, status = ?3, future_terms = ?4, custom_data = ?5,
             updated_at = ?6, name_skeleton = ?7 WHERE id = ?1",
            params![
                campaign.id,
                campaign.name,
                campaign.status.as_str(),
                future_json(campaign)?,
                to_json(&campaign.custom_data, "custom data")?,
                to_millis(campaign.updated_at),
                name_skeleton(&campaign.name),
            ],
        )?;
        Ok(())
    }

    /// Inserts terms and makes them a campaign's current terms.
    pub fn activate_terms(
        &mut self,
        campaign: CampaignId,
        terms: Terms,
        now: Timestamp,
    ) -> Result<CurrentTerms, Error> {
        let id = self.insert(
            "INSERT INTO terms (campaign_id, body, went_live_at) VALUES (?1, ?2, ?3)",
            params![campaign, to_json(&terms, "terms")?, to_millis(now)],
        )?;
        self.execute(
            "UPDATE campaigns SET current_terms_id = ?2 WHERE id = ?1",
            params![campaign, id],
        )?;
        Ok(CurrentTerms { id, went_live_at: now, terms })
    }

    /// Generates an external id, a decimal string, that no campaign of the network has.
    pub fn generate_campaign_id(&mut self, network: NetworkId) -> Result<String, Error> {
        self.generate_external_id(
            "campaigns",
            "SELECT 1 FROM campaigns WHERE network_id = ?1 AND id_from_network = ?2 AND ?3 = ''",
            network,
            "",
        )
    }

    /// Generates an external id: the first decimal string, counted from a table's next id, for
    /// which the query `is_taken` (with network, id, word) finds no row.
    pub(super) fn generate_external_id(
        &mut self,
        table: &'static str,
        is_taken: &str,
        network: NetworkId,
        word: &str,
    ) -> Result<String, Error> {
        let last = match self.is_postgres() {
            true => self.query_first(
                &format!(
                    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq"
                ),
                NO_PARAMS,
                |row| row.get::<i64>(0),
            ),
            false => {
                let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
                self.query_first(sql, [table], |row| row.get::<i64>(0))
            }
        }?;
        let mut next = last.unwrap_or(0) + 1;
        while self.exists(is_taken, params![network, next.to_string(), word])? {
            next += 1;
        }
        Ok(next.to_string())
    }
}
