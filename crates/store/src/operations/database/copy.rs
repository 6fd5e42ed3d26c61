//! All of a database, moved to another.

use super::check::Watch;
use super::snapshot::Snapshot;
use super::tables::{TABLES, Table};
use super::target::Target;
use crate::operations::{NONE, Session};
use crate::sql::{Cell, Row};
use crate::{Error, OpenError};
use sha2::{Digest, Sha256};

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of all of them, in the order of their keys: on both sides the same.
    pub checksum: String,
}

/// Why a database was not copied. The target is as it was, but for being there and up to date.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The target is in use.
    #[error("the database '{0}' has a network already: copy needs one that has none")]
    NotEmpty(String),
    /// What was written does not read as what it should be.
    #[error("table {0} does not read on the other side as it was written; nothing was copied")]
    Different(&'static str),
    /// Reading or writing failed.
    #[error("cannot copy table {table}; nothing was copied")]
    Table {
        /// Which.
        table: &'static str,
        /// Why.
        source: Error,
    },
    /// Beginning or committing failed.
    #[error("storage failed; nothing was copied")]
    Storage(#[from] Error),
}

/// The columns of a table, in the order of their names, and whether each holds numbers, texts or
/// bytes.
pub(super) type Columns = Vec<(String, Kind)>;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Bytes,
}

/// Copies everything from one database to another that has no network yet: `sqlite://…` or
/// `postgres://…`, either way. The source is read in one snapshot, so that it may be in use; the
/// target is written in one transaction, and read again before its commit.
///
/// # Errors
///
/// When either cannot be opened, the target has a network, or anything fails on the way: then
/// nothing is copied.
pub fn copy(from: &str, to: &str, watch: &mut dyn Watch) -> Result<Vec<Copied>, CopyError> {
    let mut snapshot = Snapshot::open(from)?;
    let source = &mut snapshot.session();
    let mut total = 0;
    for table in TABLES {
        total += source.count_rows(table.name)?;
    }
    let mut target = Target::open(to)?;
    if target.session().exists("SELECT 1 FROM networks LIMIT 1", NONE)? {
        return Err(CopyError::NotEmpty(OpenError::shown(to)));
    }
    // Each row is written, and read again.
    watch.total(2 * total);
    let mut copied = Vec::new();
    for table in TABLES {
        let done = copy_table(source, &mut target, table, watch);
        copied.push(done.map_err(|source| CopyError::Table { table: table.name, source })?);
    }
    for (table, copied) in TABLES.into_iter().zip(&copied) {
        let read = read_back(&mut target, table, watch);
        let read = read.map_err(|source| CopyError::Table { table: table.name, source })?;
        if read != *copied {
            return Err(CopyError::Different(table.name));
        }
    }
    for table in TABLES.into_iter().filter(|table| table.gives_ids) {
        let last = source.last_id(table.name)?;
        target.set_last_id(table.name, last)?;
    }
    target.commit()?;
    Ok(copied)
}

fn copy_table(
    source: &mut Session<'_>,
    target: &mut Target,
    table: Table,
    watch: &mut dyn Watch,
) -> Result<Copied, Error> {
    let columns = source.columns(table.name)?;
    if columns != target.session().columns(table.name)? {
        return Err(Error::Unreadable { what: "columns", source: None });
    }
    // A campaign's terms are not there before the campaign is; its statuses are written down by
    // themselves when it is.
    let later = (table.name == "campaigns").then_some("current_terms_id");
    // What a trigger may have written.
    if ["statuses", "credential_generations"].contains(&table.name) {
        target.session().execute(&format!("DELETE FROM {}", table.name), NONE)?;
    }
    if table.name == "calls" {
        // Calls and their rows go to the months they are of; a month is whole days.
        let days = "SELECT start_time / 86400000 FROM calls GROUP BY start_time / 86400000";
        source.each(days, NONE, |row| {
            let day: i64 = row.get(0)?;
            target.session().make_month(day * 86_400_000)?;
            Ok(true)
        })?;
    }
    let (mut rows, mut sum) = (0, Sum::new(table, &columns));
    target.fill(table.name, &columns, |into| {
        source.each(&all(table, &columns), NONE, |row| {
            sum.add(row)?;
            into.put(&columns, row, later)?;
            rows += 1;
            if rows % 256 == 0 {
                watch.done(256);
            }
            Ok(true)
        })
    })?;
    watch.done(rows % 256);
    if table.name == "terms" {
        let sql = "SELECT id, current_terms_id FROM campaigns WHERE current_terms_id IS NOT NULL";
        source.each(sql, NONE, |row| {
            let (campaign, terms): (i64, i64) = (row.get(0)?, row.get(1)?);
            let sql = "UPDATE campaigns SET current_terms_id = ?2 WHERE id = ?1";
            target.session().execute(sql, [campaign, terms])?;
            Ok(true)
        })?;
    }
    Ok(Copied { table: table.name, rows, checksum: sum.end() })
}

fn read_back(target: &mut Target, table: Table, watch: &mut dyn Watch) -> Result<Copied, Error> {
    let mut session = target.session();
    let columns = session.columns(table.name)?;
    let (mut rows, mut sum) = (0, Sum::new(table, &columns));
    session.each(&all(table, &columns), NONE, |row| {
        sum.add(row)?;
        rows += 1;
        if rows % 256 == 0 {
            watch.done(256);
        }
        Ok(true)
    })?;
    watch.done(rows % 256);
    Ok(Copied { table: table.name, rows, checksum: sum.end() })
}

fn all(table: Table, columns: &Columns) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    format!("SELECT {} FROM {} ORDER BY {}", names.join(", "), table.name, table.key)
}

/// The checksum of rows: each cell with its kind and length, so that no two tables look the same.
struct Sum {
    sum: Sha256,
    columns: usize,
}

impl Sum {
    fn new(table: Table, columns: &Columns) -> Self {
        let mut sum = Sha256::new();
        sum.update(table.name);
        for (name, _) in columns {
            sum.update([0]);
            sum.update(name);
        }
        Self { sum, columns: columns.len() }
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), Error> {
        for index in 0..self.columns {
            let number;
            let (kind, bytes): (u8, &[u8]) = match row.get(index)? {
                Cell::Null => (0, &[]),
                Cell::Integer(it) => {
                    number = it.to_be_bytes();
                    (1, &number)
                }
                Cell::Text(text) => (2, text.as_bytes()),
                Cell::Bytes(bytes) => (3, bytes),
            };
            self.sum.update([kind]);
            self.sum.update((bytes.len() as u64).to_be_bytes());
            self.sum.update(bytes);
        }
        Ok(())
    }

    fn end(self) -> String {
        self.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Session<'_> {
    /// A table's columns, by name.
    fn columns(&mut self, table: &str) -> Result<Columns, Error> {
        let sql = match self.is_postgres() {
            true => {
                "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT)
                 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = ?1"
            }
            false => "SELECT name, type FROM pragma_table_info(?1)",
        };
        let mut columns = self.all(sql, [table], |row| {
            let kind = match row.get::<String>(1)?.to_ascii_lowercase().as_str() {
                "bigint" | "integer" => Kind::Integer,
                "bytea" | "blob" => Kind::Bytes,
                _ => Kind::Text,
            };
            Ok((row.get::<String>(0)?, kind))
        })?;
        columns.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(columns)
    }

    /// The last id that a table has given out; 0 where it has given out none.
    fn last_id(&mut self, table: &str) -> Result<i64, Error> {
        let given = match self.is_postgres() {
            true => format!(
                "SELECT CASE WHEN is_called THEN last_value ELSE CAST(0 AS BIGINT) END
                 FROM {table}_id_seq"
            ),
            false => format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'"),
        };
        let given = self.first(&given, NONE, |row| row.get::<i64>(0))?.unwrap_or(0);
        let highest = format!("SELECT COALESCE(MAX(id), 0) FROM {table}");
        Ok(given.max(self.first(&highest, NONE, |row| row.get::<i64>(0))?.unwrap_or(0)))
    }
}
