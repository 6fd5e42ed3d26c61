//! Networks and their custom data fields.

use super::{NONE, Session, from_json, millis, moment, parsed, to_json};
use crate::sql::{Row, params};
use crate::{Error, Organization, Page};
use jiff::Timestamp;
use trunkline_domain::party::{CustomDataField, Network};
use trunkline_domain::timezone::ZoneName;

const NETWORK: &str = "SELECT id, name, time_zone, auto_generate_ids, sandbox, clock
    FROM networks";

fn network(row: &Row<'_>) -> Result<Network, Error> {
    let zone: String = row.get(2)?;
    Ok(Network {
        id: row.get(0)?,
        name: row.get(1)?,
        time_zone: parsed(ZoneName::parse(&zone), "time zone")?,
        auto_generate_ids: row.get(3)?,
        sandbox: row.get(4)?,
        clock: row.get::<Option<i64>>(5)?.map(moment).transpose()?,
        members: Vec::new(),
    })
}

impl Session<'_> {
    /// A network, without its people.
    pub fn network(&mut self, id: i64) -> Result<Option<Network>, Error> {
        self.first(&format!("{NETWORK} WHERE id = ?1"), [id], network)
    }

    /// A network with its people.
    pub fn network_with_members(&mut self, id: i64) -> Result<Option<Network>, Error> {
        let Some(mut network) = self.network(id)? else { return Ok(None) };
        network.members = self.members(Organization::Network(id))?;
        Ok(Some(network))
    }

    /// Every network, without their people.
    pub fn networks(&mut self) -> Result<Vec<Network>, Error> {
        self.all(&format!("{NETWORK} ORDER BY id"), NONE, network)
    }

    /// Stores a new network, under `id` if that is given, with the field every network starts
    /// with. `None` when the id is in use.
    pub fn insert_network(
        &mut self,
        id: Option<i64>,
        name: &str,
        zone: ZoneName,
        now: Timestamp,
    ) -> Result<Option<Network>, Error> {
        if let Some(id) = id
            && self.network(id)?.is_some()
        {
            return Ok(None);
        }
        let sql = match self.is_postgres() {
            // An id that was given is one that is not given out.
            true => {
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (COALESCE(?1,
                 nextval('networks_id_seq')), ?2, ?3, ?4)"
            }
            false => {
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (?1, ?2, ?3, ?4)"
            }
        };
        let id = self.insert(sql, params![id, name, zone.name(), millis(now)])?;
        if self.is_postgres() {
            let sql = "SELECT setval('networks_id_seq', GREATEST(?1, (SELECT last_value FROM networks_id_seq)))";
            self.first(sql, [id], |_| Ok(()))?;
        }
        self.put_custom_data_field(id, &CustomDataField::channel())?;
        self.network(id)
    }

    /// Stores a network's name.
    pub fn rename_network(&mut self, id: i64, name: &str) -> Result<(), Error> {
        self.execute("UPDATE networks SET name = ?2 WHERE id = ?1", params![id, name])?;
        Ok(())
    }

    /// A network's custom data fields, by our id.
    pub fn custom_data_fields(&mut self, network: i64) -> Result<Vec<CustomDataField>, Error> {
        self.all(
            "SELECT body FROM custom_data_fields WHERE network_id = ?1 ORDER BY id",
            [network],
            |row| from_json(&row.get::<String>(0)?, "custom data field"),
        )
    }

    /// One page of a network's custom data fields, each with our id.
    pub fn page_of_custom_data_fields(
        &mut self,
        network: i64,
        page: Page,
    ) -> Result<Vec<(i64, CustomDataField)>, Error> {
        self.page(
            page,
            "SELECT id, body FROM custom_data_fields WHERE network_id = ?1 AND id > ?2
             ORDER BY id LIMIT ?3",
            params![network, page.after, page.limit],
            |row| Ok((row.get(0)?, from_json(&row.get::<String>(1)?, "custom data field")?)),
        )
    }

    /// One custom data field.
    pub fn custom_data_field(
        &mut self,
        network: i64,
        partner_name: &str,
    ) -> Result<Option<CustomDataField>, Error> {
        self.first(
            "SELECT body FROM custom_data_fields WHERE network_id = ?1 AND partner_name = ?2",
            params![network, partner_name],
            |row| from_json(&row.get::<String>(0)?, "custom data field"),
        )
    }

    /// Stores a custom data field, new or changed.
    pub fn put_custom_data_field(
        &mut self,
        network: i64,
        field: &CustomDataField,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO custom_data_fields (network_id, partner_name, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (network_id, partner_name) DO UPDATE SET body = excluded.body",
            params![network, field.partner_name, to_json(field, "custom data field")?],
        )?;
        Ok(())
    }

    /// Forgets a custom data field; values on objects stay.
    pub fn delete_custom_data_field(&mut self, network: i64, name: &str) -> Result<(), Error> {
        self.execute(
            "DELETE FROM custom_data_fields WHERE network_id = ?1 AND partner_name = ?2",
            params![network, name],
        )?;
        Ok(())
    }
}
