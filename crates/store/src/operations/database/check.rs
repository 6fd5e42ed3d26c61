//! Whether everything in a database agrees.

use super::references::references;
use super::rules::{Rule, keys, rules};
use super::snapshot::Snapshot;
use super::tables::TABLES;
use crate::operations::{NONE, Session};
use crate::sql::{Cell, Row};
use crate::{Error, OpenError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that does not agree with the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which rule it breaks: `one_transaction`.
    pub rule: &'static str,
    /// Where: `call 12`, by our ids.
    pub at: String,
    /// What is there.
    pub found: Value,
    /// What the rule wants there.
    pub expected: Value,
}

/// Whoever follows a long pass over a database.
pub trait Watch {
    /// So many rows are to be gone through.
    fn total(&mut self, rows: u64);
    /// So many more are done.
    fn done(&mut self, rows: u64);
    /// Something does not agree.
    fn found(&mut self, finding: Finding);
}

/// Reads all of a database, in one snapshot, and tells `watch` of everything that breaks a rule;
/// returns how many rows each table has. Writes nothing.
///
/// # Errors
///
/// When the database cannot be opened or read, or is not of this version.
pub fn check(
    url: &str,
    watch: &mut dyn Watch,
) -> Result<Result<BTreeMap<&'static str, u64>, Error>, OpenError> {
    let mut snapshot = Snapshot::open(url)?;
    Ok(check_in(&mut snapshot.session(), watch))
}

fn check_in(
    session: &mut Session<'_>,
    watch: &mut dyn Watch,
) -> Result<BTreeMap<&'static str, u64>, Error> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        counts.insert(table.name, session.count_rows(table.name)?);
    }
    watch.total(counts.values().sum());
    if session.is_postgres() {
        for rule in references().iter().chain([&keys()]) {
            session.check_rule(rule, watch)?;
        }
    } else {
        session.check_file(watch)?;
    }
    for rule in rules() {
        session.check_rule(&rule, watch)?;
    }
    session.check_bodies(watch)?;
    session.check_books(watch)?;
    session.check_caps(watch)?;
    Ok(counts)
}

/// A cell as JSON shows it.
fn shown(row: &Row<'_>, index: usize) -> Result<Value, Error> {
    Ok(match row.get(index)? {
        Cell::Null | Cell::Bytes(_) => Value::Null,
        Cell::Integer(number) => number.into(),
        Cell::Text(text) => text.into(),
    })
}

impl Session<'_> {
    fn check_rule(&mut self, rule: &Rule, watch: &mut dyn Watch) -> Result<(), Error> {
        self.each(&rule.sql, NONE, |row| {
            let (found, expected) = (shown(row, 1)?, shown(row, 2)?);
            watch.found(Finding { rule: rule.name, at: row.get(0)?, found, expected });
            Ok(true)
        })
    }

    /// What SQLite knows of its own file, and of what refers to what is not there; a server sees to
    /// the first by itself, and to most of the second.
    fn check_file(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        self.each("PRAGMA integrity_check(100)", NONE, |row| {
            let said: String = row.get(0)?;
            if said != "ok" {
                let (rule, at, expected) = ("file", "the file".to_owned(), "ok".into());
                watch.found(Finding { rule, at, found: said.into(), expected });
            }
            Ok(true)
        })?;
        self.each("PRAGMA foreign_key_check", NONE, |row| {
            let (table, id): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
            let at = id.map_or(table.clone(), |id| format!("{table} {id}"));
            let parent: String = row.get(2)?;
            let expected = format!("a row of {parent}").into();
            watch.found(Finding { rule: "reference", at, found: Value::Null, expected });
            Ok(true)
        })
    }
}
