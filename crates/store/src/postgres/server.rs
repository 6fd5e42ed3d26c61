//! The PostgreSQL server: how it is reached, and whether it was there when we last asked.

use super::Pg;
use super::connection;
use crate::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::Config;

/// How long nobody asks a server again that did not answer: those who waited meanwhile are refused
/// at once, so that no request waits for more than one who tries.
const RESPITE: Duration = Duration::from_millis(500);

/// A server, for all connections to it.
pub(crate) struct PgServer {
    pub(super) config: Config,
    failed: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for PgServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgServer").finish_non_exhaustive()
    }
}

impl PgServer {
    /// How long it may take to be reached, so that a request that does not reach it is refused in time.
    pub(super) const CONNECT: Duration = Duration::from_millis(1_300);
    /// How long it may say nothing before it is asked whether it is there.
    pub(super) const SILENCE: Duration = Duration::from_millis(500);
    /// How long it may take to say that it is.
    pub(super) const PROBE: Duration = Duration::from_millis(800);

    /// Reads a URL (`postgres://user:password@host:port/name`).
    pub(super) fn new(url: &str) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { config: connection::configure(url)?, failed: Mutex::default() })
    }

    /// Whether it was found gone a moment ago.
    pub(super) fn is_gone(&self) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < RESPITE)
    }

    /// Remembers that it did not answer.
    pub(super) fn failed(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Nothing, unless it was found gone a moment ago.
    pub(super) fn require(&self) -> Result<(), Error> {
        if self.is_gone() { Err(Error::Unavailable(None)) } else { Ok(()) }
    }

    /// Whether it answers, now.
    pub(super) async fn answers(&self, within: Duration) -> bool {
        let connected = tokio::time::timeout(within, self.config.connect(tokio_postgres::NoTls));
        match connected.await {
            Ok(Ok(_)) => true,
            // A refusal is an answer.
            Ok(Err(error)) => error.as_db_error().is_some() && !is_down(&error),
            Err(_) => false,
        }
    }

    /// A new connection, unless the server was found gone a moment ago.
    pub(super) fn connect(self: &std::sync::Arc<Self>) -> Result<Pg, Error> {
        self.require()?;
        Pg::connect(self)
    }
}

/// Whether a refusal says that the server is starting, or going down.
fn is_down(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("57"))
}
