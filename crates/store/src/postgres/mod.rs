//! PostgreSQL backend. Several servers can share one database: an advisory lock lets one of them
//! write at a time, and each commits its queued units of work as a group.

mod certificate_verifier;
mod connection;
mod endpoint;
mod listener;
mod migrations;
mod multiplexed_pool;
mod partitions;
mod pipeline;
mod readers;
mod tls;
mod url;

pub(crate) use connection::{CopyIn, PgConnection};
pub(crate) use endpoint::PgEndpoint;
pub(crate) use listener::start as listen;
pub(crate) use multiplexed_pool::MultiplexedPool;
pub(crate) use partitions::PartitionMonth;
pub(crate) use readers::Readers;
pub(crate) use url::without_password;

use crate::operations::{Connection, UnitOfWork};
use crate::writer::{Prefetch, Savepoint, SavepointState, WriteBackend};
use crate::{Error, OpenError};
use pipeline::PipelineError;
use std::sync::Arc;

/// Key of the advisory lock that a writing server holds until its commit.
const WRITE_LOCK_KEY: i64 = 0x5472_756e_6b6c;
/// Number of attempts to take the advisory lock, each as long as the lock timeout.
const MAX_LOCK_ATTEMPTS: usize = 5;

/// Opens a database, applies missing migrations, and returns its writer.
pub(crate) fn open(url: &str) -> Result<PgWriter, OpenError> {
    let open_error = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: without_password(url),
        reason: reason.to_string(),
    };
    let server = Arc::new(PgEndpoint::new(url).map_err(|error| open_error(&error))?);
    let mut pg =
        server.open_connection().map_err(|error| open_error(&connection::error_chain(&error)))?;
    migrations::run(&mut pg, url)?;
    set_up_writer(&mut pg).map_err(|error| open_error(&connection::error_chain(&error)))?;
    Ok(PgWriter { server, connection: Some(pg), generation: None })
}

/// Sets a connection up for writing.
fn set_up_writer(pg: &mut PgConnection) -> Result<(), Error> {
    // A plan that was made while a table was small stays in use when the table grows.
    pg.run("SET enable_seqscan = off")?;
    pg.defers_statements = true;
    Ok(())
}

/// Opens a connection without statement timeouts, for a check or a copy.
fn connect_without_timeouts(url: &str) -> Result<PgConnection, OpenError> {
    let open_error = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: without_password(url),
        reason: reason.to_string(),
    };
    let mut server = PgEndpoint::new(url).map_err(|error| open_error(&error))?;
    server.config.tcp_user_timeout(std::time::Duration::from_secs(600));
    let connected = PgConnection::connect(&Arc::new(server));
    let mut pg = connected.map_err(|error| open_error(&connection::error_chain(&error)))?;
    let no_timeouts = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
    pg.run(no_timeouts).map_err(|error| open_error(&connection::error_chain(&error)))?;
    Ok(pg)
}

/// Opens a database that has the current schema for reading, in one snapshot.
pub(crate) fn open_snapshot(url: &str) -> Result<PgConnection, OpenError> {
    let mut pg = connect_without_timeouts(url)?;
    let open_error = |error: Error| OpenError::Server {
        url: without_password(url),
        reason: connection::error_chain(&error),
    };
    pg.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(open_error)?;
    let found = migrations::database_version(&mut pg).map_err(open_error)?;
    OpenError::check_schema_version(&without_password(url), found, migrations::BUILD_VERSION)?;
    Ok(pg)
}

/// Opens a database, applies missing migrations, and begins a transaction that excludes other
/// writers.
pub(crate) fn open_target(url: &str) -> Result<PgConnection, OpenError> {
    let mut pg = connect_without_timeouts(url)?;
    migrations::run(&mut pg, url)?;
    let result = pg.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITE_LOCK_KEY})"));
    result.map_err(|error| OpenError::Server {
        url: without_password(url),
        reason: connection::error_chain(&error),
    })?;
    Ok(pg)
}

/// Writing connection, reopened after it was lost.
pub(crate) struct PgWriter {
    server: Arc<PgEndpoint>,
    connection: Option<PgConnection>,
    /// Generation of credentials, read with the savepoint for the unit of work that is about to
    /// run.
    generation: Option<i64>,
}

impl PgWriter {
    /// Server that the connection writes to.
    pub(crate) fn server(&self) -> Arc<PgEndpoint> {
        Arc::clone(&self.server)
    }

    fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        self.server.ensure_reachable()?;
        if self.connection.as_ref().is_none_or(PgConnection::is_closed) {
            let mut pg = self.server.open_connection()?;
            set_up_writer(&mut pg)?;
            self.connection = Some(pg);
        }
        self.connection.as_mut().ok_or(Error::Unavailable(None))
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        // Not reopened here: a transaction does not outlive its connection.
        self.connection.as_mut().ok_or(Error::Unavailable(None))?.run(sql)
    }

    fn rollback_with(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.as_mut().ok_or(Error::Unavailable(None))?.rollback_with(sql)
    }

    fn has_failed_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(PgConnection::has_failed_transaction)
    }

    fn begin_exclusive(&mut self) -> Result<(), Error> {
        let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({WRITE_LOCK_KEY})");
        let result = self.connection()?.run(&sql);
        if matches!(result, Err(Error::Unavailable(_))) {
            // The connection was lost while idle. Try once more on a new one, unless the server is
            // down.
            self.connection = None;
            return self.connection()?.run(&sql);
        }
        result
    }
}

impl WriteBackend for PgWriter {
    fn begin(&mut self) -> Result<(), Error> {
        for _ in 1..MAX_LOCK_ATTEMPTS {
            match self.begin_exclusive() {
                Err(Error::Busy) => self.rollback(),
                result => return result,
            }
        }
        self.begin_exclusive()
    }

    fn commit(&mut self, emits_events: bool) -> Result<(), Error> {
        self.run(if emits_events { "NOTIFY trunkline; COMMIT" } else { "COMMIT" })
    }

    fn rollback(&mut self) {
        let result = self.rollback_with("ROLLBACK");
        if result.is_err() {
            self.connection = None;
        }
    }

    fn savepoint(
        &mut self,
        mut state: SavepointState,
        mut queries: Prefetch,
    ) -> Result<Savepoint, Error> {
        let mut deferred_error = None;
        if state == SavepointState::Stale && self.has_failed_transaction() {
            deferred_error = self.flush()?;
            state = SavepointState::Current;
        }
        loop {
            // One round trip has the deferred statements of the last unit of work, the savepoint,
            // and the prefetch of this unit.
            let set = match state {
                SavepointState::TransactionStart | SavepointState::Missing => "SAVEPOINT work",
                SavepointState::Stale => "RELEASE work; SAVEPOINT work",
                SavepointState::Current => "",
            };
            let connection = self.connection.as_mut().ok_or(Error::Unavailable(None))?;
            match connection.savepoint(set, &mut queries) {
                Ok(generation) => {
                    self.generation = Some(generation);
                    return Ok(Savepoint { state: SavepointState::Current, deferred_error });
                }
                Err(PipelineError::Deferred(error)) if state == SavepointState::Stale => {
                    self.rollback_to_savepoint(SavepointState::Current)?;
                    deferred_error = Some(error);
                    state = SavepointState::Current;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    fn flush(&mut self) -> Result<Option<Error>, Error> {
        let connection = self.connection.as_mut().ok_or(Error::Unavailable(None))?;
        // A unit of work that ignored the failure of a statement has not stored what it reported.
        let error = match connection.flush() {
            Ok(()) if connection.has_failed_transaction() => Error::Abandoned,
            Ok(()) => return Ok(None),
            Err(failure) => failure.into(),
        };
        self.rollback_to_savepoint(SavepointState::Current)?;
        Ok(Some(error))
    }

    fn rollback_to_savepoint(&mut self, _state: SavepointState) -> Result<(), Error> {
        self.rollback_with("ROLLBACK TO work")
    }

    fn unit_of_work(&mut self) -> UnitOfWork<'_> {
        match &mut self.connection {
            Some(pg) => {
                let generation = self.generation.take();
                UnitOfWork::with_generation(Connection::Postgres(pg), generation)
            }
            None => UnitOfWork::new(Connection::Lost),
        }
    }
}
