//! Advertisers and affiliates.

use super::users::member;
use super::{Session, from_json, millis, moment, parsed, to_ids, to_json};
use crate::sql::{Row, params};
use crate::{Error, Organization, Page};
use trunkline_domain::party::{Party, PartyKind, PartyStatus};

/// A party with its people, a row for each; the same columns first.
const PARTY_WITH_PEOPLE: &str =
    "SELECT p.id, p.network_id, p.kind, p.id_from_network, p.name, p.status,
    p.sites, p.profile, p.custom_data, p.created_at, p.updated_at,
    m.role, u.id, u.body, u.password_hash IS NOT NULL
    FROM parties p LEFT JOIN memberships m ON m.organization = p.kind AND m.organization_id = p.id
    LEFT JOIN users u ON u.id = m.user_id
    WHERE p.network_id = ?1 AND p.kind = ?2 AND p.id_from_network = ?3 ORDER BY m.position";

const PARTY: &str = "SELECT id, network_id, kind, id_from_network, name, status, sites, profile,
    custom_data, created_at, updated_at FROM parties";

fn party(row: &Row<'_>) -> Result<Party, Error> {
    let kind = match row.get::<&str>(2)? {
        "advertiser" => PartyKind::Advertiser,
        _ => PartyKind::Affiliate,
    };
    Ok(Party {
        id: row.get(0)?,
        network_id: row.get(1)?,
        kind,
        id_from_network: row.get(3)?,
        name: row.get(4)?,
        status: parsed(PartyStatus::parse(row.get(5)?), "party status")?,
        sites: from_json(row.get(6)?, "sites")?,
        profile: from_json(row.get(7)?, "profile")?,
        custom_data: from_json(row.get(8)?, "custom data")?,
        members: Vec::new(),
        created_at: moment(row.get(9)?)?,
        updated_at: moment(row.get(10)?)?,
    })
}

impl Session<'_> {
    /// A party by the network's id, without its people.
    pub fn party(
        &mut self,
        network: i64,
        kind: PartyKind,
        id_from_network: &str,
    ) -> Result<Option<Party>, Error> {
        self.first(
            &format!("{PARTY} WHERE network_id = ?1 AND kind = ?2 AND id_from_network = ?3"),
            params![network, kind.word(), id_from_network],
            party,
        )
    }

    /// A party by the network's id, with its people.
    pub fn party_with_members(
        &mut self,
        network: i64,
        kind: PartyKind,
        id_from_network: &str,
    ) -> Result<Option<Party>, Error> {
        let mut found: Option<Party> = None;
        self.each(PARTY_WITH_PEOPLE, params![network, kind.word(), id_from_network], |row| {
            let party = match &mut found {
                Some(party) => party,
                None => found.insert(party(row)?),
            };
            if row.get::<Option<&str>>(11)?.is_some() {
                party.members.push(member(row, 11)?);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// A party by our id, without its people.
    pub fn party_by_id(&mut self, id: i64) -> Result<Option<Party>, Error> {
        self.first(&format!("{PARTY} WHERE id = ?1"), [id], party)
    }

    /// Adds a party's people.
    pub fn with_members(&mut self, mut party: Party) -> Result<Party, Error> {
        party.members = self.members(Organization::Party(party.kind, party.id))?;
        Ok(party)
    }

    /// One page of a network's parties, with their people.
    pub fn parties(
        &mut self,
        network: i64,
        kind: PartyKind,
        page: Page,
    ) -> Result<Vec<Party>, Error> {
        let mut parties = self.page(
            page,
            &format!(
                "{PARTY} WHERE network_id = ?1 AND kind = ?2 AND id > ?3 ORDER BY id LIMIT ?4"
            ),
            params![network, kind.word(), page.after, page.limit],
            party,
        )?;
        self.add_members(kind, &mut parties)?;
        Ok(parties)
    }

    /// Parties of a kind by our ids, with their people, in order.
    pub fn parties_by_ids(&mut self, kind: PartyKind, ids: &[i64]) -> Result<Vec<Party>, Error> {
        let listed = self.ids_in("?2");
        let mut parties = self.all(
            &format!("{PARTY} WHERE kind = ?1 AND id IN {listed} ORDER BY id"),
            params![kind.word(), to_ids(ids)?],
            party,
        )?;
        self.add_members(kind, &mut parties)?;
        Ok(parties)
    }

    fn add_members(&mut self, kind: PartyKind, parties: &mut [Party]) -> Result<(), Error> {
        let ids: Vec<i64> = parties.iter().map(|party| party.id).collect();
        let mut members = self.members_of_parties(kind, &ids)?;
        for party in parties {
            party.members = members.remove(&party.id).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether a name is another party's already; compared without regard to case.
    pub fn party_name_is_taken(
        &mut self,
        network: i64,
        kind: PartyKind,
        name_key: &str,
        but: i64,
    ) -> Result<bool, Error> {
        // In these words it can be asked before it is known who is not meant.
        let found = self.first(
            "SELECT id FROM parties WHERE network_id = ?1 AND kind = ?2 AND name_key = ?3",
            params![network, kind.word(), name_key],
            |row| row.get::<i64>(0),
        )?;
        Ok(found.is_some_and(|id| id != but))
    }

    /// Stores a new party, without its people, and returns our id.
    pub fn insert_party(&mut self, party: &Party) -> Result<i64, Error> {
        self.insert(
            "INSERT INTO parties (network_id, kind, id_from_network, name, name_key, status, sites,
             profile, custom_data, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                party.network_id,
                party.kind.word(),
                party.id_from_network,
                party.name,
                party.name_key(),
                party.status.as_str(),
                to_json(&party.sites, "sites")?,
                to_json(&party.profile, "profile")?,
                to_json(&party.custom_data, "custom data")?,
                millis(party.created_at),
                millis(party.updated_at),
            ],
        )
    }

    /// Stores a party's values over what there was.
    pub fn update_party(&mut self, party: &Party) -> Result<(), Error> {
        self.execute(
            "UPDATE parties SET name = ?2, name_key = ?3, status = ?4, sites = ?5, profile = ?6,
             custom_data = ?7, updated_at = ?8 WHERE id = ?1",
            params![
                party.id,
                party.name,
                party.name_key(),
                party.status.as_str(),
                to_json(&party.sites, "sites")?,
                to_json(&party.profile, "profile")?,
                to_json(&party.custom_data, "custom data")?,
                millis(party.updated_at),
            ],
        )?;
        Ok(())
    }

    /// Deletes a party, its relationships and tokens, and users that only it had.
    pub fn delete_party(&mut self, party: &Party) -> Result<(), Error> {
        let organization = Organization::Party(party.kind, party.id);
        self.replace_members(party.network_id, organization, &[])?;
        self.execute("DELETE FROM parties WHERE id = ?1", [party.id])?;
        Ok(())
    }

    /// Whether an advertiser has campaigns, or an affiliate affiliate campaigns.
    pub fn party_has_campaigns(&mut self, party: &Party) -> Result<bool, Error> {
        let sql = match party.kind {
            PartyKind::Advertiser => "SELECT 1 FROM campaigns WHERE advertiser_id = ?1",
            PartyKind::Affiliate => "SELECT 1 FROM affiliate_campaigns WHERE affiliate_id = ?1",
        };
        self.exists(sql, [party.id])
    }

    /// Whether an affiliate, by our id, has brought calls: also such as were turned away.
    pub fn affiliate_has_calls(&mut self, id: i64) -> Result<bool, Error> {
        self.exists("SELECT 1 FROM calls WHERE affiliate_id = ?1", [id])
    }

    /// A decimal string that no party of this kind has as its id yet.
    pub fn free_party_id(&mut self, network: i64, kind: PartyKind) -> Result<String, Error> {
        self.free_id(
            "parties",
            "SELECT 1 FROM parties WHERE network_id = ?1 AND kind = ?3 AND id_from_network = ?2",
            network,
            kind.word(),
        )
    }
}
