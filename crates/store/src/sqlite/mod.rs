//! SQLite backend: one file in WAL mode with `synchronous=FULL`, one writing connection with group
//! commit, and a pool of reading connections.

pub(crate) mod connection;
pub(crate) mod files;
pub(crate) mod readers;
pub(crate) mod shared_read_lock;
mod statement_cache;
mod wal_checkpointer;

use crate::operations::{Connection, UnitOfWork};
use crate::writer::{Prefetch, Savepoint, SavepointState, WriteBackend};
use crate::{Error, OpenError};
use shared_read_lock::SharedReadLock;
use std::path::Path;
use std::sync::Arc;
use wal_checkpointer::WalCheckpointer;

/// Writing connection.
pub(crate) struct SqliteWriter {
    connection: rusqlite::Connection,
    read_lock: Arc<SharedReadLock>,
    /// Must be dropped after the connection: its thread ends when the connection's WAL hook is
    /// dropped.
    _checkpointer: WalCheckpointer,
}

impl SqliteWriter {
    pub(crate) fn new(
        mut connection: rusqlite::Connection,
        file: &Path,
        read_lock: Arc<SharedReadLock>,
    ) -> Result<Self, OpenError> {
        let checkpointer = WalCheckpointer::start(&mut connection, file)
            .map_err(|error| connection::file_error(file, &error))?;
        Ok(Self { connection, read_lock, _checkpointer: checkpointer })
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }
}

impl WriteBackend for SqliteWriter {
    fn begin(&mut self) -> Result<(), Error> {
        self.read_lock.suspend();
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&mut self, _emits_events: bool) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT")?;
        self.read_lock.resume();
        Ok(())
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

    fn unit_of_work(&mut self) -> UnitOfWork<'_> {
        UnitOfWork::new(Connection::Sqlite(&self.connection))
    }
}
