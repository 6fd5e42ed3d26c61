//! The PostgreSQL server: how it is reached, and whether it was there when we last asked.

use super::Pg;
use super::tls::{self, Tls};
use super::{connection, url};
use crate::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Connection, Socket};

/// How long nobody asks a server again that did not answer: those who waited meanwhile are refused
/// at once, so that no request waits for more than one who tries.
const RESPITE: Duration = Duration::from_millis(500);

/// A server, for all connections to it.
pub(crate) struct PgServer {
    pub(super) config: Config,
    tls: Tls,
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

    /// Reads a URL (`postgres://user:password@host:port/name`), and the files that it names; else what is
    /// wrong with them.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let (mut config, tls) = url::read(url)?;
        connection::limit(&mut config);
        Ok(Self { config, tls, failed: Mutex::default() })
    }

    /// Makes a connection, as the URL says.
    pub(super) async fn reach(
        &self,
    ) -> Result<(Client, Connection<Socket, tls::Stream>), tokio_postgres::Error> {
        self.reach_by(&self.config).await
    }

    /// Makes a connection that is set up otherwise.
    pub(super) async fn reach_by(
        &self,
        config: &Config,
    ) -> Result<(Client, Connection<Socket, tls::Stream>), tokio_postgres::Error> {
        let reached = config.connect(self.tls.clone()).await;
        match reached {
            Err(error) if self.tls.may_do_without(&error) => {
                let mut plain = config.clone();
                plain.ssl_mode(SslMode::Disable).connect(self.tls.clone()).await
            }
            reached => reached,
        }
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
        let connected = tokio::time::timeout(within, self.reach());
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
