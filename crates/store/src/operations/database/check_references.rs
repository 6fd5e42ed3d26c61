//! Check of the references of calls, transactions, events and the audit log. On PostgreSQL these
//! have no foreign keys, which would check each row by itself (see migration 0006). On SQLite the
//! foreign key check covers them.

use super::check_invariants::Rule;

/// Referring table, its column, and the table it refers to.
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

/// One rule for each reference.
pub(super) fn reference_rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = REFERENCES.map(reference_rule).into();
    rules.push(missing_parent_rule(
        "transactions",
        "calls",
        "NOT EXISTS (SELECT 1 FROM calls p WHERE p.id = t.call_id AND p.start_time = t.start_time)",
    ));
    rules
}

fn reference_rule((table, column, parent): (&str, &str, &str)) -> Rule {
    let missing = format!(
        "t.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.id = t.{column})"
    );
    missing_parent_rule(table, parent, &missing)
}

fn missing_parent_rule(table: &str, parent: &str, missing: &str) -> Rule {
    let sql = format!(
        "SELECT '{table} ' || t.id, CAST(NULL AS TEXT), 'a row of {parent}'
         FROM {table} t WHERE {missing}"
    );
    Rule { name: "reference", sql }
}
