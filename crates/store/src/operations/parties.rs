//! Advertisers and affiliates.

use super::users::member_from_row;
use super::{
    UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_json_ids, to_millis,
};
use crate::sql::{Row, params};
use crate::{Error, Organization, Page};
use trunkline_domain::id::{AffiliateId, NetworkId, PartyId};
use trunkline_domain::name_skeleton::name_skeleton;
use trunkline_domain::party::{Party, PartyKind, PartyStatus};

/// SELECT of a party with its members, one row for each. The columns begin with those of [`SELECT_PARTY`].
const SELECT_PARTY_WITH_MEMBERS: &str =
    "SELECT p.id, p.network_id, p.kind, p.id_from_network, p.name, p.status,
    p.sites, p.profile, p.custom_data, p.created_at, p.updated_at,
    m.role, u.id, u.body, u.password_hash IS NOT NULL
    FROM parties p LEFT JOIN memberships m ON m.organization = p.kind AND m.organization_id = p.id
    LEFT JOIN users u ON u.id = m.user_id
    WHERE p.network_id = ?1 AND p.kind = ?2 AND p.id_from_network = ?3 ORDER BY m.position";

const SELECT_PARTY: &str =
    "SELECT id, network_id, kind, id_from_network, name, status, sites, profile,
    custom_data, created_at, updated_at FROM parties";

fn party_from_row(row: &Row<'_>) -> Result<Party, Error> {
    let kind = match row.get::<&str>(2)? {
        "advertiser" => PartyKind::Advertiser,
        _ => PartyKind::Affiliate,
    };
    Ok(Party {
        id: row.get(0)?,
        network_id: row.get(1)?,
        kind,
        external_id: row.get(3)?,
        name: row.get(4)?,
        status: or_unreadable(PartyStatus::parse(row.get(5)?), "party status")?,
        sites: from_json(row.get(6)?, "sites")?,
        profile: from_json(row.get(7)?, "profile")?,
        custom_data: from_json(row.get(8)?, "custom data")?,
        members: Vec::new(),
        created_at: timestamp_from_millis(row.get(9)?)?,
        updated_at: timestamp_from_millis(row.get(10)?)?,
    })
}

impl UnitOfWork<'_> {
    /// Party, by external id, without its members.
    pub fn party(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
        id_from_network: &str,
    ) -> Result<Option<Party>, Error> {
        self.query_first(
            &format!("{SELECT_PARTY} WHERE network_id = ?1 AND kind = ?2 AND id_from_network = ?3"),
            params![network, kind.as_str(), id_from_network],
            party_from_row,
        )
    }

    /// Party, by external id, with its members.
    pub fn party_with_members(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
        id_from_network: &str,
    ) -> Result<Option<Party>, Error> {
        let mut found: Option<Party> = None;
        self.for_each_row(
            SELECT_PARTY_WITH_MEMBERS,
            params![network, kind.as_str(), id_from_network],
            |row| {
                let party = match &mut found {
                    Some(party) => party,
                    None => found.insert(party_from_row(row)?),
                };
                if row.get::<Option<&str>>(11)?.is_some() {
                    party.members.push(member_from_row(row, 11)?);
                }
                Ok(true)
            },
        )?;
        Ok(found)
    }

    /// Party, by id, without its members.
    pub fn party_by_id(&mut self, id: PartyId) -> Result<Option<Party>, Error> {
        self.query_first(&format!("{SELECT_PARTY} WHERE id = ?1"), [id], party_from_row)
    }

    /// Loads a party's members.
    pub fn load_members(&mut self, mut party: Party) -> Result<Party, Error> {
        party.members = self.members(Organization::Party(party.kind, party.id))?;
        Ok(party)
    }

    /// One page of a network's parties, with their members.
    pub fn parties(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
        page: Page,
    ) -> Result<Vec<Party>, Error> {
        let mut parties = self.query_page(
            page,
            &format!(
                "{SELECT_PARTY} WHERE network_id = ?1 AND kind = ?2 AND id > ?3 ORDER BY id LIMIT ?4"
            ),
            params![network, kind.as_str(), page.after, page.limit],
            party_from_row,
        )?;
        self.add_members(kind, &mut parties)?;
        Ok(parties)
    }

    /// Parties of a kind, by ids, with their members, in the order of ids.
    pub fn parties_by_ids(
        &mut self,
        kind: PartyKind,
        ids: &[PartyId],
    ) -> Result<Vec<Party>, Error> {
        let listed = self.json_ids_sql("?2");
        let mut parties = self.query_all(
            &format!("{SELECT_PARTY} WHERE kind = ?1 AND id IN {listed} ORDER BY id"),
            params![kind.as_str(), to_json_ids(ids)?],
            party_from_row,
        )?;
        self.add_members(kind, &mut parties)?;
        Ok(parties)
    }

    fn add_members(&mut self, kind: PartyKind, parties: &mut [Party]) -> Result<(), Error> {
        let ids: Vec<PartyId> = parties.iter().map(|party| party.id).collect();
        let mut members = self.members_of_parties(kind, &ids)?;
        for party in parties {
            party.members = members.remove(&party.id).unwrap_or_default();
        }
        Ok(())
    }

    /// Returns true if another party has the name, ignoring case.
    pub fn party_name_exists(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
        name_key: &str,
        except: PartyId,
    ) -> Result<bool, Error> {
        // The party itself is excluded here and not in SQL, so that the query can be prefetched
        // before its id is known.
        let found = self.query_first(
            "SELECT id FROM parties WHERE network_id = ?1 AND kind = ?2 AND name_key = ?3",
            params![network, kind.as_str(), name_key],
            |row| row.get::<PartyId>(0),
        )?;
        Ok(found.is_some_and(|id| id != except))
    }

    /// Inserts a party without its members and returns its id.
    pub fn insert_party(&mut self, party: &Party) -> Result<PartyId, Error> {
        self.insert(
            "INSERT INTO parties (network_id, kind, id_from_network, name, name_key, status, sites,
             profile, custom_data, created_at, updated_at, name_skeleton)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                party.network_id,
                party.kind.as_str(),
                party.external_id,
                party.name,
                party.name_key(),
                party.status.as_str(),
                to_json(&party.sites, "sites")?,
                to_json(&party.profile, "profile")?,
                to_json(&party.custom_data, "custom data")?,
                to_millis(party.created_at),
                to_millis(party.updated_at),
                name_skeleton(&party.name),
            ],
        )
    }

    /// Updates a party.
    pub fn update_party(&mut self, party: &Party) -> Result<(), Error> {
        self.execute(
            "UPDATE parties SET name = ?2, name_key = ?3, status = ?4, sites = ?5, profile = ?6,
             custom_data = ?7, updated_at = ?8, name_skeleton = ?9 WHERE id = ?1",
            params![
                party.id,
                party.name,
                party.name_key(),
                party.status.as_str(),
                to_json(&party.sites, "sites")?,
                to_json(&party.profile, "profile")?,
                to_json(&party.custom_data, "custom data")?,
                to_millis(party.updated_at),
                name_skeleton(&party.name),
            ],
        )?;
        Ok(())
    }

    /// Deletes a party with its relationships, its tokens, and the users that are members of
    /// nothing else.
    pub fn delete_party(&mut self, party: &Party) -> Result<(), Error> {
        let organization = Organization::Party(party.kind, party.id);
        self.replace_members(party.network_id, organization, &[], false)?;
        self.execute("DELETE FROM parties WHERE id = ?1", [party.id])?;
        Ok(())
    }

    /// Returns true if an advertiser has campaigns, or an affiliate has affiliate campaigns.
    pub fn party_has_campaigns(&mut self, party: &Party) -> Result<bool, Error> {
        let sql = match party.kind {
            PartyKind::Advertiser => "SELECT 1 FROM campaigns WHERE advertiser_id = ?1",
            PartyKind::Affiliate => "SELECT 1 FROM affiliate_campaigns WHERE affiliate_id = ?1",
        };
        self.exists(sql, [party.id])
    }

    /// Returns true if an affiliate, by id, has sent calls, including rejected ones.
    pub fn affiliate_has_calls(&mut self, id: AffiliateId) -> Result<bool, Error> {
        self.exists("SELECT 1 FROM calls WHERE affiliate_id = ?1", [id])
    }

    /// Generates an external id, a decimal string, that no party of this kind has.
    pub fn generate_party_id(
        &mut self,
        network: NetworkId,
        kind: PartyKind,
    ) -> Result<String, Error> {
        self.generate_external_id(
            "parties",
            "SELECT 1 FROM parties WHERE network_id = ?1 AND kind = ?3 AND id_from_network = ?2",
            network,
            kind.as_str(),
        )
    }
}
