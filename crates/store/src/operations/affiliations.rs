//! Relationships and affiliate campaigns.

use super::{
    UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_json_ids, to_millis,
};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::affiliation::{
    AffiliateCampaign, AffiliateCampaignStatus, Relationship, RelationshipStatus,
};
use trunkline_domain::id::{
    AdvertiserId, AffiliateCampaignId, AffiliateId, CampaignId, NetworkId, PartyId,
};

/// Columns of an affiliate campaign `a` and its affiliate `p`.
macro_rules! columns {
    () => {
        "a.id, a.network_id, a.campaign_id, a.affiliate_id, p.id_from_network, a.id_from_network, \
         a.status, a.custom_data, a.created_at, a.updated_at"
    };
}

pub(super) const AFFILIATE_CAMPAIGN_COLUMNS: &str = columns!();
const SELECT_AFFILIATE_CAMPAIGN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id"
);

pub(super) fn affiliate_campaign_from_row(row: &Row<'_>) -> Result<AffiliateCampaign, Error> {
    let status = AffiliateCampaignStatus::parse(&row.get::<String>(6)?);
    Ok(AffiliateCampaign {
        id: row.get(0)?,
        network_id: row.get(1)?,
        campaign_id: row.get(2)?,
        affiliate_id: row.get(3)?,
        external_affiliate_id: row.get(4)?,
        external_id: row.get(5)?,
        status: or_unreadable(status, "affiliate campaign status")?,
        custom_data: from_json(&row.get::<String>(7)?, "custom data")?,
        created_at: timestamp_from_millis(row.get(8)?)?,
        updated_at: timestamp_from_millis(row.get(9)?)?,
    })
}

pub(super) fn relationship_from_row(row: &Row<'_>) -> Result<Relationship, Error> {
    let status = RelationshipStatus::parse(&row.get::<String>(3)?);
    Ok(Relationship {
        id: row.get(0)?,
        affiliate_id: row.get(1)?,
        external_affiliate_id: row.get(2)?,
        status: or_unreadable(status, "relationship status")?,
    })
}

/// Columns of a relationship `r` and its affiliate `p`.
macro_rules! relationship_columns {
    () => {
        "r.id, r.affiliate_id, p.id_from_network, r.status"
    };
}

pub(super) const RELATIONSHIP_COLUMNS: &str = relationship_columns!();
const SELECT_RELATIONSHIP: &str = concat!(
    "SELECT ",
    relationship_columns!(),
    " FROM relationships r JOIN parties p ON p.id = r.affiliate_id"
);

/// Relationship with the external ids of both parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationshipOfParties {
    /// External id of the advertiser.
    pub advertiser_external_id: String,
    /// External id of the affiliate.
    pub affiliate_external_id: String,
    /// Status.
    pub status: RelationshipStatus,
}

/// Affiliate campaign with the external id of its campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct AffiliateCampaignInCampaign {
    /// Affiliate campaign.
    pub affiliate_campaign: AffiliateCampaign,
    /// External id of the campaign.
    pub campaign_external_id: String,
}

/// Affiliate campaign with the size of its custom data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AffiliateCampaignSize {
    /// Id.
    pub id: AffiliateCampaignId,
    /// Status.
    pub status: AffiliateCampaignStatus,
    /// Length of the stored custom data in characters.
    pub custom_data_chars: i64,
}

impl UnitOfWork<'_> {
    /// Relationship of an advertiser and an affiliate, if one is set.
    pub fn relationship(
        &mut self,
        advertiser: AdvertiserId,
        affiliate: AffiliateId,
    ) -> Result<Option<Relationship>, Error> {
        self.query_first(
            &format!("{SELECT_RELATIONSHIP} WHERE r.advertiser_id = ?1 AND r.affiliate_id = ?2"),
            params![advertiser, affiliate],
            relationship_from_row,
        )
    }

    /// One page of an advertiser's relationships, in the order of ids.
    pub fn relationships(
        &mut self,
        advertiser: AdvertiserId,
        page: Page,
    ) -> Result<Vec<Relationship>, Error> {
        self.query_page(
            page,
            &format!(
                "{SELECT_RELATIONSHIP} WHERE r.advertiser_id = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3"
            ),
            params![advertiser, page.after, page.limit],
            relationship_from_row,
        )
    }

    /// All relationships of a party, as (external id of the advertiser, external id of the
    /// affiliate, status).
    pub fn relationships_of_party(
        &mut self,
        party: PartyId,
    ) -> Result<Vec<RelationshipOfParties>, Error> {
        self.query_all(
            "SELECT a.id_from_network, f.id_from_network, r.status FROM relationships r
             JOIN parties a ON a.id = r.advertiser_id JOIN parties f ON f.id = r.affiliate_id
             WHERE r.advertiser_id = ?1 OR r.affiliate_id = ?1 ORDER BY r.id",
            [party],
            |row| {
                let status = RelationshipStatus::parse(&row.get::<String>(2)?);
                Ok(RelationshipOfParties {
                    advertiser_external_id: row.get(0)?,
                    affiliate_external_id: row.get(1)?,
                    status: or_unreadable(status, "relationship status")?,
                })
            },
        )
    }

    /// Inserts or updates the relationship of an advertiser and an affiliate.
    pub fn upsert_relationship(
        &mut self,
        advertiser: AdvertiserId,
        affiliate: AffiliateId,
        status: RelationshipStatus,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO relationships (advertiser_id, affiliate_id, status) VALUES (?1, ?2, ?3)
             ON CONFLICT (advertiser_id, affiliate_id) DO UPDATE SET status = excluded.status",
            params![advertiser, affiliate, status.as_str()],
        )?;
        Ok(())
    }

    /// Deletes the relationship of an advertiser and an affiliate.
    pub fn delete_relationship(
        &mut self,
        advertiser: AdvertiserId,
        affiliate: AffiliateId,
    ) -> Result<(), Error> {
        self.execute(
            "DELETE FROM relationships WHERE advertiser_id = ?1 AND affiliate_id = ?2",
            params![advertiser, affiliate],
        )?;
        Ok(())
    }

    /// Affiliate campaign of a campaign and an affiliate.
    pub fn affiliate_campaign(
        &mut self,
        campaign: CampaignId,
        affiliate: AffiliateId,
    ) -> Result<Option<AffiliateCampaign>, Error> {
        self.query_first(
            &format!(
                "{SELECT_AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.affiliate_id = ?2"
            ),
            params![campaign, affiliate],
            affiliate_campaign_from_row,
        )
    }

    /// One page of a campaign's affiliate campaigns.
    pub fn affiliate_campaigns(
        &mut self,
        campaign: CampaignId,
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        self.query_page(
            page,
            &format!(
                "{SELECT_AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
            ),
            params![campaign, page.after, page.limit],
            affiliate_campaign_from_row,
        )
    }

    /// One page of the affiliate campaigns of some affiliates in a campaign.
    pub fn affiliate_campaigns_of_affiliates(
        &mut self,
        campaign: CampaignId,
        affiliates: &[AffiliateId],
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        let listed = self.json_ids_sql("?4");
        self.query_page(
            page,
            &format!(
                "{SELECT_AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.id > ?2
                 AND a.affiliate_id IN {listed} ORDER BY a.id LIMIT ?3"
            ),
            params![campaign, page.after, page.limit, to_json_ids(affiliates)?],
            affiliate_campaign_from_row,
        )
    }

    /// Returns true if an advertiser has a relationship with this status with one of the
    /// affiliates.
    pub fn has_relationship_with_any(
        &mut self,
        advertiser: AdvertiserId,
        affiliates: &[AffiliateId],
        status: RelationshipStatus,
    ) -> Result<bool, Error> {
        let listed = self.json_ids_sql("?3");
        self.exists(
            &format!(
                "SELECT 1 FROM relationships
                 WHERE advertiser_id = ?1 AND status = ?2 AND affiliate_id IN {listed} LIMIT 1"
            ),
            params![advertiser, status.as_str(), to_json_ids(affiliates)?],
        )
    }

    /// Tests if one of the affiliates has a relationship with an advertiser or an affiliate campaign of it,
    /// or if a campaign of it is visible to all affiliates by the terms in force.
    pub fn is_advertiser_reached(
        &mut self,
        advertiser: AdvertiserId,
        affiliates: &[AffiliateId],
    ) -> Result<bool, Error> {
        let listed = self.json_ids_sql("?2");
        let terms = "COALESCE(t.body, c.future_terms)";
        let visibility = self.json_text_sql(terms, "visibility");
        self.exists(
            &format!(
                "SELECT 1 FROM relationships WHERE advertiser_id = ?1 AND affiliate_id IN {listed}
                 UNION ALL
                 SELECT 1 FROM affiliate_campaigns a JOIN campaigns c ON c.id = a.campaign_id
                 WHERE c.advertiser_id = ?1 AND a.affiliate_id IN {listed}
                 UNION ALL
                 SELECT 1 FROM campaigns c LEFT JOIN terms t ON t.id = c.current_terms_id
                 WHERE c.advertiser_id = ?1 AND COALESCE({visibility}, 'All') = 'All'
                 LIMIT 1"
            ),
            params![advertiser, to_json_ids(affiliates)?],
        )
    }

    /// Ids of those campaigns in which one of the affiliates has an affiliate campaign.
    pub fn campaigns_with_affiliates(
        &mut self,
        campaigns: &[CampaignId],
        affiliates: &[AffiliateId],
    ) -> Result<Vec<CampaignId>, Error> {
        let campaign = self.json_ids_sql("?1");
        let affiliate = self.json_ids_sql("?2");
        self.query_all(
            &format!(
                "SELECT DISTINCT campaign_id FROM affiliate_campaigns
                 WHERE campaign_id IN {campaign} AND affiliate_id IN {affiliate}"
            ),
            params![to_json_ids(campaigns)?, to_json_ids(affiliates)?],
            |row| row.get(0),
        )
    }

    /// External ids of those campaigns, given by theirs, in which one of the affiliates is approved.
    pub fn campaigns_with_approved_affiliates(
        &mut self,
        network: NetworkId,
        external_ids: &[&str],
        affiliates: &[AffiliateId],
    ) -> Result<Vec<String>, Error> {
        let campaigns = self.json_rows_sql("?2");
        let affiliate = self.json_ids_sql("?3");
        self.query_all(
            &format!(
                "SELECT DISTINCT c.id_from_network FROM campaigns c
                 JOIN affiliate_campaigns a ON a.campaign_id = c.id
                 WHERE c.network_id = ?1 AND a.status = 'Approved' AND a.affiliate_id IN {affiliate}
                 AND c.id_from_network IN (SELECT j.value ->> 0 FROM {campaigns})"
            ),
            params![network, to_json_ids(external_ids)?, to_json_ids(affiliates)?],
            |row| row.get(0),
        )
    }

    /// One page of an affiliate's affiliate campaigns.
    pub fn affiliate_campaigns_of_affiliate(
        &mut self,
        affiliate: AffiliateId,
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        self.query_page(page,
            &format!(
                "{SELECT_AFFILIATE_CAMPAIGN} WHERE a.affiliate_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
            ),
            params![affiliate, page.after, page.limit],
            affiliate_campaign_from_row,
        )
    }

    /// All affiliate campaigns of an advertiser and an affiliate, as (id, status, length of the
    /// custom data in characters).
    pub fn affiliate_campaigns_of_pair(
        &mut self,
        advertiser: AdvertiserId,
        affiliate: AffiliateId,
    ) -> Result<Vec<AffiliateCampaignSize>, Error> {
        self.query_all(
            "SELECT a.id, a.status, CAST(LENGTH(a.custom_data) AS BIGINT)
             FROM affiliate_campaigns a JOIN campaigns c ON c.id = a.campaign_id
             WHERE a.affiliate_id = ?2 AND c.advertiser_id = ?1 ORDER BY a.id",
            params![advertiser, affiliate],
            |row| {
                let status = AffiliateCampaignStatus::parse(&row.get::<String>(1)?);
                Ok(AffiliateCampaignSize {
                    id: row.get(0)?,
                    status: or_unreadable(status, "affiliate campaign status")?,
                    custom_data_chars: row.get(2)?,
                })
            },
        )
    }

    /// Affiliate campaigns, by ids, in the order of ids, each with the external id of its campaign.
    pub fn affiliate_campaigns_by_ids(
        &mut self,
        ids: &[AffiliateCampaignId],
    ) -> Result<Vec<AffiliateCampaignInCampaign>, Error> {
        let listed = self.json_ids_sql("?1");
        self.query_all(
            &format!(
                "SELECT a.id, a.network_id, a.campaign_id, a.affiliate_id, p.id_from_network,
                 a.id_from_network, a.status, a.custom_data, a.created_at, a.updated_at,
                 c.id_from_network
                 FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id
                 JOIN campaigns c ON c.id = a.campaign_id WHERE a.id IN {listed} ORDER BY a.id"
            ),
            [to_json_ids(ids)?],
            |row| {
                Ok(AffiliateCampaignInCampaign {
                    affiliate_campaign: affiliate_campaign_from_row(row)?,
                    campaign_external_id: row.get(10)?,
                })
            },
        )
    }

    /// Updates the status of affiliate campaigns, by ids.
    pub fn set_affiliate_campaign_status(
        &mut self,
        ids: &[AffiliateCampaignId],
        status: AffiliateCampaignStatus,
        now: Timestamp,
    ) -> Result<(), Error> {
        let listed = self.json_ids_sql("?1");
        self.execute(
            &format!(
                "UPDATE affiliate_campaigns SET status = ?2, updated_at = ?3 WHERE id IN {listed}"
            ),
            params![to_json_ids(ids)?, status.as_str(), to_millis(now)],
        )?;
        Ok(())
    }

    /// Returns true if another affiliate campaign of the network has this external id.
    pub fn affiliate_campaign_id_exists(
        &mut self,
        network: NetworkId,
        id: &str,
        except: AffiliateCampaignId,
    ) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM affiliate_campaigns
             WHERE network_id = ?1 AND id_from_network = ?2 AND id <> ?3",
            params![network, id, except],
        )
    }

    /// Inserts an affiliate campaign and returns its id.
    pub fn insert_affiliate_campaign(
        &mut self,
        affiliate_campaign: &AffiliateCampaign,
    ) -> Result<AffiliateCampaignId, Error> {
        self.insert(
            "INSERT INTO affiliate_campaigns (network_id, campaign_id, affiliate_id,
             id_from_network, status, custom_data, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                affiliate_campaign.network_id,
                affiliate_campaign.campaign_id,
                affiliate_campaign.affiliate_id,
                affiliate_campaign.external_id,
                affiliate_campaign.status.as_str(),
                to_json(&affiliate_campaign.custom_data, "custom data")?,
                to_millis(affiliate_campaign.created_at),
                to_millis(affiliate_campaign.updated_at),
            ],
        )
    }

    /// Updates an affiliate campaign.
    pub fn update_affiliate_campaign(
        &mut self,
        affiliate_campaign: &AffiliateCampaign,
    ) -> Result<(), Error> {
        self.execute(
            "UPDATE affiliate_campaigns SET id_from_network = ?2, status = ?3, custom_data = ?4,
             updated_at = ?5 WHERE id = ?1",
            params![
                affiliate_campaign.id,
                affiliate_campaign.external_id,
                affiliate_campaign.status.as_str(),
                to_json(&affiliate_campaign.custom_data, "custom data")?,
                to_millis(affiliate_campaign.updated_at),
            ],
        )?;
        Ok(())
    }

    /// Generates an external id, a decimal string, that no affiliate campaign of the network has.
    pub fn generate_affiliate_campaign_id(&mut self, network: NetworkId) -> Result<String, Error> {
        self.generate_external_id(
            "affiliate_campaigns",
            "SELECT 1 FROM affiliate_campaigns
             WHERE network_id = ?1 AND id_from_network = ?2 AND ?3 = ''",
            network,
            "",
        )
    }
}
