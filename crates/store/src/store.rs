//! A database, and units of work on it.

use crate::operations::{Connection, Glance, Session};
use crate::waits::{Waits, WriteWaits};
use crate::writer::{self, WriteCounts, Writer};
use crate::{Error, OpenError, postgres, sqlite};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Instant;

/// One database, shared by all of a server.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    readers: Readers,
    waits: Arc<Waits>,
    /// Statements that reads have run.
    read_statements: Arc<AtomicU64>,
    /// Starts to hear other servers, once.
    hearing: Arc<Once>,
}

#[derive(Debug, Clone)]
enum Readers {
    Sqlite(Arc<sqlite::readers::Readers>),
    Postgres(Arc<postgres::Readers>, Arc<postgres::Shared>),
}

impl Store {
    /// Opens `sqlite://<file>`, making the file if it is not there, or
    /// `postgres://<user>:<password>@<host>:<port>/<name>`, and brings it up to date.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let writing = postgres::open(url)?;
            let readers = Arc::new(postgres::Readers::new(writing.server()));
            let shared = Arc::new(postgres::Shared::new(writing.server()));
            return Ok(Self::on(Writer::start(writing), Readers::Postgres(readers, shared)));
        }
        let file = url.strip_prefix("sqlite://").filter(|file| !file.is_empty());
        let file = PathBuf::from(file.ok_or_else(|| OpenError::Url(url.to_owned()))?);
        let mut connection = sqlite::connection::open(&file)?;
        sqlite::connection::migrate(&mut connection, &file)?;
        let anchor = sqlite::anchor::Anchor::new(file.clone());
        let writer = Writer::start(sqlite::Writing::on(connection, &file, Arc::clone(&anchor))?);
        let readers = Readers::Sqlite(Arc::new(sqlite::readers::Readers::new(file, anchor)));
        Ok(Self::on(writer, readers))
    }

    fn on(writer: Writer, readers: Readers) -> Self {
        Self {
            writer,
            readers,
            waits: Arc::default(),
            read_statements: Arc::default(),
            hearing: Arc::new(Once::new()),
        }
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
        self.write_foreseeing(|_| (), work).await
    }

    /// As [`Store::write`]. `foresee` asks what the work is going to ask, as far as it is known by now;
    /// on PostgreSQL that spares round trips. It is run without a database: whatever it asks fails, and
    /// it goes on to the next.
    pub async fn write_foreseeing<T, E>(
        &self,
        foresee: impl FnOnce(&mut Session<'_>),
        work: impl FnOnce(&mut Session<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let foreseen = match &self.readers {
            Readers::Sqlite(_) => Vec::new(),
            Readers::Postgres(..) => Session::foresee(foresee),
        };
        let (job, answer) = writer::job(foreseen, work);
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
        let (job, answer) = writer::job(Vec::new(), work);
        self.writer.send(job)?;
        answer.blocking_recv().map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a read on one snapshot, on this thread. Keep it short: single objects, or one page.
    pub fn read<T, E>(&self, work: impl FnOnce(&mut Session<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        match &self.readers {
            Readers::Sqlite(readers) => {
                let reader = readers.take()?;
                reader.connection().execute_batch("BEGIN").map_err(Error::from)?;
                let result = self.count(Connection::Sqlite(reader.connection()), work);
                reader.connection().execute_batch("ROLLBACK").map_err(Error::from)?;
                readers.give_back(reader);
                result
            }
            Readers::Postgres(readers, _) => waiting(|| {
                let mut reader = readers.take()?;
                let pg = reader.connection()?;
                self.count(Connection::Postgres(pg), work)
            }),
        }
    }

    /// Runs a read, and counts its statements.
    fn count<T>(&self, on: Connection<'_>, work: impl FnOnce(&mut Session<'_>) -> T) -> T {
        let mut session = Session::on(on);
        let result = work(&mut session);
        self.read_statements.fetch_add(session.statements, Ordering::Relaxed);
        result
    }

    /// Statements run so far, in reads and in writes, without those that begin and end transactions, and
    /// without glances.
    pub fn statements(&self) -> u64 {
        self.read_statements.load(Ordering::Relaxed) + self.writer.statements()
    }

    /// Runs a read that is one statement, without a transaction, and says which generation of credentials
    /// that statement saw (see [`Session::credential_generation`]). `None` when that is not to be known: the
    /// work asked for more than one statement, or found no row. Then it is to be run with [`Store::read`].
    ///
    /// The work may be run more than once. On PostgreSQL it has to be called on a runtime that goes on.
    pub async fn glance<T, E>(
        &self,
        work: impl Fn(&mut Session<'_>) -> Result<T, E>,
    ) -> Result<Option<(i64, Result<T, E>)>, Error> {
        let seen = |(result, glance): (_, Option<Glance<'_>>)| {
            Some((glance.and_then(|glance| glance.generation())?, result))
        };
        let shared = match &self.readers {
            Readers::Sqlite(readers) => {
                let reader = readers.take()?;
                let glance = Glance::at_sqlite(reader.connection());
                let found = seen(Session::glance(glance, |session| work(session)));
                readers.give_back(reader);
                return Ok(found);
            }
            Readers::Postgres(_, shared) => shared,
        };
        let (_, plan) = Session::glance(Glance::plan(), |session| work(session));
        let Some(statement) = plan.and_then(Glance::planned) else { return Ok(None) };
        let rows = shared.rows(&statement).await?;
        Ok(seen(Session::glance(Glance::answered(&rows), |session| work(session))))
    }

    /// Changes whenever something was committed that somebody waits for: an event, or something to
    /// send. On PostgreSQL other servers are heard of too, as a rule; whoever must not miss what another
    /// process wrote looks now and then.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        if let Readers::Postgres(readers, _) = &self.readers {
            self.hearing.call_once(|| postgres::listen(readers.server(), self.writer.tells()));
        }
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

/// Waits for a server. A thread of the runtime lets others take over what else it has to do.
fn waiting<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
