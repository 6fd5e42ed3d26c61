//! The embedded database: one file, WAL, `synchronous=FULL`, one writer that commits the writes
//! that are waiting together, and a pool of readers.

mod affiliations;
mod audit;
mod budgets;
mod calls;
mod campaigns;
mod connection;
mod credentials;
mod deliveries;
mod events;
mod mails;
mod networks;
mod parties;
mod promo_numbers;
mod readers;
mod sweep;
mod transactions;
mod users;
mod waits;
mod webhooks;
mod writer;

pub use budgets::{Counted, CountedThing};
pub use calls::CallTotals;
pub use deliveries::{DeliveryRecord, DeliveryState};
pub use events::EventRecord;
pub use mails::{MailRecord, MailState};
pub use waits::WriteWaits;
pub use writer::WriteCounts;

use crate::{Error, OpenError};
use rusqlite::{CachedStatement, Connection, Row};
use serde::{Serialize, de::DeserializeOwned};
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

/// What a unit of work sees of the database. Operations are in the files beside this one.
#[derive(Debug)]
pub struct Session<'a> {
    connection: &'a Connection,
    /// Whether this unit of work wrote something that somebody waits for: see [`Store::news`].
    news: bool,
}

impl<'a> Session<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self { connection, news: false }
    }
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
        let result = work(&mut Session::new(reader.connection()));
        reader.connection().execute_batch("ROLLBACK").map_err(Error::from)?;
        self.readers.give_back(reader);
        result
    }

    /// Changes whenever something was committed, by this process, that somebody waits for: an event,
    /// or something to send. Whoever must hear of another process's writes too looks now and then.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        self.writer.news()
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

impl Session<'_> {
    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        Ok(self.prepare(sql)?.execute(values)?)
    }

    fn insert(&self, sql: &str, values: impl rusqlite::Params) -> Result<i64, Error> {
        Ok(self.prepare(sql)?.insert(values)?)
    }

    /// The first row, if there is one, as `read` makes it.
    fn first<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(values)?;
        rows.next()?.map(read).transpose()
    }

    /// Every row, as `read` makes it.
    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// Whether a query has a row.
    fn exists(&self, sql: &str, values: impl rusqlite::Params) -> Result<bool, Error> {
        Ok(self.prepare(sql)?.exists(values)?)
    }
}

fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Unreadable { what, source: Some(source) })
}

fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Unreadable { what, source: Some(source) })
}

fn parsed<T>(value: Option<T>, what: &'static str) -> Result<T, Error> {
    value.ok_or(Error::Unreadable { what, source: None })
}

fn millis(timestamp: jiff::Timestamp) -> i64 {
    timestamp.as_millisecond()
}

fn moment(millis: i64) -> Result<jiff::Timestamp, Error> {
    parsed(jiff::Timestamp::from_millisecond(millis).ok(), "time")
}
