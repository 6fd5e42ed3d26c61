//! Advertiser campaigns and their terms.

use super::{NONE, Session, from_json, millis, moment, parsed, to_ids, to_json};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::campaign::{Campaign, CampaignStatus, CurrentTerms, Terms};

pub(super) const CAMPAIGN: &str = "SELECT c.id, c.network_id, c.advertiser_id, c.id_from_network, c.name,
    c.status, c.future_terms, c.custom_data, c.created_at, c.updated_at, t.id, t.went_live_at, t.body
    FROM campaigns c LEFT JOIN terms t ON t.id = c.current_terms_id";

pub(super) fn campaign(row: &Row<'_>) -> Result<Campaign, Error> {
    let future: Option<String> = row.get(6)?;
    let current = match row.get::<Option<i64>>(10)? {
        None => None,
        Some(id) => Some(CurrentTerms {
            id,
            went_live_at: moment(row.get(11)?)?,
            terms: from_json(&row.get::<String>(12)?, "terms")?,
        }),
    };
    Ok(Campaign {
        id: row.get(0)?,
        network_id: row.get(1)?,
        advertiser_id: row.get(2)?,
        id_from_network: row.get(3)?,
        name: row.get(4)?,
        status: parsed(CampaignStatus::parse(&row.get::<String>(5)?), "campaign status")?,
        current,
        future: future.map(|body| from_json(&body, "terms")).transpose()?,
        custom_data: from_json(&row.get::<String>(7)?, "custom data")?,
        totals: Default::default(),
        created_at: moment(row.get(8)?)?,
        updated_at: moment(row.get(9)?)?,
    })
}

fn future_json(campaign: &Campaign) -> Result<Option<String>, Error> {
    campaign.future.as_ref().map(|terms| to_json(terms, "terms")).transpose()
}

impl Session<'_> {
    /// A campaign by the network's id.
    pub fn campaign(&mut self, network: i64, id: &str) -> Result<Option<Campaign>, Error> {
        self.first(
            &format!("{CAMPAIGN} WHERE c.network_id = ?1 AND c.id_from_network = ?2"),
            params![network, id],
            campaign,
        )
    }

    /// A campaign by our id.
    pub fn campaign_by_id(&mut self, id: i64) -> Result<Option<Campaign>, Error> {
        self.first(&format!("{CAMPAIGN} WHERE c.id = ?1"), [id], campaign)
    }

    /// One page of an advertiser's campaigns.
    pub fn campaigns(&mut self, advertiser: i64, page: Page) -> Result<Vec<Campaign>, Error> {
        self.page(
            page,
            &format!("{CAMPAIGN} WHERE c.advertiser_id = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3"),
            params![advertiser, page.after, page.limit],
            campaign,
        )
    }

    /// Campaigns by our ids, in order.
    pub fn campaigns_by_ids(&mut self, ids: &[i64]) -> Result<Vec<Campaign>, Error> {
        let listed = self.ids_in("?1");
        let sql = format!("{CAMPAIGN} WHERE c.id IN {listed} ORDER BY c.id");
        self.all(&sql, [to_ids(ids)?], campaign)
    }

    /// Stores a new campaign, never live, and returns our id.
    pub fn insert_campaign(&mut self, campaign: &Campaign) -> Result<i64, Error> {
        self.insert(
            "INSERT INTO campaigns (network_id, advertiser_id, id_from_network, name, status,
             future_terms, custom_data, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                campaign.network_id,
                campaign.advertiser_id,
                campaign.id_from_network,
                campaign.name,
                campaign.status.as_str(),
                future_json(campaign)?,
                to_json(&campaign.custom_data, "custom data")?,
                millis(campaign.created_at),
                millis(campaign.updated_at),
            ],
        )
    }

    /// Stores a campaign's name, status, future terms and custom data over what there was.
    pub fn update_campaign(&mut self, campaign: &Campaign) -> Result<(), Error> {
        self.execute(
            "UPDATE campaigns SET name = ?2, status = ?3, future_terms = ?4, custom_data = ?5,
             updated_at = ?6 WHERE id = ?1",
            params![
                campaign.id,
                campaign.name,
                campaign.status.as_str(),
                future_json(campaign)?,
                to_json(&campaign.custom_data, "custom data")?,
                millis(campaign.updated_at),
            ],
        )?;
        Ok(())
    }

    /// Stores terms as a campaign's current ones.
    pub fn put_terms_live(
        &mut self,
        campaign: i64,
        terms: Terms,
        now: Timestamp,
    ) -> Result<CurrentTerms, Error> {
        let id = self.insert(
            "INSERT INTO terms (campaign_id, body, went_live_at) VALUES (?1, ?2, ?3)",
            params![campaign, to_json(&terms, "terms")?, millis(now)],
        )?;
        self.execute(
            "UPDATE campaigns SET current_terms_id = ?2 WHERE id = ?1",
            params![campaign, id],
        )?;
        Ok(CurrentTerms { id, went_live_at: now, terms })
    }

    /// A decimal string that no campaign of the network has as its id yet.
    pub fn free_campaign_id(&mut self, network: i64) -> Result<String, Error> {
        self.free_id(
            "campaigns",
            "SELECT 1 FROM campaigns WHERE network_id = ?1 AND id_from_network = ?2 AND ?3 = ''",
            network,
            "",
        )
    }

    /// The first decimal string from a table's next id on that `taken` (of network, id, word)
    /// does not find.
    pub(super) fn free_id(
        &mut self,
        table: &'static str,
        taken: &str,
        network: i64,
        word: &str,
    ) -> Result<String, Error> {
        let last = match self.is_postgres() {
            true => self.first(
                &format!(
                    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq"
                ),
                NONE,
                |row| row.get::<i64>(0),
            ),
            false => {
                let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
                self.first(sql, [table], |row| row.get::<i64>(0))
            }
        }?;
        let mut next = last.unwrap_or(0) + 1;
        while self.exists(taken, params![network, next.to_string(), word])? {
            next += 1;
        }
        Ok(next.to_string())
    }
}
