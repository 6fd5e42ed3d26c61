//! Opening a file and bringing it up to date.

use crate::OpenError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Forward only; each runs in a transaction of its own, at start.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_network.sql"),
    include_str!("../../migrations/sqlite/0002_calls.sql"),
    include_str!("../../migrations/sqlite/0003_money.sql"),
    include_str!("../../migrations/sqlite/0004_outbox.sql"),
    include_str!("../../migrations/sqlite/0005_ledger.sql"),
    include_str!("../../migrations/sqlite/0006_live_calls.sql"),
    include_str!("../../migrations/sqlite/0007_sandbox.sql"),
    include_str!("../../migrations/sqlite/0008_credentials.sql"),
    include_str!("../../migrations/sqlite/0009_rate_limits.sql"),
    include_str!("../../migrations/sqlite/0010_stored_at.sql"),
];

/// Pages of the file that the writing connection keeps in memory (KiB).
const CACHE: i64 = 16 << 10;
/// Statements kept prepared for each connection.
const STATEMENTS: usize = 256;

pub(super) fn refused(file: &Path, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::File { file: file.display().to_string(), reason: error.to_string() }
}

/// Opens a connection that may write, making the file if it is not there.
pub(crate) fn open(file: &Path) -> Result<Connection, OpenError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(refused(file, &"its folder is not there"));
    }
    let connection = Connection::open(file).map_err(|error| refused(file, &error))?;
    let set_up = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        prepare_once(&connection)?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        // What a savepoint needs to undo its writes would be a file, written as often as the log.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(())
    };
    set_up().map_err(|error| refused(file, &error))?;
    // SQLite opens a file that it can't write as one that it may only read, and says nothing.
    if connection.is_readonly("main").map_err(|error| refused(file, &error))? {
        return Err(refused(file, &"it cannot be written"));
    }
    Ok(connection)
}

/// Keeps statements prepared. Without the stability guarantee most of those with parameters would be
/// prepared again each time they run, in case other values had a better plan.
fn prepare_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Opens a connection that moves the log to the file, and does nothing else.
pub(super) fn open_checkpointer(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // The log is on disk before the file is touched, and the file before the log begins anew.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Opens a connection that only reads. A small cache each: there are several of them.
pub(crate) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    prepare_once(&connection)?;
    Ok(connection)
}

/// Runs the migrations that a file has not had. Two processes that start at once run each once:
/// the version is read inside the transaction that changes it.
pub(crate) fn migrate(connection: &mut Connection, file: &Path) -> Result<(), OpenError> {
    let known = MIGRATIONS.len() as i64;
    loop {
        let found = migrate_once(connection).map_err(|error| refused(file, &error))?;
        if found > known || found < 0 {
            return Err(OpenError::Newer { file: file.display().to_string(), found, known });
        }
        if found == known {
            return Ok(());
        }
    }
}

/// Runs the next migration, if there is one, and returns the version there was before it.
fn migrate_once(connection: &mut Connection) -> rusqlite::Result<i64> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found >= MIGRATIONS.len() as i64 {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if let Some(sql) = usize::try_from(found).ok().and_then(|at| MIGRATIONS.get(at)) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
    }
    transaction.commit()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, migrate};
    use rusqlite::Connection;
    use std::path::Path;

    /// Events that were written before it was kept when they were stored are as old as they say.
    #[test]
    fn a_file_of_an_earlier_version_is_brought_up_to_date() {
        let mut connection = Connection::open_in_memory().unwrap();
        for sql in MIGRATIONS.get(..7).unwrap() {
            connection.execute_batch(sql).unwrap();
        }
        connection.pragma_update(None, "user_version", 7).unwrap();
        connection
            .execute_batch(
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (1, 'A', 'UTC', 0);
                 INSERT INTO events (network_id, at, kind, body) VALUES (1, 1700000000000, 'k', '{}')",
            )
            .unwrap();
        migrate(&mut connection, Path::new("a file")).unwrap();
        let stored: i64 =
            connection.query_row("SELECT stored_at FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(stored, 1_700_000_000_000);
    }
}
