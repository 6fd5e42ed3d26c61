//! What only sandboxes have: a clock of their own, imagined callers, and an end to everything in them.

use super::{Session, campaigns, millis, moment, promo_numbers};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::campaign::Campaign;
use trunkline_domain::promo::PromoNumber;

/// What becomes of a table's rows when a sandbox is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Those of the network are deleted: whose they are, with the network for `?1`.
    Goes(&'static str),
    /// Something of its own: a statement, with the network for `?1`.
    By(&'static str),
    /// They stay.
    Stays,
    /// They go with the rows that they refer to (`ON DELETE CASCADE`).
    Follows,
}

/// Every table, those that refer to others before these. A test holds it to the schema, so that a
/// new table is thought of.
const FATES: &[(&str, Fate)] = &[
    ("networks", Fate::Stays),
    ("numbers", Fate::By("UPDATE numbers SET promo_number_id = NULL WHERE network_id = ?1")),
    ("idempotency", Fate::Goes(NETWORK)),
    ("mails", Fate::Goes(NETWORK)),
    ("deliveries", Fate::Goes(WEBHOOK)),
    ("webhooks", Fate::Stays),
    ("events", Fate::Goes(NETWORK)),
    ("audit", Fate::Goes(NETWORK)),
    ("live_calls", Fate::Goes(CALL)),
    ("call_events", Fate::Goes(CALL)),
    ("call_quarters", Fate::Goes(CAMPAIGN)),
    ("budget_totals", Fate::Goes(CAMPAIGN)),
    ("transactions", Fate::Goes(NETWORK)),
    ("calls", Fate::Goes(NETWORK)),
    ("promo_numbers", Fate::Goes(NETWORK)),
    ("statuses", Fate::By(STATUSES)),
    ("affiliate_campaigns", Fate::Goes(NETWORK)),
    ("terms", Fate::By(TERMS)),
    ("campaigns", Fate::Goes(NETWORK)),
    ("relationships", Fate::Follows),
    ("memberships", Fate::By(MEMBERSHIPS)),
    ("users", Fate::By(USERS)),
    ("user_emails", Fate::Follows),
    ("sign_ins", Fate::Follows),
    ("tokens", Fate::Follows),
    ("parties", Fate::Goes(NETWORK)),
    ("custom_data_fields", Fate::By(FIELDS)),
    ("rate_limits", Fate::Stays),
    ("credential_generations", Fate::Stays),
];

const NETWORK: &str = "network_id = ?1";
const CALL: &str = "call_id IN (SELECT id FROM calls WHERE network_id = ?1)";
/// Whose rows of a table those are on PostgreSQL, where calls are found by their keys.
fn by_keys(table: &str) -> Option<&'static str> {
    match table {
        "live_calls" | "call_events" => {
            Some("call_id IN (SELECT call_id FROM call_keys WHERE network_id = ?1)")
        }
        "calls" => Some(
            "(id, start_time) IN (SELECT call_id, start_time FROM call_keys WHERE network_id = ?1)",
        ),
        _ => None,
    }
}

const CAMPAIGN: &str = "campaign_id IN (SELECT id FROM campaigns WHERE network_id = ?1)";
const WEBHOOK: &str = "webhook_id IN (SELECT id FROM webhooks WHERE network_id = ?1)";

const STATUSES: &str = "DELETE FROM statuses WHERE
    (object = 'campaign' AND object_id IN (SELECT id FROM campaigns WHERE network_id = ?1))
    OR (object = 'affiliate_campaign'
        AND object_id IN (SELECT id FROM affiliate_campaigns WHERE network_id = ?1))";

/// Terms and campaigns refer to each other.
const TERMS: &str = "UPDATE campaigns SET current_terms_id = NULL WHERE network_id = ?1;
    DELETE FROM terms WHERE campaign_id IN (SELECT id FROM campaigns WHERE network_id = ?1)";

const MEMBERSHIPS: &str = "DELETE FROM memberships WHERE organization <> 'network'
    AND user_id IN (SELECT id FROM users WHERE network_id = ?1)";

/// The network's own people stay.
const USERS: &str = "DELETE FROM users WHERE network_id = ?1 AND NOT EXISTS
    (SELECT 1 FROM memberships WHERE user_id = users.id)";

/// Every network starts with this one field.
const FIELDS: &str =
    "DELETE FROM custom_data_fields WHERE network_id = ?1 AND partner_name <> 'channel'";

impl Session<'_> {
    /// Makes a network a sandbox.
    pub fn make_sandbox(&mut self, network: i64) -> Result<(), Error> {
        self.execute("UPDATE networks SET sandbox = 1 WHERE id = ?1", [network])?;
        Ok(())
    }

    /// Stores where a sandbox's clock stands; `None` is the system's.
    pub fn set_clock(&mut self, network: i64, clock: Option<Timestamp>) -> Result<(), Error> {
        self.execute(
            "UPDATE networks SET clock = ?2 WHERE id = ?1 AND sandbox = 1",
            params![network, clock.map(millis)],
        )?;
        Ok(())
    }

    /// Campaigns of a network that were taken live and not archived, in order, up to a number.
    pub fn activated_campaigns(
        &mut self,
        network: i64,
        limit: u32,
    ) -> Result<Vec<Campaign>, Error> {
        self.all(
            &format!(
                "{} WHERE c.network_id = ?1 AND c.status = 'Activated' ORDER BY c.id LIMIT ?2",
                campaigns::CAMPAIGN
            ),
            params![network, limit],
            campaigns::campaign,
        )
    }

    /// When a campaign first went live.
    pub fn first_live_at(&mut self, campaign: i64) -> Result<Option<Timestamp>, Error> {
        let first = self.first(
            "SELECT MIN(went_live_at) FROM terms WHERE campaign_id = ?1",
            [campaign],
            |row| row.get::<Option<i64>>(0),
        )?;
        first.flatten().map(moment).transpose()
    }

    /// Affiliates that are approved for a campaign, up to a number: our ids, the network's, and since
    /// when.
    pub fn approved_affiliates(
        &mut self,
        campaign: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String, Timestamp)>, Error> {
        self.all(
            "SELECT p.id, p.id_from_network, COALESCE((SELECT MAX(since) FROM statuses
             WHERE object = 'affiliate_campaign' AND object_id = a.id), a.created_at)
             FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id
             WHERE a.campaign_id = ?1 AND a.status = 'Approved' ORDER BY a.id LIMIT ?2",
            params![campaign, limit],
            |row| Ok((row.get(0)?, row.get(1)?, moment(row.get(2)?)?)),
        )
    }

    /// Promo numbers of a campaign and of its affiliate campaigns, up to a number.
    pub fn promo_numbers_of_campaign(
        &mut self,
        campaign: i64,
        limit: u32,
    ) -> Result<Vec<PromoNumber>, Error> {
        self.all(
            &format!("{} WHERE campaign_id = ?1 ORDER BY id LIMIT ?2", promo_numbers::PROMO_NUMBER),
            params![campaign, limit],
            promo_numbers::promo_number,
        )
    }

    /// Deletes everything of a sandbox but the network itself, its people, its tokens, its inventory
    /// of numbers, all of them free again, its webhooks, and its first custom data field. Of a
    /// network that is no sandbox the append-only tables refuse.
    pub fn empty_sandbox(&mut self, network: i64) -> Result<(), Error> {
        for (table, fate) in FATES {
            match fate {
                Fate::Stays | Fate::Follows => {}
                Fate::Goes(whose) => {
                    let keys = by_keys(table).filter(|_| self.is_postgres());
                    let whose = keys.unwrap_or(whose);
                    self.execute(&format!("DELETE FROM {table} WHERE {whose}"), [network])?;
                }
                Fate::By(statements) => {
                    for statement in statements.split(';') {
                        self.execute(statement, [network])?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::connection::MIGRATIONS;
    use rusqlite::Connection;

    fn schema() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        connection
    }

    fn texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// A new table stands in [`FATES`], or this fails: think of what a reset does to it.
    #[test]
    fn every_table_has_a_fate_that_can_be_carried_out() {
        let connection = schema();
        let tables = texts(
            &connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        );
        let mut session = Session::on(crate::operations::Connection::Sqlite(&connection));
        for table in &tables {
            let fate = FATES.iter().find(|(known, _)| known == table).map(|(_, fate)| *fate);
            assert!(fate.is_some(), "what becomes of {table} when a sandbox is emptied?");
        }
        for (table, fate) in FATES {
            assert!(tables.iter().any(|it| it == table), "there is no {table}, {fate:?}");
        }
        // What refers to a table goes before it, or with it; campaigns let go of their terms first.
        for (at, (table, _)) in
            FATES.iter().enumerate().filter(|(_, (_, fate))| matches!(fate, Fate::Goes(_)))
        {
            let sql = format!("SELECT \"table\" FROM pragma_foreign_key_list('{table}')");
            for parent in texts(&connection, &sql) {
                let place = FATES.iter().position(|(it, _)| **it == parent).unwrap();
                let stays = FATES[place].1 == Fate::Stays;
                let untied = *table == "campaigns" && parent == "terms";
                assert!(
                    stays || untied || place >= at,
                    "{table} refers to {parent}, which goes before it"
                );
            }
        }
        session.empty_sandbox(1).unwrap();
    }

    #[test]
    fn what_is_append_only_goes_from_sandboxes_alone() {
        let connection = schema();
        connection
            .execute_batch(
                "INSERT INTO networks (id, name, time_zone, created_at, sandbox)
                 VALUES (1, 'S', 'UTC', 0, 1), (2, 'N', 'UTC', 0, 0);
                 INSERT INTO audit (network_id, at, request_id, actor, object, action)
                 VALUES (1, 0, '', '', '', ''), (2, 0, '', '', '', '');",
            )
            .unwrap();
        let mut session = Session::on(crate::operations::Connection::Sqlite(&connection));
        session.empty_sandbox(1).unwrap();
        assert!(session.empty_sandbox(2).is_err());
        let left = texts(&connection, "SELECT CAST(network_id AS TEXT) FROM audit");
        assert_eq!(left, ["2"]);
        assert!(connection.execute_batch("UPDATE audit SET action = 'x'").is_err());
    }
}
