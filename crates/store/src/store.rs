//! Database handle: opens a database and runs units of work on it.

use crate::operations::{Connection, SingleStatementRead, UnitOfWork};
use crate::write_latency::{WriteLatency, WriteLatencySnapshot};
use crate::writer::{self, WriteCounts, Writer};
use crate::{Error, OpenError, postgres, sqlite};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Instant;

/// Handle to one database. Clones share the writer thread and the reader pools.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    readers: Readers,
    write_latency: Arc<WriteLatency>,
    /// SQL statements run by reads so far.
    read_statements: Arc<AtomicU64>,
    /// Guards the start of the `LISTEN` thread, which is started by the first subscriber.
    listener_started: Arc<Once>,
}

/// Result of a read without a transaction.
#[derive(Debug)]
pub struct GuardedRead<T, E> {
    /// Generation of credentials that the statement saw: see
    /// [`UnitOfWork::credential_generation`].
    pub generation: i64,
    /// Result of the work.
    pub result: Result<T, E>,
}

#[derive(Debug, Clone)]
enum Readers {
    Sqlite(Arc<sqlite::readers::Readers>, Arc<sqlite::FileWatch>),
    Postgres(Arc<postgres::Readers>, Arc<postgres::MultiplexedPool>),
}

impl Store {
    /// Opens `sqlite://<file>`, creating the file if it does not exist, or
    /// `postgres://<user>:<password>@<host>:<port>/<name>`, and applies missing migrations.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, is of a newer version, or its log belongs to another file.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with_start_id(url, None)
    }

    /// Opens a database like [`Store::open`], for a server. Sets a new start id of a SQLite file, made
    /// of `entropy`, so that its log is not used with another copy of the file.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`].
    pub fn open_for_server(url: &str, entropy: &[u8; 32]) -> Result<Self, OpenError> {
        Self::open_with_start_id(url, Some(sqlite::start_id::from_entropy(entropy)))
    }

    fn open_with_start_id(
        url: &str,
        start: Option<sqlite::start_id::StartId>,
    ) -> Result<Self, OpenError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let writer = postgres::open(url)?;
            let readers = Arc::new(postgres::Readers::new(writer.server()));
            let pool = Arc::new(postgres::MultiplexedPool::new(writer.server()));
            return Ok(Self::with_backend(Writer::start(writer), Readers::Postgres(readers, pool)));
        }
        let file = url.strip_prefix("sqlite://").filter(|file| !file.is_empty());
        let file = PathBuf::from(file.ok_or_else(|| OpenError::Url(url.to_owned()))?);
        let opened = sqlite::open(&file, start)?;
        let read_lock = sqlite::shared_read_lock::SharedReadLock::new(file.clone());
        let writer = sqlite::SqliteWriter::new(opened, &file, Arc::clone(&read_lock))?;
        let watch = writer.watch();
        let readers = Arc::new(sqlite::readers::Readers::new(file, read_lock));
        Ok(Self::with_backend(Writer::start(writer), Readers::Sqlite(readers, watch)))
    }

    fn with_backend(writer: Writer, readers: Readers) -> Self {
        Self {
            writer,
            readers,
            write_latency: Arc::default(),
            read_statements: Arc::default(),
            listener_started: Arc::new(Once::new()),
        }
    }

    /// Runs a unit of work in one transaction and returns after its commit. If the work returns an
    /// error, nothing of it is stored.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.write_with_prefetch(|_| (), work).await
    }

    /// Runs a unit of work as [`Store::write`] does, with its reads prefetched.
    ///
    /// `prefetch` issues the queries that `work` will need, as far as they are known before it
    /// runs. On PostgreSQL they run in the savepoint's round trip. `prefetch` runs against a
    /// recording session whose queries all fail, so it must ignore errors.
    pub async fn write_with_prefetch<T, E>(
        &self,
        prefetch: impl FnOnce(&mut UnitOfWork<'_>),
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let queries = match &self.readers {
            Readers::Sqlite(..) => Vec::new(),
            Readers::Postgres(..) => UnitOfWork::record_queries(prefetch),
        };
        let (job, result) = writer::make_job(queries, work);
        let started = Instant::now();
        self.writer.send(job)?;
        let result = result.await;
        self.write_latency.record(started.elapsed());
        result.map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a unit of work as [`Store::write`] does that must be possible on a full disk, because it takes
    /// access away. A SQLite database releases its reserve of disk space for it.
    pub async fn write_urgent<T, E>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, result) = writer::make_job(Vec::new(), work);
        self.writer.send_urgent(job)?;
        result.await.map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a unit of work as [`Store::write_urgent`] does, blocking the current thread.
    pub fn write_urgent_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, result) = writer::make_job(Vec::new(), work);
        self.writer.send_urgent(job)?;
        result.blocking_recv().map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a unit of work as [`Store::write`] does, blocking the current thread.
    pub fn write_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, result) = writer::make_job(Vec::new(), work);
        self.writer.send(job)?;
        result.blocking_recv().map_err(|_| E::from(Error::Abandoned))?
    }

    /// Runs a read in one snapshot on the current thread. Keep it short: single objects, or one
    /// page.
    pub fn read<T, E>(&self, work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.run_read(None, work)
    }

    /// Runs a read as [`Store::read`] does that may take long. After `stop` is set, SQLite interrupts the
    /// current statement; PostgreSQL limits the time of each. The read fails then.
    pub fn read_until<T, E>(
        &self,
        stop: &Arc<AtomicBool>,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Abandoned.into());
        }
        self.run_read(Some(stop), work)
    }

    fn run_read<T, E>(
        &self,
        stop: Option<&Arc<AtomicBool>>,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        match &self.readers {
            Readers::Sqlite(readers, _) => {
                let mut reader = readers.acquire()?;
                reader.connection().execute_batch("BEGIN").map_err(Error::from)?;
                if let Some(stop) = stop {
                    reader.interrupt_when(Some(stop)).map_err(Error::from)?;
                }
                let result = self.run_counted(Connection::Sqlite(reader.connection()), work);
                if stop.is_some() {
                    reader.interrupt_when(None).map_err(Error::from)?;
                }
                reader.connection().execute_batch("ROLLBACK").map_err(Error::from)?;
                readers.release(reader);
                result
            }
            Readers::Postgres(readers, _) => run_blocking(|| {
                let mut reader = readers.acquire()?;
                let pg = reader.connection()?;
                self.run_counted(Connection::Postgres(pg), work)
            }),
        }
    }

    /// Runs a read and adds its statements to the count.
    fn run_counted<T>(
        &self,
        connection: Connection<'_>,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> T,
    ) -> T {
        let mut unit = UnitOfWork::new(connection);
        let result = work(&mut unit);
        self.read_statements.fetch_add(unit.statement_count, Ordering::Relaxed);
        result
    }

    /// SQL statements run so far by reads and writes. `BEGIN`, `COMMIT` and savepoints are not
    /// counted, nor are single-statement reads.
    pub fn statement_count(&self) -> u64 {
        self.read_statements.load(Ordering::Relaxed) + self.writer.statement_count()
    }

    /// Runs a read of one SQL statement without a transaction.
    ///
    /// Returns `None` if the generation of credentials that the statement saw is unknown, because the work issued more than one
    /// statement or found no row. Run the work with [`Store::read`] then.
    ///
    /// The work may run more than once: on PostgreSQL first to learn its statement, then on the
    /// rows. On PostgreSQL this must be called from a runtime that keeps running, which drives the
    /// shared connections.
    pub async fn read_one<T, E>(
        &self,
        work: impl Fn(&mut UnitOfWork<'_>) -> Result<T, E>,
    ) -> Result<Option<GuardedRead<T, E>>, Error> {
        let with_generation = |(result, read): (_, Option<SingleStatementRead<'_>>)| {
            let generation = read.and_then(|read| read.generation())?;
            Some(GuardedRead { generation, result })
        };
        let pool = match &self.readers {
            Readers::Sqlite(readers, _) => {
                let reader = readers.acquire()?;
                let read = SingleStatementRead::on_sqlite(reader.connection());
                let found =
                    with_generation(UnitOfWork::with_single_statement(read, |unit| work(unit)));
                readers.release(reader);
                return Ok(found);
            }
            Readers::Postgres(_, pool) => pool,
        };
        let (_, recording) =
            UnitOfWork::with_single_statement(SingleStatementRead::recording(), |unit| work(unit));
        let Some(statement) = recording.and_then(SingleStatementRead::into_recorded) else {
            return Ok(None);
        };
        let rows = pool.query(&statement).await?;
        Ok(with_generation(UnitOfWork::with_single_statement(
            SingleStatementRead::replaying(&rows),
            |unit| work(unit),
        )))
    }

    /// Subscribes to commits that contain an event, a delivery or a mail. The value changes with
    /// each such commit.
    ///
    /// On PostgreSQL commits of other servers are usually notified too. A subscriber that must not
    /// miss a commit of another process also polls.
    pub fn subscribe_commits(&self) -> tokio::sync::watch::Receiver<u64> {
        if let Readers::Postgres(readers, _) = &self.readers {
            self.listener_started
                .call_once(|| postgres::listen(readers.server(), self.writer.commit_sender()));
        }
        self.writer.subscribe_commits()
    }

    /// Number of writes and commits so far. Group commit makes the commits fewer than the writes.
    pub fn write_counts(&self) -> WriteCounts {
        self.writer.counts()
    }

    /// Latency of writes so far, from submission to commit.
    pub fn write_latency(&self) -> WriteLatencySnapshot {
        self.write_latency.snapshot()
    }

    /// Checks that the file of a SQLite database is still the one that was opened. Writes fail while it
    /// is not.
    ///
    /// # Errors
    ///
    /// [`Error::Replaced`] if the file or its log was replaced or deleted.
    pub fn verify_file(&self) -> Result<(), Error> {
        match &self.readers {
            Readers::Sqlite(_, watch) => watch.verify(),
            Readers::Postgres(..) => Ok(()),
        }
    }

    /// Completes the submitted writes and closes the database. Reads that still run are waited for.
    /// The file of a SQLite database is complete afterwards, without a log.
    pub fn close(self) {
        self.writer.finish();
        if let Readers::Sqlite(readers, _) = &self.readers {
            readers.close();
        }
        self.writer.stop();
    }
}

/// Runs blocking work. On a multi-threaded runtime the other tasks of this thread move to another
/// thread first.
fn run_blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
