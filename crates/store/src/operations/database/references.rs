//! What calls, the ledger, events and the log refer to is there. On PostgreSQL they have no foreign keys, which
//! would look at each row by itself (see its migrations); SQLite says what [`super::rules`] leaves to it.

use super::rules::Rule;

/// A table, a column of it, and the table whose rows that refers to.
const REFERENCES: [(&str, &str, &str); 10] = [
    ("calls", "network_id", "networks"),
    ("calls", "campaign_id", "campaigns"),
    ("calls", "affiliate_id", "parties"),
    ("calls", "terms_id", "terms"),
    ("transactions", "network_id", "networks"),
    ("transactions", "campaign_id", "campaigns"),
    ("transactions", "advertiser_id", "parties"),
    ("transactions", "affiliate_id", "parties"),
    ("events", "network_id", "networks"),
    ("audit", "network_id", "networks"),
];

/// A rule for each reference.
pub(super) fn references() -> Vec<Rule> {
    let mut rules: Vec<Rule> = REFERENCES.map(reference).into();
    rules.push(rule(
        "transactions",
        "calls",
        "NOT EXISTS (SELECT 1 FROM calls p WHERE p.id = t.call_id AND p.start_time = t.start_time)",
    ));
    rules
}

fn reference((table, column, parent): (&str, &str, &str)) -> Rule {
    let missing = format!(
        "t.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.id = t.{column})"
    );
    rule(table, parent, &missing)
}

fn rule(table: &str, parent: &str, missing: &str) -> Rule {
    let sql = format!(
        "SELECT '{table} ' || t.id, CAST(NULL AS TEXT), 'a row of {parent}'
         FROM {table} t WHERE {missing}"
    );
    Rule { name: "reference", sql }
}
