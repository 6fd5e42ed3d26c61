//! Networks and their custom data fields.

use super::users::member_from_row;
use super::{
    NO_PARAMS, UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis,
};
use crate::sql::{Row, params};
use crate::{Error, Page, StoredCustomDataField};
use jiff::Timestamp;
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::{CustomDataField, Network};
use trunkline_domain::timezone::TimeZoneName;

const SELECT_NETWORK: &str = "SELECT id, name, time_zone, auto_generate_ids, sandbox, clock,
    settings FROM networks";

/// SELECT of a network with its members, one row for each. The columns begin with those of
/// [`SELECT_NETWORK`].
const SELECT_NETWORK_WITH_MEMBERS: &str =
    "SELECT n.id, n.name, n.time_zone, n.auto_generate_ids, n.sandbox, n.clock, n.settings,
    m.role, u.id, u.body, u.password_hash IS NOT NULL
    FROM networks n LEFT JOIN memberships m ON m.organization = 'network' AND m.organization_id = n.id
    LEFT JOIN users u ON u.id = m.user_id WHERE n.id = ?1 ORDER BY m.position";

fn network_from_row(row: &Row<'_>) -> Result<Network, Error> {
    let zone: String = row.get(2)?;
    Ok(Network {
        id: row.get(0)?,
        name: row.get(1)?,
        time_zone: or_unreadable(TimeZoneName::parse(&zone), "time zone")?,
        auto_generate_ids: row.get(3)?,
        sandbox: row.get(4)?,
        sandbox_clock: row.get::<Option<i64>>(5)?.map(timestamp_from_millis).transpose()?,
        settings: from_json(row.get(6)?, "settings")?,
        members: Vec::new(),
    })
}

impl UnitOfWork<'_> {
    /// Network, without its members.
    pub fn network(&mut self, id: NetworkId) -> Result<Option<Network>, Error> {
        self.query_first(&format!("{SELECT_NETWORK} WHERE id = ?1"), [id], network_from_row)
    }

    /// Network, with its members.
    pub fn network_with_members(&mut self, id: NetworkId) -> Result<Option<Network>, Error> {
        let mut found: Option<Network> = None;
        self.for_each_row(SELECT_NETWORK_WITH_MEMBERS, [id], |row| {
            let network = match &mut found {
                Some(network) => network,
                None => found.insert(network_from_row(row)?),
            };
            if row.get::<Option<&str>>(7)?.is_some() {
                network.members.push(member_from_row(row, 7)?);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// All networks, without their members.
    pub fn networks(&mut self) -> Result<Vec<Network>, Error> {
        self.query_all(&format!("{SELECT_NETWORK} ORDER BY id"), NO_PARAMS, network_from_row)
    }

    /// Inserts a network, with a given or a generated id, and the custom data field that every
    /// network starts with. Returns `None` if the given id exists.
    pub fn insert_network(
        &mut self,
        id: Option<NetworkId>,
        name: &str,
        zone: TimeZoneName,
        now: Timestamp,
    ) -> Result<Option<Network>, Error> {
        if let Some(id) = id
            && self.network(id)?.is_some()
        {
            return Ok(None);
        }
        let sql = match self.is_postgres() {
            // A given id must not be generated again later, so the sequence is advanced below.
            true => {
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (COALESCE(?1,
                 nextval('networks_id_seq')), ?2, ?3, ?4)"
            }
            false => {
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (?1, ?2, ?3, ?4)"
            }
        };
        let id = self.insert(sql, params![id, name, zone.name(), to_millis(now)])?;
        if self.is_postgres() {
            let sql = "SELECT setval('networks_id_seq', GREATEST(?1, (SELECT last_value FROM networks_id_seq)))";
            self.query_first(sql, [id], |_| Ok(()))?;
        }
        self.upsert_custom_data_field(id, &CustomDataField::channel())?;
        self.network(id)
    }

    /// Updates a network's name.
    pub fn rename_network(&mut self, id: NetworkId, name: &str) -> Result<(), Error> {
        self.execute("UPDATE networks SET name = ?2 WHERE id = ?1", params![id, name])?;
        Ok(())
    }

    /// Updates a network's time zone, generation of ids, and further settings.
    pub fn update_settings(&mut self, network: &Network) -> Result<(), Error> {
        self.execute(
            "UPDATE networks SET time_zone = ?2, auto_generate_ids = ?3, settings = ?4
             WHERE id = ?1",
            params![
                network.id,
                network.time_zone.name(),
                network.auto_generate_ids,
                to_json(&network.settings, "settings")?
            ],
        )?;
        Ok(())
    }

    /// Custom data fields of a network.
    pub fn custom_data_fields(
        &mut self,
        network: NetworkId,
    ) -> Result<Vec<CustomDataField>, Error> {
        self.query_all(
            "SELECT body FROM custom_data_fields WHERE network_id = ?1 ORDER BY id",
            [network],
            |row| from_json(&row.get::<String>(0)?, "custom data field"),
        )
    }

    /// One page of a network's custom data fields, with their ids.
    pub fn custom_data_fields_page(
        &mut self,
        network: NetworkId,
        page: Page,
    ) -> Result<Vec<StoredCustomDataField>, Error> {
        self.query_page(
            page,
            "SELECT id, body FROM custom_data_fields WHERE network_id = ?1 AND id > ?2
             ORDER BY id LIMIT ?3",
            params![network, page.after, page.limit],
            |row| {
                let field = from_json(&row.get::<String>(1)?, "custom data field")?;
                Ok(StoredCustomDataField { id: row.get(0)?, field })
            },
        )
    }

    /// Custom data field, by its partner name.
    pub fn custom_data_field(
        &mut self,
        network: NetworkId,
        partner_name: &str,
    ) -> Result<Option<CustomDataField>, Error> {
        self.query_first(
            "SELECT body FROM custom_data_fields WHERE network_id = ?1 AND partner_name = ?2",
            params![network, partner_name],
            |row| from_json(&row.get::<String>(0)?, "custom data field"),
        )
    }

    /// Inserts or updates a custom data field.
    pub fn upsert_custom_data_field(
        &mut self,
        network: NetworkId,
        field: &CustomDataField,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO custom_data_fields (network_id, partner_name, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (network_id, partner_name) DO UPDATE SET body = excluded.body",
            params![network, field.partner_name, to_json(field, "custom data field")?],
        )?;
        Ok(())
    }

    /// Deletes a custom data field. Its values on objects are kept.
    pub fn delete_custom_data_field(
        &mut self,
        network: NetworkId,
        name: &str,
    ) -> Result<(), Error> {
        self.execute(
            "DELETE FROM custom_data_fields WHERE network_id = ?1 AND partner_name = ?2",
            params![network, name],
        )?;
        Ok(())
    }
}
