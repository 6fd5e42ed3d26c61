//! Pool of read-only connections.

use super::PgConnection;
use super::endpoint::PgEndpoint;
use crate::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Maximum number of concurrent reads. Further reads wait.
const MAX_CONNECTIONS: usize = 16;
/// Maximum wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);

pub(crate) struct Readers {
    server: Arc<PgEndpoint>,
    pool: Mutex<Pool>,
    released: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<PgConnection>,
    in_use: usize,
}

/// Connection taken from the pool. It returns there when it is dropped, unless it is lost.
pub(crate) struct Reader<'a> {
    readers: &'a Readers,
    connection: Option<PgConnection>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    pub(crate) fn new(server: Arc<PgEndpoint>) -> Self {
        Self { server, pool: Mutex::default(), released: Condvar::new() }
    }

    /// Server that the connections read from.
    pub(crate) fn server(&self) -> Arc<PgEndpoint> {
        Arc::clone(&self.server)
    }

    /// Takes a connection with a read-only transaction of one snapshot. The transaction begins in
    /// the same round trip as the first query.
    pub(crate) fn acquire(&self) -> Result<Reader<'_>, Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.released.wait_timeout_while(pool, ACQUIRE_TIMEOUT, |pool| {
            pool.in_use >= MAX_CONNECTIONS && !self.server.is_unreachable()
        });
        let (mut pool, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        self.server.ensure_reachable()?;
        if waited.timed_out() {
            return Err(Error::Busy);
        }
        pool.in_use += 1;
        let idle = pool.idle.pop();
        drop(pool);
        let mut reader = Reader { readers: self, connection: idle.filter(|pg| !pg.is_closed()) };
        let pg = match reader.connection.take() {
            Some(pg) => pg,
            None => self.server.open_connection()?,
        };
        reader.connection.insert(pg).begin(BEGIN);
        Ok(reader)
    }
}

impl Reader<'_> {
    pub(crate) fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        self.connection.as_mut().ok_or(Error::Unavailable(None))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut connection = self.connection.take();
        if let Some(pg) = &mut connection {
            pg.end("ROLLBACK");
        }
        let connection = connection.filter(|pg| !pg.is_closed());
        let mut pool = self.readers.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.in_use -= 1;
        pool.idle.extend(connection);
        drop(pool);
        if self.readers.server.is_unreachable() {
            // No connection will become free: wake all waiters, so that they fail at once.
            self.readers.released.notify_all();
        } else {
            self.readers.released.notify_one();
        }
    }
}
