//! Consistency check of a database.

use super::check_invariants::{Rule, call_key_rule, invariant_rules};
use super::check_references::reference_rules;
use super::snapshot::Snapshot;
use super::tables::TABLES;
use crate::operations::{NO_PARAMS, UnitOfWork};
use crate::sql::{Cell, Row};
use crate::{Error, OpenError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Inconsistency that the check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Name of the rule that is violated: `one_transaction`.
    pub rule: &'static str,
    /// Location: `call 12`, by ids.
    pub location: String,
    /// Stored value.
    pub found: Value,
    /// Value that the rule requires.
    pub expected: Value,
}

/// Observer of a long pass over a database.
pub trait ProgressObserver {
    /// Called with the number of rows to be read, before the pass.
    fn on_total(&mut self, rows: u64);
    /// Called with the number of further rows that were read.
    fn on_rows_done(&mut self, rows: u64);
    /// Called with each inconsistency.
    fn on_finding(&mut self, finding: Finding);
}

/// Checks a whole database in one snapshot and reports every violated rule to `watch`. Returns the
/// number of rows in each table. Writes nothing.
///
/// # Errors
///
/// The database cannot be opened or read, or has another schema version.
pub fn check_database(
    url: &str,
    observer: &mut dyn ProgressObserver,
) -> Result<Result<BTreeMap<&'static str, u64>, Error>, OpenError> {
    let mut snapshot = Snapshot::open(url)?;
    Ok(check_in(&mut snapshot.unit_of_work(), observer))
}

fn check_in(
    unit: &mut UnitOfWork<'_>,
    observer: &mut dyn ProgressObserver,
) -> Result<BTreeMap<&'static str, u64>, Error> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        counts.insert(table.name, unit.count_rows(table.name)?);
    }
    observer.on_total(counts.values().sum());
    if unit.is_postgres() {
        for rule in reference_rules().iter().chain([&call_key_rule()]) {
            unit.check_rule(rule, observer)?;
        }
    } else {
        unit.check_file(observer)?;
    }
    for rule in invariant_rules() {
        let result = unit.check_rule(&rule, observer);
        report_unreadable_rows(observer, rule.name, result)?;
    }
    unit.check_json_columns(observer)?;
    let result = unit.check_ledger(observer);
    report_unreadable_rows(observer, "calls and transactions", result)?;
    let result = unit.check_caps(observer);
    report_unreadable_rows(observer, "terms", result)?;
    let result = unit.check_holds(observer);
    report_unreadable_rows(observer, "live_calls", result)?;
    Ok(counts)
}

/// Reports rows that cannot be read, at which a part of the check ended, so that the next part runs.
/// Outages of the database still end the check.
pub(super) fn report_unreadable_rows(
    observer: &mut dyn ProgressObserver,
    location: &str,
    result: Result<(), Error>,
) -> Result<(), Error> {
    match result {
        Err(error) if !error.is_outage() => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            observer.on_finding(Finding {
                rule: "unreadable",
                location: location.to_owned(),
                found: cause.unwrap_or_else(|| error.to_string()).into(),
                expected: "rows that can be read".into(),
            });
            Ok(())
        }
        result => result,
    }
}

/// Converts a column to JSON.
fn cell_to_json(row: &Row<'_>, index: usize) -> Result<Value, Error> {
    Ok(match row.get(index)? {
        Cell::Null | Cell::Bytes(_) => Value::Null,
        Cell::Integer(number) => number.into(),
        Cell::Text(text) => text.into(),
    })
}

impl UnitOfWork<'_> {
    fn check_rule(
        &mut self,
        rule: &Rule,
        observer: &mut dyn ProgressObserver,
    ) -> Result<(), Error> {
        self.for_each_row(&rule.sql, NO_PARAMS, |row| {
            let found = cell_to_json(row, 1)?;
            let expected = cell_to_json(row, 2)?;
            observer.on_finding(Finding {
                rule: rule.name,
                location: row.get(0)?,
                found,
                expected,
            });
            Ok(true)
        })
    }

    /// Runs SQLite's integrity check and foreign key check. A PostgreSQL server verifies its pages
    /// itself, and most references by foreign keys.
    fn check_file(&mut self, observer: &mut dyn ProgressObserver) -> Result<(), Error> {
        self.for_each_row("PRAGMA integrity_check(100)", NO_PARAMS, |row| {
            let message: String = row.get(0)?;
            if message != "ok" {
                observer.on_finding(Finding {
                    rule: "file",
                    location: "the file".to_owned(),
                    found: message.into(),
                    expected: "ok".into(),
                });
            }
            Ok(true)
        })?;
        self.for_each_row("PRAGMA foreign_key_check", NO_PARAMS, |row| {
            let table: String = row.get(0)?;
            let id: Option<i64> = row.get(1)?;
            let at = id.map_or(table.clone(), |id| format!("{table} {id}"));
            let parent: String = row.get(2)?;
            let expected = format!("a row of {parent}").into();
            observer.on_finding(Finding {
                rule: "reference",
                location: at,
                found: Value::Null,
                expected,
            });
            Ok(true)
        })
    }
}
