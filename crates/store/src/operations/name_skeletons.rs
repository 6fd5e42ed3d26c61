//! Skeletons of names, by which names that look alike are found.

use super::{UnitOfWork, to_json_rows};
use crate::Error;
use crate::sql::params;
use trunkline_domain::id::{AdvertiserId, CampaignId, NetworkId, PartyId};
use trunkline_domain::name_skeleton::name_skeleton;
use trunkline_domain::party::PartyKind;

/// Rows read to find one other than the written object itself.
const MAX_LOOK_ALIKES: i64 = 2;

impl UnitOfWork<'_> {
    /// Parties of a kind whose names have a skeleton, at most two, as (id, external id).
    pub fn parties_with_name_skeleton(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
        skeleton: &str,
    ) -> Result<Vec<(PartyId, String)>, Error> {
        self.query_all(
            "SELECT id, id_from_network FROM parties
             WHERE network_id = ?1 AND kind = ?2 AND name_skeleton = ?3 ORDER BY id LIMIT ?4",
            params![network, kind.as_str(), skeleton, MAX_LOOK_ALIKES],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Campaigns of a network, or of one of its advertisers, whose names have a skeleton, at most two, as
    /// (id, external id).
    pub fn campaigns_with_name_skeleton(
        &mut self,
        network: NetworkId,
        advertiser: Option<AdvertiserId>,
        skeleton: &str,
    ) -> Result<Vec<(CampaignId, String)>, Error> {
        let select = "SELECT id, id_from_network FROM campaigns
            WHERE network_id = ?1 AND name_skeleton = ?2";
        let order = "ORDER BY id LIMIT ?3";
        let Some(advertiser) = advertiser else {
            return self.query_all(
                &format!("{select} {order}"),
                params![network, skeleton, MAX_LOOK_ALIKES],
                |row| Ok((row.get(0)?, row.get(1)?)),
            );
        };
        self.query_all(
            &format!("{select} AND advertiser_id = ?4 {order}"),
            params![network, skeleton, MAX_LOOK_ALIKES, advertiser],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Tests if a row lacks its skeleton: it was stored before there were skeletons.
    pub fn lacks_name_skeletons(&mut self) -> Result<bool, Error> {
        for table in ["parties", "campaigns"] {
            let sql = format!("SELECT 1 FROM {table} WHERE name_skeleton IS NULL LIMIT 1");
            if self.exists(&sql, super::NO_PARAMS)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fills in the skeletons of at most `limit` parties and as many campaigns that lack them.
    pub fn fill_name_skeletons(&mut self, limit: u32) -> Result<(), Error> {
        for table in ["parties", "campaigns"] {
            let rows: Vec<(i64, String)> = self.query_all(
                &format!("SELECT id, name FROM {table} WHERE name_skeleton IS NULL LIMIT ?1"),
                [limit],
                |row| Ok((row.get(0)?, name_skeleton(row.get(1)?))),
            )?;
            let from = self.json_rows_sql("?1");
            self.execute(
                &format!(
                    "UPDATE {table} SET name_skeleton = j.value ->> 1 FROM {from}
                     WHERE {table}.id = CAST(j.value ->> 0 AS BIGINT)"
                ),
                [to_json_rows(&rows)?],
            )?;
        }
        Ok(())
    }
}
