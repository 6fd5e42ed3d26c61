//! The embedded database: one file, WAL, `synchronous=FULL`, one writer that commits the writes
//! that are waiting together, and a pool of readers.

pub(crate) mod connection;
pub(crate) mod readers;

use crate::Error;
use crate::operations::{Connection, Session};
use crate::writer::Transactions;

/// The connection that writes.
pub(crate) struct Writing(pub(crate) rusqlite::Connection);

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

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn session(&mut self) -> Session<'_> {
        Session::on(Connection::Sqlite(&self.0))
    }
}
