//! Every table.

/// A table, and the columns that its rows are told apart by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The primary key.
    pub(super) key: &'static str,
    /// Whether it gives out ids.
    pub(super) gives_ids: bool,
}

const fn by_id(name: &'static str) -> Table {
    Table { name, key: "id", gives_ids: true }
}

const fn by(name: &'static str, key: &'static str) -> Table {
    Table { name, key, gives_ids: false }
}

/// Every table, those that others refer to before these. A test holds it to the schema.
pub(super) const TABLES: [Table; 29] = [
    by_id("networks"),
    by_id("parties"),
    by_id("users"),
    by("user_emails", "email_key, user_id"),
    by("memberships", "organization, organization_id, position"),
    by_id("custom_data_fields"),
    by_id("relationships"),
    by_id("campaigns"),
    by_id("terms"),
    by_id("affiliate_campaigns"),
    by_id("statuses"),
    by("numbers", "network_id, number"),
    by_id("promo_numbers"),
    by_id("tokens"),
    by("credential_generations", "id"),
    by_id("sign_ins"),
    by_id("audit"),
    by("idempotency", "network_id, actor, key"),
    by_id("calls"),
    by("live_calls", "call_id"),
    by("call_events", "call_id, sequence"),
    by_id("transactions"),
    by("call_quarters", "campaign_id, quarter"),
    by("budget_totals", "campaign_id, kind, period_start, period_end, currency"),
    by_id("events"),
    by_id("webhooks"),
    by_id("deliveries"),
    by_id("mails"),
    by("rate_limits", "credential"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::connection::MIGRATIONS;
    use rusqlite::Connection;

    fn texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// A new table stands in [`TABLES`], or this fails.
    #[test]
    fn every_table_is_known_by_its_key_after_those_it_refers_to() {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let mut there = texts(
            &connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        );
        there.sort();
        let mut known: Vec<&str> = TABLES.iter().map(|it| it.name).collect();
        known.sort_unstable();
        assert_eq!(known, there);
        let ids =
            texts(&connection, "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'");
        for (at, table) in TABLES.iter().enumerate() {
            let sql = format!(
                "SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk",
                table.name
            );
            assert_eq!(texts(&connection, &sql).join(", "), table.key, "{}", table.name);
            assert_eq!(ids.iter().any(|it| it == table.name), table.gives_ids, "{}", table.name);
            let sql = format!("SELECT \"table\" FROM pragma_foreign_key_list('{}')", table.name);
            for parent in texts(&connection, &sql) {
                let place = TABLES.iter().position(|it| it.name == parent).unwrap();
                // Campaigns get their terms afterwards; a correction comes after what it corrects.
                let untied = table.name == "campaigns" && parent == "terms";
                assert!(untied || place <= at, "{} refers to {parent}", table.name);
            }
        }
    }
}
