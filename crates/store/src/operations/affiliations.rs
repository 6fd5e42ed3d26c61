//! Relationships and affiliate campaigns.

use super::{Session, from_json, millis, moment, parsed, to_ids, to_json};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::affiliation::{
    AffiliateCampaign, AffiliateCampaignStatus, Relationship, RelationshipStatus,
};

const AFFILIATE_CAMPAIGN: &str = "SELECT a.id, a.network_id, a.campaign_id, a.affiliate_id,
    p.id_from_network, a.id_from_network, a.status, a.custom_data, a.created_at, a.updated_at
    FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id";

fn affiliate_campaign(row: &Row<'_>) -> Result<AffiliateCampaign, Error> {
    let status = AffiliateCampaignStatus::parse(&row.get::<String>(6)?);
    Ok(AffiliateCampaign {
        id: row.get(0)?,
        network_id: row.get(1)?,
        campaign_id: row.get(2)?,
        affiliate_id: row.get(3)?,
        affiliate_id_from_network: row.get(4)?,
        id_from_network: row.get(5)?,
        status: parsed(status, "affiliate campaign status")?,
        custom_data: from_json(&row.get::<String>(7)?, "custom data")?,
        created_at: moment(row.get(8)?)?,
        updated_at: moment(row.get(9)?)?,
    })
}

fn relationship(row: &Row<'_>) -> Result<Relationship, Error> {
    let status = RelationshipStatus::parse(&row.get::<String>(2)?);
    Ok(Relationship {
        affiliate_id: row.get(0)?,
        affiliate_id_from_network: row.get(1)?,
        status: parsed(status, "relationship status")?,
    })
}

const RELATIONSHIP: &str = "SELECT r.affiliate_id, p.id_from_network, r.status, r.id
    FROM relationships r JOIN parties p ON p.id = r.affiliate_id";

impl Session<'_> {
    /// The relationship of a pair, if one is set.
    pub fn relationship(
        &mut self,
        advertiser: i64,
        affiliate: i64,
    ) -> Result<Option<Relationship>, Error> {
        self.first(
            &format!("{RELATIONSHIP} WHERE r.advertiser_id = ?1 AND r.affiliate_id = ?2"),
            params![advertiser, affiliate],
            relationship,
        )
    }

    /// One page of an advertiser's relationships, each with our id, in the order they were set.
    pub fn relationships(
        &mut self,
        advertiser: i64,
        page: Page,
    ) -> Result<Vec<(i64, Relationship)>, Error> {
        self.page(
            page,
            &format!(
                "{RELATIONSHIP} WHERE r.advertiser_id = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3"
            ),
            params![advertiser, page.after, page.limit],
            |row| Ok((row.get(3)?, relationship(row)?)),
        )
    }

    /// Every relationship of a party: the network's ids of advertiser and affiliate, and how they
    /// stand.
    pub fn relationships_of_party(
        &mut self,
        party: i64,
    ) -> Result<Vec<(String, String, RelationshipStatus)>, Error> {
        self.all(
            "SELECT a.id_from_network, f.id_from_network, r.status FROM relationships r
             JOIN parties a ON a.id = r.advertiser_id JOIN parties f ON f.id = r.affiliate_id
             WHERE r.advertiser_id = ?1 OR r.affiliate_id = ?1 ORDER BY r.id",
            [party],
            |row| {
                let status = RelationshipStatus::parse(&row.get::<String>(2)?);
                Ok((row.get(0)?, row.get(1)?, parsed(status, "relationship status")?))
            },
        )
    }

    /// Sets a pair's relationship.
    pub fn put_relationship(
        &mut self,
        advertiser: i64,
        affiliate: i64,
        status: RelationshipStatus,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO relationships (advertiser_id, affiliate_id, status) VALUES (?1, ?2, ?3)
             ON CONFLICT (advertiser_id, affiliate_id) DO UPDATE SET status = excluded.status",
            params![advertiser, affiliate, status.as_str()],
        )?;
        Ok(())
    }

    /// Forgets a pair's relationship.
    pub fn delete_relationship(&mut self, advertiser: i64, affiliate: i64) -> Result<(), Error> {
        self.execute(
            "DELETE FROM relationships WHERE advertiser_id = ?1 AND affiliate_id = ?2",
            [advertiser, affiliate],
        )?;
        Ok(())
    }

    /// An affiliate's place in a campaign.
    pub fn affiliate_campaign(
        &mut self,
        campaign: i64,
        affiliate: i64,
    ) -> Result<Option<AffiliateCampaign>, Error> {
        self.first(
            &format!("{AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.affiliate_id = ?2"),
            params![campaign, affiliate],
            affiliate_campaign,
        )
    }

    /// One page of a campaign's affiliate campaigns.
    pub fn affiliate_campaigns(
        &mut self,
        campaign: i64,
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        self.page(
            page,
            &format!(
                "{AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
            ),
            params![campaign, page.after, page.limit],
            affiliate_campaign,
        )
    }

    /// One page of what affiliates have in a campaign.
    pub fn affiliate_campaigns_of(
        &mut self,
        campaign: i64,
        affiliates: &[i64],
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        let listed = self.ids_in("?4");
        self.page(
            page,
            &format!(
                "{AFFILIATE_CAMPAIGN} WHERE a.campaign_id = ?1 AND a.id > ?2
                 AND a.affiliate_id IN {listed} ORDER BY a.id LIMIT ?3"
            ),
            params![campaign, page.after, page.limit, to_ids(affiliates)?],
            affiliate_campaign,
        )
    }

    /// Whether an advertiser has a relationship in this status with one of some affiliates.
    pub fn is_related(
        &mut self,
        advertiser: i64,
        affiliates: &[i64],
        status: RelationshipStatus,
    ) -> Result<bool, Error> {
        let listed = self.ids_in("?3");
        self.exists(
            &format!(
                "SELECT 1 FROM relationships
                 WHERE advertiser_id = ?1 AND status = ?2 AND affiliate_id IN {listed} LIMIT 1"
            ),
            params![advertiser, status.as_str(), to_ids(affiliates)?],
        )
    }

    /// Those of some campaigns in which one of some affiliates has a place, by our ids.
    pub fn campaigns_with(
        &mut self,
        campaigns: &[i64],
        affiliates: &[i64],
    ) -> Result<Vec<i64>, Error> {
        let (campaign, affiliate) = (self.ids_in("?1"), self.ids_in("?2"));
        self.all(
            &format!(
                "SELECT DISTINCT campaign_id FROM affiliate_campaigns
                 WHERE campaign_id IN {campaign} AND affiliate_id IN {affiliate}"
            ),
            params![to_ids(campaigns)?, to_ids(affiliates)?],
            |row| row.get(0),
        )
    }

    /// One page of an affiliate's affiliate campaigns.
    pub fn affiliate_campaigns_of_affiliate(
        &mut self,
        affiliate: i64,
        page: Page,
    ) -> Result<Vec<AffiliateCampaign>, Error> {
        self.page(page,
            &format!(
                "{AFFILIATE_CAMPAIGN} WHERE a.affiliate_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
            ),
            params![affiliate, page.after, page.limit],
            affiliate_campaign,
        )
    }

    /// Every affiliate campaign of a pair: our id, its status, and how long its custom data is, in
    /// characters.
    pub fn affiliate_campaigns_of_pair(
        &mut self,
        advertiser: i64,
        affiliate: i64,
    ) -> Result<Vec<(i64, AffiliateCampaignStatus, i64)>, Error> {
        self.all(
            "SELECT a.id, a.status, CAST(LENGTH(a.custom_data) AS BIGINT)
             FROM affiliate_campaigns a JOIN campaigns c ON c.id = a.campaign_id
             WHERE a.affiliate_id = ?2 AND c.advertiser_id = ?1 ORDER BY a.id",
            [advertiser, affiliate],
            |row| {
                let status = AffiliateCampaignStatus::parse(&row.get::<String>(1)?);
                Ok((row.get(0)?, parsed(status, "affiliate campaign status")?, row.get(2)?))
            },
        )
    }

    /// Affiliate campaigns by our ids, in order, each with the network's id of its campaign.
    pub fn affiliate_campaigns_by_ids(
        &mut self,
        ids: &[i64],
    ) -> Result<Vec<(AffiliateCampaign, String)>, Error> {
        let listed = self.ids_in("?1");
        self.all(
            &format!(
                "SELECT a.id, a.network_id, a.campaign_id, a.affiliate_id, p.id_from_network,
                 a.id_from_network, a.status, a.custom_data, a.created_at, a.updated_at,
                 c.id_from_network
                 FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id
                 JOIN campaigns c ON c.id = a.campaign_id WHERE a.id IN {listed} ORDER BY a.id"
            ),
            [to_ids(ids)?],
            |row| Ok((affiliate_campaign(row)?, row.get(10)?)),
        )
    }

    /// Sets the status of affiliate campaigns, by our ids.
    pub fn set_affiliate_campaign_status(
        &mut self,
        ids: &[i64],
        status: AffiliateCampaignStatus,
        now: Timestamp,
    ) -> Result<(), Error> {
        let listed = self.ids_in("?1");
        self.execute(
            &format!(
                "UPDATE affiliate_campaigns SET status = ?2, updated_at = ?3 WHERE id IN {listed}"
            ),
            params![to_ids(ids)?, status.as_str(), millis(now)],
        )?;
        Ok(())
    }

    /// Whether another affiliate campaign of the network has this id.
    pub fn affiliate_campaign_id_is_taken(
        &mut self,
        network: i64,
        id: &str,
        but: i64,
    ) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM affiliate_campaigns
             WHERE network_id = ?1 AND id_from_network = ?2 AND id <> ?3",
            params![network, id, but],
        )
    }

    /// Stores a new affiliate campaign and returns our id.
    pub fn insert_affiliate_campaign(&mut self, it: &AffiliateCampaign) -> Result<i64, Error> {
        self.insert(
            "INSERT INTO affiliate_campaigns (network_id, campaign_id, affiliate_id,
             id_from_network, status, custom_data, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                it.network_id,
                it.campaign_id,
                it.affiliate_id,
                it.id_from_network,
                it.status.as_str(),
                to_json(&it.custom_data, "custom data")?,
                millis(it.created_at),
                millis(it.updated_at),
            ],
        )
    }

    /// Stores an affiliate campaign's values over what there was.
    pub fn update_affiliate_campaign(&mut self, it: &AffiliateCampaign) -> Result<(), Error> {
        self.execute(
            "UPDATE affiliate_campaigns SET id_from_network = ?2, status = ?3, custom_data = ?4,
             updated_at = ?5 WHERE id = ?1",
            params![
                it.id,
                it.id_from_network,
                it.status.as_str(),
                to_json(&it.custom_data, "custom data")?,
                millis(it.updated_at),
            ],
        )?;
        Ok(())
    }

    /// A decimal string that no affiliate campaign of the network has as its id yet.
    pub fn free_affiliate_campaign_id(&mut self, network: i64) -> Result<String, Error> {
        self.free_id(
            "affiliate_campaigns",
            "SELECT 1 FROM affiliate_campaigns
             WHERE network_id = ?1 AND id_from_network = ?2 AND ?3 = ''",
            network,
            "",
        )
    }
}
