//! A PostgreSQL server, for any number of our servers at once: what must happen in one order is
//! written by one of them at a time, each of them committing what waits there together.

mod connection;
mod listener;
mod migrations;
mod months;
mod readers;
mod server;
mod shared;
mod tls;
mod trip;
mod trust;
mod url;

pub(crate) use connection::{Copying, Pg};
pub(crate) use listener::start as listen;
pub(crate) use months::Month;
pub(crate) use readers::Readers;
pub(crate) use server::PgServer;
pub(crate) use shared::Shared;
pub(crate) use url::without_password;

use crate::operations::{Connection, Session, Statement};
use crate::writer::{Marked, Savepoint, Transactions};
use crate::{Error, OpenError};
use std::sync::Arc;
use trip::Failure;

/// The key of the advisory lock that the writing server holds until its commit.
const WRITING: i64 = 0x5472_756e_6b6c;
/// How often a writer asks for its turn, each time for as long as it waits for a lock.
const TURNS: usize = 5;

/// Opens a database, brings it up to date, and returns its writer.
pub(crate) fn open(url: &str) -> Result<Writing, OpenError> {
    let refused = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: without_password(url),
        reason: reason.to_string(),
    };
    let server = Arc::new(PgServer::new(url).map_err(|error| refused(&error))?);
    let mut pg = server.connect().map_err(|error| refused(&connection::chain(&error)))?;
    migrations::run(&mut pg, url)?;
    prepare(&mut pg).map_err(|error| refused(&connection::chain(&error)))?;
    Ok(Writing { server, open: Some(pg), generation: None })
}

/// Makes a connection one that writes.
fn prepare(pg: &mut Pg) -> Result<(), Error> {
    // A plan that was made while a table was small holds while it grows.
    pg.run("SET enable_seqscan = off")?;
    pg.puts_off = true;
    Ok(())
}

/// A connection that is kept busy for long: no statement of it runs out of time.
fn connect_for_long(url: &str) -> Result<Pg, OpenError> {
    let refused = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: without_password(url),
        reason: reason.to_string(),
    };
    let mut server = PgServer::new(url).map_err(|error| refused(&error))?;
    server.config.tcp_user_timeout(std::time::Duration::from_secs(600));
    let connected = Pg::connect(&Arc::new(server));
    let mut pg = connected.map_err(|error| refused(&connection::chain(&error)))?;
    let patient = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
    pg.run(patient).map_err(|error| refused(&connection::chain(&error)))?;
    Ok(pg)
}

/// Opens a database of our own version for reading, in one snapshot.
pub(crate) fn open_snapshot(url: &str) -> Result<Pg, OpenError> {
    let mut pg = connect_for_long(url)?;
    let refused = |error: Error| OpenError::Server {
        url: without_password(url),
        reason: connection::chain(&error),
    };
    pg.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(refused)?;
    let (found, known) = migrations::versions(&mut pg).map_err(refused)?;
    OpenError::unless_current(&without_password(url), found, known)?;
    Ok(pg)
}

/// Opens a database, brings it up to date, and begins a transaction that no server writes beside.
pub(crate) fn open_target(url: &str) -> Result<Pg, OpenError> {
    let mut pg = connect_for_long(url)?;
    migrations::run(&mut pg, url)?;
    let begun = pg.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITING})"));
    begun.map_err(|error| OpenError::Server {
        url: without_password(url),
        reason: connection::chain(&error),
    })?;
    Ok(pg)
}

/// The connection that writes; it is made again when it was lost.
pub(crate) struct Writing {
    server: Arc<PgServer>,
    open: Option<Pg>,
    /// Of credentials, as a unit of work that is about to begin finds it.
    generation: Option<i64>,
}

impl Writing {
    /// The server it writes to.
    pub(crate) fn server(&self) -> Arc<PgServer> {
        Arc::clone(&self.server)
    }

    fn connection(&mut self) -> Result<&mut Pg, Error> {
        self.server.require()?;
        if self.open.as_ref().is_none_or(Pg::is_lost) {
            let mut pg = self.server.connect()?;
            prepare(&mut pg)?;
            self.open = Some(pg);
        }
        self.open.as_mut().ok_or(Error::Unavailable(None))
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        // A transaction does not outlive its connection.
        self.open.as_mut().ok_or(Error::Unavailable(None))?.run(sql)
    }

    fn take_back(&mut self, sql: &str) -> Result<(), Error> {
        self.open.as_mut().ok_or(Error::Unavailable(None))?.take_back(sql)
    }

    fn is_broken(&self) -> bool {
        self.open.as_ref().is_some_and(Pg::is_broken)
    }

    fn take_turn(&mut self) -> Result<(), Error> {
        let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({WRITING})");
        let begun = self.connection()?.run(&sql);
        if matches!(begun, Err(Error::Unavailable(_))) {
            // It was lost while nobody wrote: once more, on a new one, unless the server is gone.
            self.open = None;
            return self.connection()?.run(&sql);
        }
        begun
    }
}

impl Transactions for Writing {
    fn begin(&mut self) -> Result<(), Error> {
        for _ in 1..TURNS {
            match self.take_turn() {
                Err(Error::Busy) => self.roll_back(),
                taken => return taken,
            }
        }
        self.take_turn()
    }

    fn commit(&mut self, news: bool) -> Result<(), Error> {
        self.run(if news { "NOTIFY trunkline; COMMIT" } else { "COMMIT" })
    }

    fn roll_back(&mut self) {
        let rolled_back = self.take_back("ROLLBACK");
        if rolled_back.is_err() {
            self.open = None;
        }
    }

    fn mark(
        &mut self,
        mut savepoint: Savepoint,
        mut foreseen: Vec<Statement>,
    ) -> Result<Marked, Error> {
        let mut last = None;
        if savepoint == Savepoint::Behind && self.is_broken() {
            last = self.settle()?;
            savepoint = Savepoint::Here;
        }
        loop {
            // One round trip, with what the last unit of work wrote, and what this one is going to ask.
            let set = match savepoint {
                Savepoint::Start | Savepoint::Unset => "SAVEPOINT work",
                Savepoint::Behind => "RELEASE work; SAVEPOINT work",
                Savepoint::Here => "",
            };
            let open = self.open.as_mut().ok_or(Error::Unavailable(None))?;
            match open.mark(set, &mut foreseen) {
                Ok(generation) => {
                    self.generation = Some(generation);
                    return Ok(Marked { savepoint: Savepoint::Here, last });
                }
                Err(Failure::Earlier(error)) if savepoint == Savepoint::Behind => {
                    self.undo(Savepoint::Here)?;
                    (last, savepoint) = (Some(error), Savepoint::Here);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    fn settle(&mut self) -> Result<Option<Error>, Error> {
        let open = self.open.as_mut().ok_or(Error::Unavailable(None))?;
        // A unit of work that made little of a statement's failure has not done what it says.
        let failed = match open.settle() {
            Ok(()) if open.is_broken() => Error::Abandoned,
            Ok(()) => return Ok(None),
            Err(failure) => failure.into(),
        };
        self.undo(Savepoint::Here)?;
        Ok(Some(failed))
    }

    fn undo(&mut self, _savepoint: Savepoint) -> Result<(), Error> {
        self.take_back("ROLLBACK TO work")
    }

    fn session(&mut self) -> Session<'_> {
        match &mut self.open {
            Some(pg) => {
                let generation = self.generation.take();
                Session::with_generation(Connection::Postgres(pg), generation)
            }
            None => Session::on(Connection::Lost),
        }
    }
}
