//! States of parties, campaigns and affiliate campaigns over time.

use super::{UnitOfWork, ValidityPeriod, from_json, timestamp_from_millis, to_json_ids, to_millis};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use trunkline_domain::id::{AdvertiserId, AffiliateCampaignId, AffiliateId, CampaignId};
use trunkline_domain::party::CustomData;

/// Kind of an object whose states are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum StatefulKind {
    /// Advertiser.
    Advertiser,
    /// Affiliate.
    Affiliate,
    /// Advertiser campaign.
    Campaign,
    /// Affiliate campaign.
    AffiliateCampaign,
}

impl StatefulKind {
    /// All kinds.
    const ALL: [Self; 4] =
        [Self::Advertiser, Self::Affiliate, Self::Campaign, Self::AffiliateCampaign];

    /// Returns the stored value.
    fn as_str(self) -> &'static str {
        match self {
            Self::Advertiser => "advertiser",
            Self::Affiliate => "affiliate",
            Self::Campaign => "campaign",
            Self::AffiliateCampaign => "affiliate_campaign",
        }
    }
}

/// State of an object during a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectState {
    /// Name; empty for an affiliate campaign, which has none.
    pub name: String,
    /// Status.
    pub status: String,
    /// Custom data of the object itself.
    pub custom_data: CustomData,
}

/// Object whose states are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatefulObject {
    /// Advertiser.
    Advertiser(AdvertiserId),
    /// Affiliate.
    Affiliate(AffiliateId),
    /// Advertiser campaign.
    Campaign(CampaignId),
    /// Affiliate campaign.
    AffiliateCampaign(AffiliateCampaignId),
}

impl StatefulObject {
    /// Kind, and value of the column `object_id`.
    fn key(self) -> (StatefulKind, i64) {
        match self {
            Self::Advertiser(id) => (StatefulKind::Advertiser, id.get()),
            Self::Affiliate(id) => (StatefulKind::Affiliate, id.get()),
            Self::Campaign(id) => (StatefulKind::Campaign, id.get()),
            Self::AffiliateCampaign(id) => (StatefulKind::AffiliateCampaign, id.get()),
        }
    }

    /// Reads the object of a kind from the column `object_id`.
    fn from_row(kind: StatefulKind, row: &Row<'_>, column: usize) -> Result<Self, Error> {
        Ok(match kind {
            StatefulKind::Advertiser => Self::Advertiser(row.get(column)?),
            StatefulKind::Affiliate => Self::Affiliate(row.get(column)?),
            StatefulKind::Campaign => Self::Campaign(row.get(column)?),
            StatefulKind::AffiliateCampaign => Self::AffiliateCampaign(row.get(column)?),
        })
    }
}

impl UnitOfWork<'_> {
    /// States that objects had in a closed interval, each with its period of validity, in the order
    /// of an object's periods. The first state of an object is always included. One statement for
    /// all objects.
    pub fn object_states(
        &mut self,
        objects: &[StatefulObject],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(StatefulObject, ValidityPeriod<ObjectState>)>, Error> {
        let mut parts = Vec::new();
        let mut ids = StatefulKind::ALL.map(|_| String::from("[]"));
        for (index, kind) in StatefulKind::ALL.into_iter().enumerate() {
            let keys = objects.iter().map(|object| object.key());
            let of_kind = keys.filter(|(other, _)| *other == kind).map(|(_, id)| id);
            let of_kind: Vec<i64> = of_kind.collect();
            if of_kind.is_empty() {
                continue;
            }
            ids[index] = to_json_ids(&of_kind)?;
            let listed = self.json_ids_sql(&format!("?{}", index + 3));
            let same = format!("b.object = '{0}' AND b.object_id = s.object_id", kind.as_str());
            parts.push(format!(
                "SELECT s.object_id, s.since, s.id, s.name, s.status, s.custom_data,
                     {index} AS kind
                 FROM object_states s
                 WHERE s.object = '{kind}' AND s.object_id IN {listed}
                 AND (s.since <= ?2 AND s.since >= COALESCE((SELECT MAX(b.since)
                     FROM object_states b WHERE {same} AND b.since <= ?1), 0)
                 OR s.since = (SELECT MIN(b.since) FROM object_states b WHERE {same}))",
                kind = kind.as_str(),
            ));
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        // Parameters that no part uses have a type, too.
        let sql = format!(
            "SELECT * FROM ({}) states WHERE CAST(?3 AS TEXT) IS NOT NULL
             AND CAST(?4 AS TEXT) IS NOT NULL AND CAST(?5 AS TEXT) IS NOT NULL
             AND CAST(?6 AS TEXT) IS NOT NULL ORDER BY kind, object_id, since, id",
            parts.join(" UNION ALL ")
        );
        let [advertisers, affiliates, campaigns, affiliate_campaigns] = ids;
        let rows = self.query_all(
            &sql,
            params![
                to_millis(from),
                to_millis(until),
                advertisers,
                affiliates,
                campaigns,
                affiliate_campaigns
            ],
            |row| {
                let kind = usize::try_from(row.get::<i64>(6)?).ok();
                let kind = kind.and_then(|index| StatefulKind::ALL.get(index).copied());
                let state = ObjectState {
                    name: row.get(3)?,
                    status: row.get(4)?,
                    custom_data: from_json(row.get(5)?, "custom data")?,
                };
                let kind = super::or_unreadable(kind, "kind of object")?;
                let object = StatefulObject::from_row(kind, row, 0)?;
                Ok((object, timestamp_from_millis(row.get(1)?)?, state))
            },
        )?;
        Ok(with_ends(rows))
    }
}

/// Adds the end of each period: the start of the next one of the same object.
fn with_ends(
    rows: Vec<(StatefulObject, Timestamp, ObjectState)>,
) -> Vec<(StatefulObject, ValidityPeriod<ObjectState>)> {
    let mut periods: Vec<(StatefulObject, ValidityPeriod<ObjectState>)> =
        Vec::with_capacity(rows.len());
    for (object, from, value) in rows {
        if let Some((previous, period)) = periods.last_mut()
            && *previous == object
        {
            period.until = Some(from);
        }
        periods.push((object, ValidityPeriod { from, until: None, value }));
    }
    periods
}
