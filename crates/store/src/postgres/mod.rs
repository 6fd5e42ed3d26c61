//! A PostgreSQL server, for any number of our servers at once: what must happen in one order is
//! written by one of them at a time, each of them committing what waits there together.

mod connection;
mod migrations;
mod readers;

pub(crate) use connection::{Pg, without_password};
pub(crate) use readers::Readers;

use crate::operations::{Connection, Session};
use crate::writer::Transactions;
use crate::{Error, OpenError};

/// The key of the advisory lock that the writing server holds until its commit.
const WRITING: i64 = 0x5472_756e_6b6c;

/// Opens a database, brings it up to date, and returns its writer.
pub(crate) fn open(url: &str) -> Result<Writing, OpenError> {
    let refused = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: connection::without_password(url),
        reason: reason.to_string(),
    };
    let config = connection::configure(url).map_err(|error| refused(&error))?;
    let mut pg = Pg::connect(&config).map_err(|error| refused(&connection::chain(&error)))?;
    migrations::run(&mut pg, url)?;
    Ok(Writing { config, open: Some(pg) })
}

/// A connection that is kept busy for long: no statement of it runs out of time.
fn connect_for_long(url: &str) -> Result<Pg, OpenError> {
    let refused = |reason: &dyn std::fmt::Display| OpenError::Server {
        url: connection::without_password(url),
        reason: reason.to_string(),
    };
    let mut config = connection::configure(url).map_err(|error| refused(&error))?;
    config.tcp_user_timeout(std::time::Duration::from_secs(600));
    let mut pg = Pg::connect(&config).map_err(|error| refused(&connection::chain(&error)))?;
    pg.run("SET statement_timeout = 0").map_err(|error| refused(&connection::chain(&error)))?;
    Ok(pg)
}

/// Opens a database of our own version for reading, in one snapshot.
pub(crate) fn open_snapshot(url: &str) -> Result<Pg, OpenError> {
    let mut pg = connect_for_long(url)?;
    let refused = |error: Error| OpenError::Server {
        url: connection::without_password(url),
        reason: connection::chain(&error),
    };
    pg.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(refused)?;
    let (found, known) = migrations::versions(&mut pg).map_err(refused)?;
    OpenError::unless_current(&connection::without_password(url), found, known)?;
    Ok(pg)
}

/// Opens a database, brings it up to date, and begins a transaction that no server writes beside.
pub(crate) fn open_target(url: &str) -> Result<Pg, OpenError> {
    let mut pg = connect_for_long(url)?;
    migrations::run(&mut pg, url)?;
    let begun = pg.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITING})"));
    begun.map_err(|error| OpenError::Server {
        url: connection::without_password(url),
        reason: connection::chain(&error),
    })?;
    Ok(pg)
}

/// The connection that writes; it is made again when it was lost.
pub(crate) struct Writing {
    config: postgres::Config,
    open: Option<Pg>,
}

impl Writing {
    /// How readers connect.
    pub(crate) fn readers(&self) -> Readers {
        Readers::new(self.config.clone())
    }

    fn connection(&mut self) -> Result<&mut Pg, Error> {
        if self.open.as_ref().is_none_or(Pg::is_lost) {
            self.open = Some(Pg::connect(&self.config)?);
        }
        self.open.as_mut().ok_or(Error::Unavailable(None))
    }
}

impl Transactions for Writing {
    fn begin(&mut self) -> Result<(), Error> {
        let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({WRITING})");
        let begun = self.connection()?.run(&sql);
        if matches!(begun, Err(Error::Unavailable(_))) {
            // It was lost while nobody wrote: once more, on a new one.
            self.open = None;
            return self.connection()?.run(&sql);
        }
        begun
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.run("COMMIT")
    }

    fn roll_back(&mut self) {
        let rolled_back = self.run("ROLLBACK");
        if rolled_back.is_err() {
            self.open = None;
        }
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        // A transaction does not outlive its connection.
        self.open.as_mut().ok_or(Error::Unavailable(None))?.run(sql)
    }

    fn session(&mut self) -> Session<'_> {
        match &mut self.open {
            Some(pg) => Session::on(Connection::Postgres(pg)),
            None => Session::on(Connection::Lost),
        }
    }
}
