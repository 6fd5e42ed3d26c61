//! The embedded database: one file, WAL, `synchronous=FULL`, one writer that commits the writes
//! that are waiting together, and a pool of readers.

mod connection;
mod readers;
mod waits;
mod writer;

pub use waits::WriteWaits;
pub use writer::WriteCounts;

use crate::operations::{Connection, Session};
use crate::{Error, OpenError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// One database, shared by all of a server.
#[derive(Debug, Clone)]
pub struct Store {
    writer: writer::Writer,
    readers: Arc<readers::Readers>,
    waits: Arc<waits::Waits>,
}

impl Store {
    /// Opens `sqlite://<file>`, makes the file if it is not there, and brings it up to date.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        let file = url.strip_prefix("sqlite://").filter(|file| !file.is_empty());
        let file = PathBuf::from(file.ok_or_else(|| OpenError::Url(url.to_owned()))?);
        let mut connection = connection::open(&file)?;
        connection::migrate(&mut connection, &file)?;
        let readers = Arc::new(readers::Readers::new(file));
        Ok(Self { writer: writer::Writer::start(connection), readers, waits: Arc::default() })
    }

    /// Runs a unit of work in one transaction and returns after its commit. When the work returns
    /// an error, nothing of it is stored.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = writer::job(work);
        let begun = Instant::now();
        self.writer.send(job)?;
        let answer = answer.await;
        self.waits.record(begun.elapsed());
        answer.map_err(|_| E::from(Error::Abandoned))?
    }

    /// As [`Store::write`], for callers that are not async.
    pub fn write_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = writer::job(work);
        self.writer.send(job)?;
        answer.blocking_recv().map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a read on one snapshot, on this thread. Keep it short: single objects, or one page.
    pub fn read<T, E>(&self, work: impl FnOnce(&mut Session<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let reader = self.readers.take()?;
        reader.connection().execute_batch("BEGIN").map_err(Error::from)?;
        let result = work(&mut Session::on(Connection::Sqlite(reader.connection())));
        reader.connection().execute_batch("ROLLBACK").map_err(Error::from)?;
        self.readers.give_back(reader);
        result
    }

    /// Writes and commits so far; fewer commits than writes is group commit at work.
    pub fn write_counts(&self) -> WriteCounts {
        self.writer.counts()
    }

    /// How long writes have waited for their commit so far.
    pub fn write_waits(&self) -> WriteWaits {
        self.waits.so_far()
    }

    /// Waits for the writes that have been sent, and closes the database.
    pub fn close(self) {
        self.writer.stop();
    }
}
