//! A pool of connections that only read.

use super::Pg;
use super::server::PgServer;
use crate::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Connections that may read at once; more reads wait for their turn.
const MOST: usize = 16;
/// How long a read waits for its turn.
const PATIENCE: Duration = Duration::from_millis(1_500);

pub(crate) struct Readers {
    server: Arc<PgServer>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Pg>,
    taken: usize,
}

/// A connection taken from the pool; it goes back when it is dropped, unless it is lost.
pub(crate) struct Reader<'a> {
    readers: &'a Readers,
    pg: Option<Pg>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    pub(crate) fn new(server: Arc<PgServer>) -> Self {
        Self { server, pool: Mutex::default(), freed: Condvar::new() }
    }

    /// The server they read from.
    pub(crate) fn server(&self) -> Arc<PgServer> {
        Arc::clone(&self.server)
    }

    /// A connection in a transaction of its own: one snapshot, for reading only. The transaction begins
    /// with the first query, in the same round trip.
    pub(crate) fn take(&self) -> Result<Reader<'_>, Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_timeout_while(pool, PATIENCE, |pool| {
            pool.taken >= MOST && !self.server.is_gone()
        });
        let (mut pool, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        self.server.require()?;
        if waited.timed_out() {
            return Err(Error::Busy);
        }
        pool.taken += 1;
        let idle = pool.idle.pop();
        drop(pool);
        let mut reader = Reader { readers: self, pg: idle.filter(|pg| !pg.is_lost()) };
        let pg = match reader.pg.take() {
            Some(pg) => pg,
            None => self.server.connect()?,
        };
        reader.pg.insert(pg).begin(BEGIN);
        Ok(reader)
    }
}

impl Reader<'_> {
    pub(crate) fn connection(&mut self) -> Result<&mut Pg, Error> {
        self.pg.as_mut().ok_or(Error::Unavailable(None))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut kept = self.pg.take();
        if let Some(pg) = &mut kept {
            pg.end("ROLLBACK");
        }
        let kept = kept.filter(|pg| !pg.is_lost());
        let mut pool = self.readers.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.taken -= 1;
        pool.idle.extend(kept);
        drop(pool);
        if self.readers.server.is_gone() {
            // Nobody's turn will come: all are told.
            self.readers.freed.notify_all();
        } else {
            self.readers.freed.notify_one();
        }
    }
}
