//! The embedded database: one file, WAL, `synchronous=FULL`, one writer that commits the writes
//! that are waiting together, and a pool of readers.

mod checkpoints;
pub(crate) mod connection;
pub(crate) mod readers;

use crate::operations::{Connection, Session, Statement};
use crate::writer::{Marked, Savepoint, Transactions};
use crate::{Error, OpenError};
use checkpoints::Checkpoints;
use std::path::Path;

/// The connection that writes, and what moves its log to the file.
pub(crate) struct Writing(
    rusqlite::Connection,
    #[expect(dead_code, reason = "ended last")] Checkpoints,
);

impl Writing {
    pub(crate) fn on(mut connection: rusqlite::Connection, file: &Path) -> Result<Self, OpenError> {
        let checkpoints = Checkpoints::of(&mut connection, file)
            .map_err(|error| connection::refused(file, &error))?;
        Ok(Self(connection, checkpoints))
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.0.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }
}

impl Transactions for Writing {
    fn begin(&mut self) -> Result<(), Error> {
        Ok(self.0.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&mut self, _news: bool) -> Result<(), Error> {
        Ok(self.0.execute_batch("COMMIT")?)
    }

    fn roll_back(&mut self) {
        let _rolled_back = self.0.execute_batch("ROLLBACK");
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
            self.0.execute_batch("ROLLBACK")?;
            return self.begin();
        }
        self.run("ROLLBACK TO work")
    }

    fn session(&mut self) -> Session<'_> {
        Session::on(Connection::Sqlite(&self.0))
    }
}
