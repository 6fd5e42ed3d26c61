//! Copy of a whole database to another.

use super::check::ProgressObserver;
use super::snapshot::Snapshot;
use super::tables::{TABLES, Table};
use super::target::Target;
use crate::operations::bulk_insert::ColumnType;
use crate::operations::{NO_PARAMS, UnitOfWork};
use crate::sql::{Cell, Row, params};
use crate::{Error, OpenError};
use sha2::{Digest, Sha256};
use trunkline_domain::id::{CampaignId, TermsId};

/// Result of copying a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Name of the table.
    pub table: &'static str,
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 of all rows in the order of their keys, equal in source and target.
    pub checksum: String,
}

/// Failure to copy a database. The target may have been created and migrated, but has no copied
/// rows.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source or the target cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The target already has a network.
    #[error("the database '{0}' has a network already: copy needs one that has none")]
    NotEmpty(String),
    /// Rows read back from the target differ from the source.
    #[error("table {0} has other rows in the copy than in the source; nothing was copied")]
    Different(&'static str),
    /// A table could not be read or written.
    #[error("cannot copy table {table}; nothing was copied")]
    Table {
        /// Name of the table.
        table: &'static str,
        /// Cause.
        source: Error,
    },
    /// Beginning or committing the copy failed.
    #[error("storage failed; nothing was copied")]
    Storage(#[from] Error),
}

/// Columns of a table with their types, ordered by name.
pub(super) type Columns = Vec<(String, ColumnType)>;

/// Copies everything from one database to another that has no network yet, between any two of
/// `sqlite://…` and `postgres://…`. The source is read in one snapshot, so it may be in use. The
/// target is written in one transaction, and read back before its commit.
///
/// # Errors
///
/// Either cannot be opened, the target has a network, or a read or write fails. Nothing is copied
/// then.
pub fn copy_database(
    from: &str,
    to: &str,
    observer: &mut dyn ProgressObserver,
) -> Result<Vec<CopiedTable>, CopyError> {
    let mut snapshot = Snapshot::open(from)?;
    let source = &mut snapshot.unit_of_work();
    let mut total = 0;
    for table in TABLES {
        total += source.count_rows(table.name)?;
    }
    let mut target = Target::open(to)?;
    if target.unit_of_work().exists("SELECT 1 FROM networks LIMIT 1", NO_PARAMS)? {
        return Err(CopyError::NotEmpty(OpenError::redacted_location(to)));
    }
    // Each row is written and read back.
    observer.on_total(2 * total);
    let mut copied = Vec::new();
    for table in TABLES {
        let result = copy_table(source, &mut target, table, observer);
        copied.push(result.map_err(|source| CopyError::Table { table: table.name, source })?);
    }
    for (table, copied) in TABLES.into_iter().zip(&copied) {
        let read = read_back(&mut target, table, observer);
        let read = read.map_err(|source| CopyError::Table { table: table.name, source })?;
        if read != *copied {
            return Err(CopyError::Different(table.name));
        }
    }
    for table in TABLES.into_iter().filter(|table| table.generates_ids) {
        let last = source.last_id(table.name)?;
        target.set_last_id(table.name, last)?;
    }
    target.commit()?;
    Ok(copied)
}

fn copy_table(
    source: &mut UnitOfWork<'_>,
    target: &mut Target,
    table: Table,
    observer: &mut dyn ProgressObserver,
) -> Result<CopiedTable, Error> {
    let columns = source.columns(table.name)?;
    if columns != target.unit_of_work().columns(table.name)? {
        return Err(Error::Unreadable { value: "columns", source: None });
    }
    // A campaign refers to terms that are copied after it, so the reference is set later.
    let omitted = (table.name == "campaigns").then_some("current_terms_id");
    // Rows that triggers of the copy itself have inserted.
    if ["object_states", "credential_generations"].contains(&table.name) {
        target.unit_of_work().execute(&format!("DELETE FROM {}", table.name), NO_PARAMS)?;
    }
    if table.name == "calls" {
        // Create the partitions for all calls. A partition has whole days (UTC), so one call per
        // day suffices.
        let days = "SELECT start_time / 86400000 FROM calls GROUP BY start_time / 86400000";
        source.for_each_row(days, NO_PARAMS, |row| {
            let day: i64 = row.get(0)?;
            target.unit_of_work().ensure_partition(day * 86_400_000)?;
            Ok(true)
        })?;
    }
    let mut rows = 0;
    let mut checksum = Checksum::new(table, &columns);
    target.write_table(table.name, &columns, |writer| {
        source.for_each_row(&select_all(table, &columns), NO_PARAMS, |row| {
            checksum.add_row(row)?;
            writer.write_row(&columns, row, omitted)?;
            rows += 1;
            if rows % 256 == 0 {
                observer.on_rows_done(256);
            }
            Ok(true)
        })
    })?;
    observer.on_rows_done(rows % 256);
    if table.name == "terms" {
        let sql = "SELECT id, current_terms_id FROM campaigns WHERE current_terms_id IS NOT NULL";
        source.for_each_row(sql, NO_PARAMS, |row| {
            let campaign: CampaignId = row.get(0)?;
            let terms: TermsId = row.get(1)?;
            let sql = "UPDATE campaigns SET current_terms_id = ?2 WHERE id = ?1";
            target.unit_of_work().execute(sql, params![campaign, terms])?;
            Ok(true)
        })?;
    }
    Ok(CopiedTable { table: table.name, rows, checksum: checksum.finish() })
}

fn read_back(
    target: &mut Target,
    table: Table,
    observer: &mut dyn ProgressObserver,
) -> Result<CopiedTable, Error> {
    let mut unit = target.unit_of_work();
    let columns = unit.columns(table.name)?;
    let mut rows = 0;
    let mut checksum = Checksum::new(table, &columns);
    unit.for_each_row(&select_all(table, &columns), NO_PARAMS, |row| {
        checksum.add_row(row)?;
        rows += 1;
        if rows % 256 == 0 {
            observer.on_rows_done(256);
        }
        Ok(true)
    })?;
    observer.on_rows_done(rows % 256);
    Ok(CopiedTable { table: table.name, rows, checksum: checksum.finish() })
}

fn select_all(table: Table, columns: &Columns) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    format!("SELECT {} FROM {} ORDER BY {}", names.join(", "), table.name, table.key)
}

/// Checksum of rows. Each cell is hashed with its type and length, so that different rows cannot
/// yield the same bytes.
struct Checksum {
    sum: Sha256,
    columns: usize,
}

impl Checksum {
    fn new(table: Table, columns: &Columns) -> Self {
        let mut sum = Sha256::new();
        sum.update(table.name);
        for (name, _) in columns {
            sum.update([0]);
            sum.update(name);
        }
        Self { sum, columns: columns.len() }
    }

    fn add_row(&mut self, row: &Row<'_>) -> Result<(), Error> {
        for index in 0..self.columns {
            let number;
            let (kind, bytes): (u8, &[u8]) = match row.get(index)? {
                Cell::Null => (0, &[]),
                Cell::Integer(value) => {
                    number = value.to_be_bytes();
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

    fn finish(self) -> String {
        self.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl UnitOfWork<'_> {
    /// Columns of a table, ordered by name.
    fn columns(&mut self, table: &str) -> Result<Columns, Error> {
        let sql = match self.is_postgres() {
            true => {
                "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT)
                 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = ?1"
            }
            false => "SELECT name, type FROM pragma_table_info(?1)",
        };
        let mut columns = self.query_all(sql, [table], |row| {
            let kind = match row.get::<String>(1)?.to_ascii_lowercase().as_str() {
                "bigint" | "integer" => ColumnType::Integer,
                "bytea" | "blob" => ColumnType::Bytes,
                _ => ColumnType::Text,
            };
            Ok((row.get::<String>(0)?, kind))
        })?;
        columns.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(columns)
    }

    /// Last id that a table has generated; 0 if none.
    fn last_id(&mut self, table: &str) -> Result<i64, Error> {
        let last_sql = match self.is_postgres() {
            true => format!(
                "SELECT CASE WHEN is_called THEN last_value ELSE CAST(0 AS BIGINT) END
                 FROM {table}_id_seq"
            ),
            false => format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'"),
        };
        let last = self.query_first(&last_sql, NO_PARAMS, |row| row.get::<i64>(0))?.unwrap_or(0);
        let highest_sql = format!("SELECT COALESCE(MAX(id), 0) FROM {table}");
        Ok(last
            .max(self.query_first(&highest_sql, NO_PARAMS, |row| row.get::<i64>(0))?.unwrap_or(0)))
    }
}
