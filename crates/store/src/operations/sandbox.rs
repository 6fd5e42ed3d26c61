//! Operations for sandbox networks: their clock, the data for simulated calls, and the reset.

use super::{UnitOfWork, campaigns, promo_numbers, timestamp_from_millis, to_millis};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::campaign::Campaign;
use trunkline_domain::id::{AffiliateId, CampaignId, NetworkId};
use trunkline_domain::promo::PromoNumber;

/// Effect of a sandbox reset on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResetRule {
    /// Deletes the rows of the network, by a condition with the network id as `?1`.
    Delete(&'static str),
    /// Runs statements of its own, with the network id as `?1`.
    Run(&'static str),
    /// Keeps all rows.
    Keep,
    /// Rows are deleted with the rows they refer to (`ON DELETE CASCADE`).
    Cascade,
}

/// Rules for all tables, each table before those it refers to. A test compares them with the
/// schema, so that a new table cannot be forgotten.
const RESET_RULES: &[(&str, ResetRule)] = &[
    ("networks", ResetRule::Keep),
    ("numbers", ResetRule::Run(FREE_NUMBERS)),
    ("idempotency", ResetRule::Delete(BY_NETWORK)),
    ("mails", ResetRule::Delete(BY_NETWORK)),
    ("deliveries", ResetRule::Delete(BY_WEBHOOK)),
    ("webhooks", ResetRule::Keep),
    ("events", ResetRule::Delete(BY_NETWORK)),
    ("audit", ResetRule::Delete(BY_NETWORK)),
    ("live_calls", ResetRule::Delete(BY_CALL)),
    ("call_events", ResetRule::Delete(BY_CALL)),
    ("call_quarters", ResetRule::Delete(BY_CAMPAIGN)),
    ("budget_totals", ResetRule::Delete(BY_CAMPAIGN)),
    ("transactions", ResetRule::Delete(BY_NETWORK)),
    ("recordings", ResetRule::Delete(BY_NETWORK)),
    ("recording_link_keys", ResetRule::Delete(BY_NETWORK)),
    ("calls", ResetRule::Delete(BY_NETWORK)),
    ("promo_number_holdings", ResetRule::Delete(BY_NETWORK)),
    ("promo_numbers", ResetRule::Delete(BY_NETWORK)),
    ("object_states", ResetRule::Run(DELETE_STATES)),
    ("affiliate_campaigns", ResetRule::Delete(BY_NETWORK)),
    ("terms", ResetRule::Run(DELETE_TERMS)),
    ("campaigns", ResetRule::Delete(BY_NETWORK)),
    ("relationships", ResetRule::Cascade),
    ("memberships", ResetRule::Run(DELETE_MEMBERSHIPS)),
    ("users", ResetRule::Run(DELETE_USERS)),
    ("user_emails", ResetRule::Cascade),
    ("email_verifications", ResetRule::Cascade),
    ("sign_ins", ResetRule::Cascade),
    ("token_uses", ResetRule::Cascade),
    ("tokens", ResetRule::Cascade),
    ("parties", ResetRule::Delete(BY_NETWORK)),
    ("custom_data_fields", ResetRule::Run(DELETE_CUSTOM_DATA_FIELDS)),
    ("rate_limits", ResetRule::Keep),
    ("audit_usage", ResetRule::Delete(BY_NETWORK)),
    ("credential_generations", ResetRule::Keep),
];

const BY_NETWORK: &str = "network_id = ?1";
const BY_CALL: &str = "call_id IN (SELECT id FROM calls WHERE network_id = ?1)";
/// Condition for the rows of a network on PostgreSQL, where `call_keys` leads to the calls.
fn condition_by_call_keys(table: &str) -> Option<&'static str> {
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

const BY_CAMPAIGN: &str = "campaign_id IN (SELECT id FROM campaigns WHERE network_id = ?1)";
const BY_WEBHOOK: &str = "webhook_id IN (SELECT id FROM webhooks WHERE network_id = ?1)";

/// Nobody held the numbers, so they are free at once.
const FREE_NUMBERS: &str =
    "UPDATE numbers SET promo_number_id = NULL, free_since = 0 WHERE network_id = ?1";

const DELETE_STATES: &str = "DELETE FROM object_states WHERE
    (object IN ('advertiser', 'affiliate')
        AND object_id IN (SELECT id FROM parties WHERE network_id = ?1))
    OR (object = 'campaign' AND object_id IN (SELECT id FROM campaigns WHERE network_id = ?1))
    OR (object = 'affiliate_campaign'
        AND object_id IN (SELECT id FROM affiliate_campaigns WHERE network_id = ?1))";

/// Terms and campaigns refer to each other, so the references to terms are cleared first.
const DELETE_TERMS: &str = "UPDATE campaigns SET current_terms_id = NULL WHERE network_id = ?1;
    DELETE FROM terms WHERE campaign_id IN (SELECT id FROM campaigns WHERE network_id = ?1)";

/// Users who lose a grant lose their sign-ins too.
const DELETE_MEMBERSHIPS: &str = "DELETE FROM sign_ins WHERE user_id IN (SELECT m.user_id
    FROM memberships m JOIN users u ON u.id = m.user_id
    WHERE m.organization <> 'network' AND u.network_id = ?1);
    DELETE FROM memberships WHERE organization <> 'network'
    AND user_id IN (SELECT id FROM users WHERE network_id = ?1)";

/// Users who are members of the network itself are kept.
const DELETE_USERS: &str = "DELETE FROM users WHERE network_id = ?1 AND NOT EXISTS
    (SELECT 1 FROM memberships WHERE user_id = users.id)";

/// The custom data field that every network starts with is kept.
const DELETE_CUSTOM_DATA_FIELDS: &str =
    "DELETE FROM custom_data_fields WHERE network_id = ?1 AND partner_name <> 'channel'";

/// Affiliate that is approved for a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedAffiliate {
    /// Id.
    pub id: AffiliateId,
    /// External id.
    pub external_id: String,
    /// Time of the approval.
    pub approved_at: Timestamp,
}

impl UnitOfWork<'_> {
    /// Makes a network a sandbox.
    pub fn set_sandbox(&mut self, network: NetworkId) -> Result<(), Error> {
        self.execute("UPDATE networks SET sandbox = 1 WHERE id = ?1", [network])?;
        Ok(())
    }

    /// Sets the clock of a sandbox; `None` is the system clock.
    pub fn set_clock(&mut self, network: NetworkId, clock: Option<Timestamp>) -> Result<(), Error> {
        self.execute(
            "UPDATE networks SET clock = ?2 WHERE id = ?1 AND sandbox = 1",
            params![network, clock.map(to_millis)],
        )?;
        Ok(())
    }

    /// Activated campaigns of a network in the order of ids, at most `limit`.
    pub fn activated_campaigns(
        &mut self,
        network: NetworkId,
        limit: u32,
    ) -> Result<Vec<Campaign>, Error> {
        self.query_all(
            &format!(
                "{} WHERE c.network_id = ?1 AND c.status = 'Activated' ORDER BY c.id LIMIT ?2",
                campaigns::SELECT_CAMPAIGN
            ),
            params![network, limit],
            campaigns::campaign_from_row,
        )
    }

    /// Time at which a campaign first went live.
    pub fn first_live_at(&mut self, campaign: CampaignId) -> Result<Option<Timestamp>, Error> {
        let first = self.query_first(
            "SELECT MIN(went_live_at) FROM terms WHERE campaign_id = ?1",
            [campaign],
            |row| row.get::<Option<i64>>(0),
        )?;
        first.flatten().map(timestamp_from_millis).transpose()
    }

    /// Affiliates that are approved for a campaign, at most `limit`, as (id, external id, time of
    /// approval).
    pub fn approved_affiliates(
        &mut self,
        campaign: CampaignId,
        limit: u32,
    ) -> Result<Vec<ApprovedAffiliate>, Error> {
        self.query_all(
            "SELECT p.id, p.id_from_network, COALESCE((SELECT MAX(s.since) FROM object_states s
             WHERE s.object = 'affiliate_campaign' AND s.object_id = a.id AND NOT EXISTS (
                 SELECT 1 FROM object_states b WHERE b.object = s.object
                 AND b.object_id = s.object_id AND b.id = (SELECT MAX(c.id) FROM object_states c
                     WHERE c.object = s.object AND c.object_id = s.object_id AND c.id < s.id)
                 AND b.status = s.status)), a.created_at)
             FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id
             WHERE a.campaign_id = ?1 AND a.status = 'Approved' ORDER BY a.id LIMIT ?2",
            params![campaign, limit],
            |row| {
                Ok(ApprovedAffiliate {
                    id: row.get(0)?,
                    external_id: row.get(1)?,
                    approved_at: timestamp_from_millis(row.get(2)?)?,
                })
            },
        )
    }

    /// Promo numbers of a campaign and of its affiliate campaigns, at most `limit`.
    pub fn promo_numbers_of_campaign(
        &mut self,
        campaign: CampaignId,
        limit: u32,
    ) -> Result<Vec<PromoNumber>, Error> {
        self.query_all(
            &format!(
                "{} WHERE campaign_id = ?1 ORDER BY id LIMIT ?2",
                promo_numbers::SELECT_PROMO_NUMBER
            ),
            params![campaign, limit],
            promo_numbers::promo_number_from_row,
        )
    }

    /// Deletes the data of a sandbox. Kept are the network itself, its members, tokens, webhooks
    /// and first custom data field, and its inventory of phone numbers, all unassigned. Fails on
    /// other networks, whose append-only tables reject deletion.
    pub fn reset_sandbox(&mut self, network: NetworkId) -> Result<(), Error> {
        for (table, rule) in RESET_RULES {
            match rule {
                ResetRule::Keep | ResetRule::Cascade => {}
                ResetRule::Delete(condition) => {
                    let by_call_keys = condition_by_call_keys(table).filter(|_| self.is_postgres());
                    let condition = by_call_keys.unwrap_or(condition);
                    self.execute(&format!("DELETE FROM {table} WHERE {condition}"), [network])?;
                }
                ResetRule::Run(statements) => {
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

    fn query_texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// A new table needs a rule in [`RESET_RULES`].
    #[test]
    fn every_table_has_a_reset_rule_that_can_run() {
        let connection = schema();
        let tables = query_texts(
            &connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        );
        let mut unit = UnitOfWork::new(crate::operations::Connection::Sqlite(&connection));
        for table in &tables {
            let rule = RESET_RULES.iter().find(|(known, _)| known == table).map(|(_, rule)| *rule);
            assert!(rule.is_some(), "table {table} has no reset rule");
        }
        for (table, rule) in RESET_RULES {
            assert!(
                tables.iter().any(|name| name == table),
                "table {table} with the rule {rule:?} does not exist"
            );
        }
        // Rows that refer to a table must be deleted before it, or with it. Campaigns clear their
        // reference to terms first.
        for (index, (table, _)) in RESET_RULES
            .iter()
            .enumerate()
            .filter(|(_, (_, rule))| matches!(rule, ResetRule::Delete(_)))
        {
            let sql = format!("SELECT \"table\" FROM pragma_foreign_key_list('{table}')");
            for parent in query_texts(&connection, &sql) {
                let position = RESET_RULES.iter().position(|(name, _)| **name == parent).unwrap();
                let is_kept = RESET_RULES[position].1 == ResetRule::Keep;
                let is_exempt = *table == "campaigns" && parent == "terms";
                assert!(
                    is_kept || is_exempt || position >= index,
                    "{table} refers to {parent}, which is deleted before it"
                );
            }
        }
        unit.reset_sandbox(NetworkId::new(1)).unwrap();
    }

    #[test]
    fn append_only_rows_can_be_deleted_in_sandboxes_only() {
        let connection = schema();
        connection
            .execute_batch(
                "INSERT INTO networks (id, name, time_zone, created_at, sandbox)
                 VALUES (1, 'S', 'UTC', 0, 1), (2, 'N', 'UTC', 0, 0);
                 INSERT INTO audit (network_id, at, request_id, actor, object, action)
                 VALUES (1, 0, '', '', '', ''), (2, 0, '', '', '', '');",
            )
            .unwrap();
        let mut unit = UnitOfWork::new(crate::operations::Connection::Sqlite(&connection));
        unit.reset_sandbox(NetworkId::new(1)).unwrap();
        assert!(unit.reset_sandbox(NetworkId::new(2)).is_err());
        let left = query_texts(&connection, "SELECT CAST(network_id AS TEXT) FROM audit");
        assert_eq!(left, ["2"]);
        assert!(connection.execute_batch("UPDATE audit SET action = 'x'").is_err());
    }
}
