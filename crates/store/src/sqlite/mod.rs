//! SQLite backend: one file in WAL mode with `synchronous=FULL`, one writing connection with group
//! commit, and a pool of reading connections.

pub(crate) mod connection;
pub(crate) mod file_lock;
mod file_watch;
pub(crate) mod files;
pub(crate) mod readers;
pub(crate) mod reserve;
pub(crate) mod shared_read_lock;
pub(crate) mod start_id;
mod statement_cache;
mod wal_checkpointer;

use crate::operations::{Connection, UnitOfWork};
use crate::writer::{Prefetch, Savepoint, SavepointState, WriteBackend};
use crate::{Error, OpenError};
use file_lock::{FileLock, ServerLock};
pub(crate) use file_watch::FileWatch;
use reserve::Reserve;
use shared_read_lock::SharedReadLock;
use std::path::Path;
use std::sync::Arc;
use wal_checkpointer::WalCheckpointer;

/// Longest wait for readers of other processes when the database is closed.
const CLOSE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// Database file opened for writing, with its lock.
pub(crate) struct OpenFile {
    pub(crate) connection: rusqlite::Connection,
    /// Must be dropped after the connection.
    lock: FileLock,
    /// True if a server opens it.
    is_server: bool,
}

/// Opens a file for writing, creating it if it does not exist, and applies missing migrations. A server
/// passes the start id to set; a command passes `None`.
pub(crate) fn open(file: &Path, start: Option<start_id::StartId>) -> Result<OpenFile, OpenError> {
    let error = |error: std::io::Error| connection::file_error(file, &error);
    connection::check_directory(file)?;
    let lock = match start {
        Some(_) => FileLock::for_server(file)?,
        None => ServerLock::Shared(FileLock::shared(file)?),
    };
    start_id::check_files(file)?;
    start_id::adopt(file).map_err(error)?;
    let mut connection = connection::open(file)?;
    connection::migrate(&mut connection, file)?;
    if let Some(start) = start {
        files::warn_if_readable_by_others(file);
        // A second server on one file goes on with the start id of the first.
        if let ServerLock::Exclusive(lock) = &lock {
            start_id::set(&connection, file, start)?;
            lock.share().map_err(error)?;
        }
    }
    let (ServerLock::Exclusive(lock) | ServerLock::Shared(lock)) = lock;
    Ok(OpenFile { connection, lock, is_server: start.is_some() })
}

/// Writing connection.
pub(crate) struct SqliteWriter {
    connection: rusqlite::Connection,
    read_lock: Arc<SharedReadLock>,
    watch: Arc<FileWatch>,
    /// Stopped before the connection is closed.
    checkpointer: Option<WalCheckpointer>,
    reserve: Reserve,
    /// Must be dropped after the connection.
    lock: FileLock,
}

impl SqliteWriter {
    pub(crate) fn new(
        opened: OpenFile,
        file: &Path,
        read_lock: Arc<SharedReadLock>,
    ) -> Result<Self, OpenError> {
        let OpenFile { mut connection, lock, is_server } = opened;
        let checkpointer = WalCheckpointer::start(&mut connection, file)
            .map_err(|error| connection::file_error(file, &error))?;
        let watch = FileWatch::new(file);
        let mut reserve = Reserve::of(file, is_server);
        reserve.restore();
        Ok(Self { connection, read_lock, watch, checkpointer: Some(checkpointer), reserve, lock })
    }

    /// Watch of the database file.
    pub(crate) fn watch(&self) -> Arc<FileWatch> {
        Arc::clone(&self.watch)
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }
}

impl Drop for SqliteWriter {
    /// Moves the log into the file, so that the file alone is complete, unless another process still
    /// uses both. The other connections of this process are closed already.
    fn drop(&mut self) {
        let no_hook: Option<fn(&mut rusqlite::hooks::Wal, i32) -> rusqlite::Result<()>> = None;
        self.connection.wal_hook(no_hook).ok();
        drop(self.checkpointer.take());
        if self.watch.verify().is_err() {
            // At its close SQLite would delete the log that is at the path now.
            let setting = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            self.connection.set_db_config(setting, true).ok();
            return;
        }
        if !self.lock.try_upgrade() {
            return;
        }
        self.connection.busy_timeout(CLOSE_TIMEOUT).ok();
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        if let Err(error) = &busy {
            tracing::warn!(%error, "the log of the database was not moved into its file: keep both");
        }
    }
}

impl WriteBackend for SqliteWriter {
    fn begin(&mut self) -> Result<(), Error> {
        self.watch.verify()?;
        self.read_lock.suspend();
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&mut self, _emits_events: bool) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT")?;
        self.read_lock.resume();
        // A commit to a file that was replaced meanwhile is lost, and is not acknowledged.
        self.watch.verify()
    }

    fn rollback(&mut self) {
        // SQLite has rolled back by itself if this fails.
        self.connection.execute_batch("ROLLBACK").ok();
        self.read_lock.resume();
    }

    fn savepoint(&mut self, state: SavepointState, _queries: Prefetch) -> Result<Savepoint, Error> {
        match state {
            // The whole transaction can be rolled back instead, which is cheaper than a savepoint's
            // journal.
            SavepointState::TransactionStart => {
                return Ok(Savepoint { state, deferred_error: None });
            }
            SavepointState::Missing => self.run("SAVEPOINT work")?,
            SavepointState::Stale => {
                self.run("RELEASE work")?;
                self.run("SAVEPOINT work")?;
            }
            SavepointState::Current => {}
        }
        Ok(Savepoint { state: SavepointState::Current, deferred_error: None })
    }

    fn flush(&mut self) -> Result<Option<Error>, Error> {
        Ok(None)
    }

    fn rollback_to_savepoint(&mut self, state: SavepointState) -> Result<(), Error> {
        if state == SavepointState::TransactionStart {
            self.connection.execute_batch("ROLLBACK")?;
            return self.begin();
        }
        self.run("ROLLBACK TO work")
    }

    fn release_reserve(&mut self) {
        self.reserve.release_if_needed();
    }

    fn restore_reserve(&mut self) {
        self.reserve.restore();
    }

    fn unit_of_work(&mut self) -> UnitOfWork<'_> {
        UnitOfWork::new(Connection::Sqlite(&self.connection))
    }
}
