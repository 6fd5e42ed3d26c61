//! The embedded database: one file, WAL, `synchronous=FULL`, one writer that commits the writes
//! that are waiting together, and a pool of readers.

pub(crate) mod anchor;
mod checkpoints;
pub(crate) mod connection;
pub(crate) mod readers;

use crate::operations::{Connection, Session, Statement};
use crate::writer::{Marked, Savepoint, Transactions};
use crate::{Error, OpenError};
use anchor::Anchor;
use checkpoints::Checkpoints;
use std::path::Path;
use std::sync::Arc;

/// The connection that writes.
pub(crate) struct Writing {
    connection: rusqlite::Connection,
    anchor: Arc<Anchor>,
    /// Ends after the connection.
    _checkpoints: Checkpoints,
}

impl Writing {
    pub(crate) fn on(
        mut connection: rusqlite::Connection,
        file: &Path,
        anchor: Arc<Anchor>,
    ) -> Result<Self, OpenError> {
        let checkpoints = Checkpoints::of(&mut connection, file)
            .map_err(|error| connection::refused(file, &error))?;
        Ok(Self { connection, anchor, _checkpoints: checkpoints })
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }
}

impl Transactions for Writing {
    fn begin(&mut self) -> Result<(), Error> {
        self.anchor.hold_in();
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&mut self, _news: bool) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT")?;
        self.anchor.let_go();
        Ok(())
    }

    fn roll_back(&mut self) {
        let _rolled_back = self.connection.execute_batch("ROLLBACK");
        self.anchor.let_go();
    }

    fn mark(&mut self, savepoint: Savepoint, _foreseen: Vec<Statement>) -> Result<Marked, Error> {
        match savepoint {
            // The whole transaction can be undone, which costs less than to remember each page as it was.
            Savepoint::Start => return Ok(Marked { savepoint, last: None }),
            Savepoint::Unset => self.run("SAVEPOINT work")?,
            Savepoint::Behind => {
                self.run("RELEASE work")?;
                self.run("SAVEPOINT work")?;
            }
            Savepoint::Here => {}
        }
        Ok(Marked { savepoint: Savepoint::Here, last: None })
    }

    fn settle(&mut self) -> Result<Option<Error>, Error> {
        Ok(None)
    }

    fn undo(&mut self, savepoint: Savepoint) -> Result<(), Error> {
        if savepoint == Savepoint::Start {
            self.connection.execute_batch("ROLLBACK")?;
            return self.begin();
        }
        self.run("ROLLBACK TO work")
    }

    fn session(&mut self) -> Session<'_> {
        Session::on(Connection::Sqlite(&self.connection))
    }
}
