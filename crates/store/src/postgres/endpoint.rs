//! PostgreSQL server: connecting to it, and whether it was reachable at the last attempt.

use super::PgConnection;
use super::tls::{self, Tls};
use super::{connection, url};
use crate::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Connection, Socket};

/// Time after a failed attempt in which no other attempt is made. Requests fail at once meanwhile,
/// so no request waits for more than one attempt.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Server with the settings shared by all connections to it.
pub(crate) struct PgEndpoint {
    pub(super) config: Config,
    tls: Tls,
    failed_at: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for PgEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgEndpoint").finish_non_exhaustive()
    }
}

impl PgEndpoint {
    /// Time limit for connecting, so that a request to an unreachable server fails in time.
    pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_300);
    /// Time without an answer after which the server is probed.
    pub(super) const PROBE_AFTER: Duration = Duration::from_millis(500);
    /// Time limit of a probe.
    pub(super) const PROBE_TIMEOUT: Duration = Duration::from_millis(800);

    /// Reads a URL (`postgres://user:password@host:port/name`) and the files that it names. The
    /// error says which of them is wrong.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let (mut config, tls) = url::parse(url)?;
        connection::apply_limits(&mut config);
        Ok(Self { config, tls, failed_at: Mutex::default() })
    }

    /// Opens a connection with the settings of the URL.
    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, tls::EncryptedStream>), tokio_postgres::Error> {
        self.connect_with(&self.config).await
    }

    /// Opens a connection with another configuration.
    pub(super) async fn connect_with(
        &self,
        config: &Config,
    ) -> Result<(Client, Connection<Socket, tls::EncryptedStream>), tokio_postgres::Error> {
        let result = config.connect(self.tls.clone()).await;
        match result {
            Err(error) if self.tls.may_retry_without_tls(&error) => {
                let mut plain = config.clone();
                plain.ssl_mode(SslMode::Disable).connect(self.tls.clone()).await
            }
            result => result,
        }
    }

    /// Returns true if the server was unreachable a moment ago.
    pub(super) fn is_unreachable(&self) -> bool {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        failed_at.is_some_and(|failed_at| failed_at.elapsed() < RECONNECT_DELAY)
    }

    /// Records that the server did not answer.
    pub(super) fn mark_unreachable(&self) {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Fails if the server was unreachable a moment ago.
    pub(super) fn ensure_reachable(&self) -> Result<(), Error> {
        if self.is_unreachable() { Err(Error::Unavailable(None)) } else { Ok(()) }
    }

    /// Probes the server by opening a connection.
    pub(super) async fn ping(&self, time_limit: Duration) -> bool {
        let result = tokio::time::timeout(time_limit, self.connect());
        match result.await {
            Ok(Ok(_)) => true,
            // A rejection is an answer, too.
            Ok(Err(error)) => error.as_db_error().is_some() && !is_starting_or_stopping(&error),
            Err(_) => false,
        }
    }

    /// Opens a new connection, unless the server was unreachable a moment ago.
    pub(super) fn open_connection(self: &std::sync::Arc<Self>) -> Result<PgConnection, Error> {
        self.ensure_reachable()?;
        PgConnection::connect(self)
    }
}

/// Returns true if a rejection means that the server is starting up or shutting down.
fn is_starting_or_stopping(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("57"))
}
