//! List of all tables.

/// Table with the columns that identify its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Columns of the primary key.
    pub(super) key: &'static str,
    /// True if the table generates ids.
    pub(super) generates_ids: bool,
}

const fn with_id(name: &'static str) -> Table {
    Table { name, key: "id", generates_ids: true }
}

const fn with_key(name: &'static str, key: &'static str) -> Table {
    Table { name, key, generates_ids: false }
}

/// All tables, each after those it refers to. A test compares them with the schema.
pub(super) const TABLES: [Table; 35] = [
    with_id("networks"),
    with_id("parties"),
    with_id("users"),
    with_key("user_emails", "email_key, user_id"),
    with_id("email_verifications"),
    with_key("memberships", "organization, organization_id, position"),
    with_id("custom_data_fields"),
    with_id("relationships"),
    with_id("campaigns"),
    with_id("terms"),
    with_id("affiliate_campaigns"),
    with_id("object_states"),
    with_key("numbers", "network_id, number"),
    with_id("promo_numbers"),
    with_id("promo_number_holdings"),
    with_id("tokens"),
    with_key("token_uses", "token_id"),
    with_key("credential_generations", "id"),
    with_id("sign_ins"),
    with_id("audit"),
    with_key("idempotency", "network_id, actor, key"),
    with_id("calls"),
    with_key("live_calls", "call_id"),
    with_key("call_events", "call_id, sequence"),
    with_id("transactions"),
    with_key("recordings", "call_id"),
    with_key("recording_link_keys", "network_id"),
    with_key("call_quarters", "campaign_id, quarter"),
    with_key("budget_totals", "campaign_id, kind, period_start, period_end, currency"),
    with_id("events"),
    with_id("webhooks"),
    with_id("deliveries"),
    with_id("mails"),
    with_key("rate_limits", "credential"),
    with_key("audit_usage", "network_id, tenant"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::connection::MIGRATIONS;
    use rusqlite::Connection;

    fn query_texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// A new table must be added to [`TABLES`].
    #[test]
    fn tables_match_the_schema_and_follow_the_tables_they_refer_to() {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let mut stored = query_texts(
            &connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        );
        stored.sort();
        let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        known.sort_unstable();
        assert_eq!(known, stored);
        let ids = query_texts(
            &connection,
            "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'",
        );
        for (index, table) in TABLES.iter().enumerate() {
            let sql = format!(
                "SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk",
                table.name
            );
            assert_eq!(query_texts(&connection, &sql).join(", "), table.key, "{}", table.name);
            assert_eq!(
                ids.iter().any(|name| name == table.name),
                table.generates_ids,
                "{}",
                table.name
            );
            let sql = format!("SELECT \"table\" FROM pragma_foreign_key_list('{}')", table.name);
            for parent in query_texts(&connection, &sql) {
                let position = TABLES.iter().position(|table| table.name == parent).unwrap();
                // Campaigns get their terms afterwards; a correction comes after the transaction
                // that it corrects.
                let is_exempt = table.name == "campaigns" && parent == "terms";
                assert!(is_exempt || position <= index, "{} refers to {parent}", table.name);
            }
        }
    }
}
