//! Few connections shared by all single-statement reads. Statements are pipelined on them without
//! waiting for answers. The calling runtime drives them.

use super::endpoint::PgEndpoint;
use crate::Error;
use crate::operations::SqlStatement;
use crate::sql::Value;
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Row, Statement};

/// Number of connections. A slow statement delays those behind it, so the pool is for look-ups by
/// key.
const MAX_CONNECTIONS: usize = 4;
/// Option for one generic plan per statement. Plans for specific values bring nothing here, and
/// PostgreSQL would make five of them per statement and connection first.
const FORCE_GENERIC_PLAN: &str = "-c plan_cache_mode=force_generic_plan";
/// Maximum number of statements in flight. Further statements wait.
const MAX_IN_FLIGHT: usize = 1_024;
/// Maximum wait for a permit to send a statement.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Maximum number of cached prepared statements per connection. The code has fewer.
const MAX_CACHED_STATEMENTS: usize = 256;

/// The shared connections, each opened when it is first needed.
pub(crate) struct MultiplexedPool {
    server: Arc<PgEndpoint>,
    config: Config,
    slots: [Slot; MAX_CONNECTIONS],
    permits: Semaphore,
    /// Time of the last successful probe of the server. The mutex lets one task probe at a time.
    last_seen: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Slot {
    /// Statements sent and not yet answered.
    in_flight: AtomicUsize,
    client: Mutex<Option<Arc<PooledClient>>>,
    /// Held while the connection is being opened.
    connecting: tokio::sync::Mutex<()>,
}

/// Counts one statement in flight until it is dropped.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(in_flight: &'a AtomicUsize) -> Self {
        in_flight.fetch_add(1, Ordering::Relaxed);
        Self(in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct PooledClient {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl std::fmt::Debug for MultiplexedPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiplexedPool").finish_non_exhaustive()
    }
}

impl MultiplexedPool {
    pub(crate) fn new(server: Arc<PgEndpoint>) -> Self {
        let mut config = server.config.clone();
        let options = config.get_options().unwrap_or_default();
        let options = format!("{options} {FORCE_GENERIC_PLAN}");
        config.options(options);
        Self {
            server,
            config,
            slots: Default::default(),
            permits: Semaphore::new(MAX_IN_FLIGHT),
            last_seen: tokio::sync::Mutex::default(),
        }
    }

    /// Runs a query in a snapshot of its own and returns all rows.
    pub(crate) async fn query(&self, query: &SqlStatement) -> Result<Vec<Row>, Error> {
        self.server.ensure_reachable()?;
        let permit = timeout(ACQUIRE_TIMEOUT, self.permits.acquire()).await;
        let _permit = permit.map_err(|_| Error::Busy)?;
        let slot = self.least_busy_slot();
        let _in_flight = InFlight::new(&slot.in_flight);
        let client = slot.open(&self.server, &self.config).await?;
        match self.query_while_alive(&client, query).await {
            // The connection was lost while idle. Try once more on a new one, unless the server is
            // down.
            Err(Error::Unavailable(_)) if client.client.is_closed() => {
                let client = slot.open(&self.server, &self.config).await?;
                self.query_while_alive(&client, query).await
            }
            answer => answer,
        }
    }

    /// Slot with the fewest statements in flight, so that a slow statement delays few others.
    fn least_busy_slot(&self) -> &Slot {
        let in_flight = |slot: &&Slot| slot.in_flight.load(Ordering::Relaxed);
        self.slots.iter().min_by_key(in_flight).expect("the pool has at least one slot")
    }

    /// Waits for an answer as long as the server is alive.
    async fn query_while_alive(
        &self,
        client: &PooledClient,
        query: &SqlStatement,
    ) -> Result<Vec<Row>, Error> {
        let mut answer = pin!(client.query(query));
        loop {
            if let Ok(answer) = timeout(PgEndpoint::PROBE_AFTER, &mut answer).await {
                return Ok(answer?);
            }
            tokio::select! {
                answer = &mut answer => return Ok(answer?),
                is_alive = self.ping() => if !is_alive { return Err(Error::Unavailable(None)) },
            }
        }
    }

    /// Probes the server, unless a probe succeeded recently.
    async fn ping(&self) -> bool {
        let mut last_seen = self.last_seen.lock().await;
        if self.server.is_unreachable() {
            return false;
        }
        if last_seen.is_some_and(|seen| seen.elapsed() < PgEndpoint::PROBE_AFTER) {
            return true;
        }
        if self.server.ping(PgEndpoint::PROBE_TIMEOUT).await {
            *last_seen = Some(Instant::now());
            return true;
        }
        tracing::warn!("the database server does not answer; shared connections are closed");
        self.server.mark_unreachable();
        for slot in &self.slots {
            slot.close();
        }
        false
    }
}

impl Slot {
    fn open_client(&self) -> Option<Arc<PooledClient>> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.as_ref().filter(|client| !client.client.is_closed()).cloned()
    }

    fn close(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the open connection, or opens one.
    async fn open(&self, server: &PgEndpoint, config: &Config) -> Result<Arc<PooledClient>, Error> {
        if let Some(client) = self.open_client() {
            return Ok(client);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(client) = self.open_client() {
            return Ok(client);
        }
        server.ensure_reachable()?;
        let connecting = timeout(PgEndpoint::CONNECT_TIMEOUT, server.connect_with(config));
        let error = match connecting.await {
            Ok(Ok((client, connection))) => {
                // The end of the connection is reported by the next statement on it.
                tokio::spawn(async move { drop(connection.await) });
                let client = Arc::new(PooledClient { client, statements: Mutex::default() });
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::clone(&client));
                return Ok(client);
            }
            Ok(Err(error)) => Error::from(error),
            Err(_) => Error::Unavailable(None),
        };
        if matches!(error, Error::Unavailable(_)) {
            server.mark_unreachable();
        }
        Err(error)
    }
}

impl PooledClient {
    async fn query(&self, query: &SqlStatement) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = self.statement(&query.sql).await?;
        let values = query.values.iter().map(Value::as_param);
        let rows = self.client.query_raw(&statement, values).await?;
        pin!(rows).try_collect().await
    }

    async fn statement(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let cache = || self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = cache().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql.replace('?', "$")).await?;
        let mut cache = cache();
        if cache.len() >= MAX_CACHED_STATEMENTS {
            cache.clear();
        }
        cache.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}
