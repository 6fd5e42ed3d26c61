//! PostgreSQL connection with its prepared statements. Every request is answered, or fails within a
//! bounded time.

use super::endpoint::PgEndpoint;
use super::partitions::Partitions;
use super::pipeline::{PendingStatement, PipelineError, Rows, fetch_first_rows, run_in_order};
use crate::Error;
use crate::operations::SqlStatement;
use crate::sql::{OwnedParam, Param, Value};
use bytes::Bytes;
use futures_util::future::{join_all, join3};
use futures_util::{FutureExt, SinkExt, TryStreamExt};
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Row, Statement};

const CONNECT_TIMEOUT: Duration = PgEndpoint::CONNECT_TIMEOUT;
const PROBE_AFTER: Duration = PgEndpoint::PROBE_AFTER;
const PROBE_TIMEOUT: Duration = PgEndpoint::PROBE_TIMEOUT;
/// Server-side timeouts: statement, lock (a writer then tries again), idle transaction and TCP,
/// after which the server releases the locks of a lost client.
const SERVER_OPTIONS: &str = "-c statement_timeout=30000 -c lock_timeout=1000 \
    -c idle_in_transaction_session_timeout=3000 -c tcp_keepalives_idle=5 \
    -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=5000 \
    -c timezone=UTC -c client_min_messages=warning -c jit=off";
/// Maximum number of cached prepared statements. The code has fewer that run repeatedly.
const MAX_CACHED_STATEMENTS: usize = 512;
/// Number of deferred statements at which they are flushed without waiting for a query.
const MAX_DEFERRED: usize = 128;
/// Number of times that the runtime yields to the connection task so that it writes a COPY to the
/// socket.
const COPY_YIELDS: usize = 4;
/// Query for the generation of credentials, which runs with each savepoint.
const SELECT_GENERATION: &str = "SELECT generation FROM credential_generations WHERE id = 1";
/// Time after which a connection with unacknowledged data counts as lost.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Open connection.
pub(crate) struct PgConnection {
    server: Arc<PgEndpoint>,
    /// Runtime that drives the connection during a request. Present until the connection is
    /// dropped.
    runtime: Option<Runtime>,
    client: Arc<Client>,
    statements: HashMap<String, Statement>,
    /// Deferred statements, pipelined before the next query.
    deferred: Vec<PendingStatement>,
    /// True if statements without a result are deferred.
    pub(super) defers_statements: bool,
    /// Results of prefetched queries. Cleared by any write.
    prefetched: Vec<(SqlStatement, Vec<Row>)>,
    /// True if a statement of the transaction failed since it began or was last rolled back.
    transaction_failed: bool,
    /// Known partitions of calls and transactions.
    pub(crate) partitions: Partitions,
    /// Statement that is pipelined before the next query.
    before_next_query: Option<&'static str>,
    lost: bool,
}

/// `COPY` in progress.
pub(crate) type CopyIn = Pin<Box<BinaryCopyInWriter>>;

impl fmt::Debug for PgConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgConnection")
            .field("statements", &self.statements.len())
            .finish_non_exhaustive()
    }
}

impl Drop for PgConnection {
    fn drop(&mut self) {
        // A connection may be dropped on a thread that must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Adds our timeouts and options to the configuration of a URL.
pub(super) fn apply_limits(config: &mut Config) {
    config
        .application_name("trunkline")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT)
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(3)
        .options(SERVER_OPTIONS);
}

/// Formats an error with its causes on one line.
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Builds a runtime for one connection.
pub(super) fn connection_runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        tracing::error!(%error, "cannot build a runtime for a database connection");
        Error::Unavailable(None)
    })
}

impl PgConnection {
    pub(super) fn connect(server: &Arc<PgEndpoint>) -> Result<Self, Error> {
        let runtime = connection_runtime()?;
        let connected = runtime.block_on(async {
            let connecting = timeout(CONNECT_TIMEOUT, server.connect());
            match connecting.await {
                Ok(Ok((client, connection))) => {
                    // The end of the connection is reported by the next request on it.
                    tokio::spawn(async move { drop(connection.await) });
                    Ok(client)
                }
                Ok(Err(error)) => Err(Error::from(error)),
                Err(_) => Err(Error::Unavailable(None)),
            }
        });
        match connected {
            Ok(client) => Ok(Self {
                server: Arc::clone(server),
                runtime: Some(runtime),
                client: Arc::new(client),
                statements: HashMap::new(),
                deferred: Vec::new(),
                defers_statements: false,
                prefetched: Vec::new(),
                transaction_failed: false,
                partitions: Partitions::default(),
                before_next_query: None,
                lost: false,
            }),
            Err(error) => {
                runtime.shutdown_background();
                if matches!(error, Error::Unavailable(_)) {
                    server.mark_unreachable();
                }
                Err(error)
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Returns true if the transaction must be rolled back, at least to its savepoint.
    pub(super) fn has_failed_transaction(&self) -> bool {
        self.transaction_failed
    }

    /// Runs a request and waits for its answer as long as the server is alive: a slow server is
    /// waited for, an unreachable one is not. Deferred statements are sent first; if one of them
    /// fails, the request fails.
    pub(crate) fn request<T>(
        &mut self,
        run: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        Ok(self.round_trip(run)?)
    }

    /// Runs a request as [`PgConnection::request`] does. The error distinguishes a failed deferred
    /// statement from a failed request.
    fn round_trip<T>(
        &mut self,
        run: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, PipelineError> {
        let deferred = std::mem::take(&mut self.deferred);
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost) else {
            return Err(PipelineError::Current(Error::Unavailable(None)));
        };
        let answer = runtime.block_on(async {
            let mut answer = pin!(run_in_order(deferred, run(&self.client)));
            loop {
                if let Ok(answer) = timeout(PROBE_AFTER, &mut answer).await {
                    return Some(answer);
                }
                tokio::select! {
                    answer = &mut answer => return Some(answer),
                    is_alive = self.server.ping(PROBE_TIMEOUT) => if !is_alive { return None },
                }
            }
        });
        let Some(answer) = answer else {
            tracing::warn!("the database server does not answer; its connection is closed");
            self.lost = true;
            self.server.mark_unreachable();
            return Err(PipelineError::Current(Error::Unavailable(None)));
        };
        if let Err(failure) = &answer {
            self.transaction_failed = true;
            self.lost |= matches!(failure.error(), Error::Unavailable(_));
            if matches!(failure, PipelineError::Deferred(_)) {
                // The statement may have used a partition that no longer exists.
                self.partitions.invalidate();
            }
        }
        answer
    }

    /// Runs statements without a result.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Error> {
        let result = self.request(async |client| client.batch_execute(sql).await);
        self.partitions.apply_statement(sql, result.is_ok());
        if result.is_ok() && (sql.starts_with("BEGIN") || sql.starts_with("ROLLBACK")) {
            self.transaction_failed = false;
        }
        result
    }

    /// Rolls back with the given statement. Deferred statements are dropped unsent.
    pub(super) fn rollback_with(&mut self, sql: &str) -> Result<(), Error> {
        self.deferred.clear();
        self.prefetched.clear();
        self.run(sql)
    }

    /// Flushes the deferred statements.
    pub(super) fn flush(&mut self) -> Result<(), PipelineError> {
        if self.deferred.is_empty() { Ok(()) } else { self.round_trip(async |_| Ok(())) }
    }

    /// Runs `set`, which may be empty, and the prefetched queries of the next unit of work in one
    /// round trip. Returns the generation of credentials.
    pub(super) fn savepoint(
        &mut self,
        set: &str,
        prefetched: &mut Vec<SqlStatement>,
    ) -> Result<i64, PipelineError> {
        self.prefetched.clear();
        let generation = self.prepare_cached(SELECT_GENERATION)?;
        let mut statements = Vec::with_capacity(prefetched.len());
        for query in prefetched.iter() {
            statements.push(self.prepare_cached(&query.sql)?);
        }
        let results = self.round_trip(async |client| {
            let set =
                async { if set.is_empty() { Ok(()) } else { client.batch_execute(set).await } };
            let queries = statements.iter().zip(prefetched.iter());
            let queries =
                queries.map(|(statement, query)| query_all(client, statement, &query.values));
            let generation = client.query_opt(&generation, &[]);
            let (set, generation, rows) = join3(set, generation, join_all(queries)).await;
            set?;
            Ok((generation?, rows.into_iter().collect::<Result<Vec<_>, _>>()))
        });
        self.partitions.apply_statement(set, results.is_ok());
        let (generation, rows) = results?;
        match rows {
            Ok(rows) => self.prefetched = prefetched.drain(..).zip(rows).collect(),
            // A failed prefetch is not an error: the query runs again when it is needed and reports
            // its error there.
            Err(_) => self.rollback_with("ROLLBACK TO work").map_err(PipelineError::Current)?,
        }
        let generation = generation.map(|row| row.try_get(0)).transpose();
        Ok(generation.map_err(|error| PipelineError::Current(error.into()))?.unwrap_or(0))
    }

    fn prepare_cached(&mut self, sql: &str) -> Result<Statement, PipelineError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let postgres_sql = sql.replace('?', "$");
        let statement = self.round_trip(async |client| client.prepare(&postgres_sql).await)?;
        if self.statements.len() >= MAX_CACHED_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs a statement and returns the number of changed rows.
    pub(crate) fn execute(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<u64, Error> {
        self.prefetched.clear();
        let statement = self.prepare_cached(sql)?;
        self.request(async |client| client.execute_raw(&statement, values).await)
    }

    /// Runs a statement without a result. It may be deferred: it is then pipelined with the next
    /// query, and its error is reported there or by [`PgConnection::flush`].
    pub(crate) fn send(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<(), Error> {
        if !self.defers_statements {
            return self.execute(sql, values).map(drop);
        }
        self.prefetched.clear();
        let statement = self.prepare_cached(sql)?;
        let values: Vec<OwnedParam> = values.into_iter().map(OwnedParam::new).collect();
        let client = Arc::clone(&self.client);
        self.defer(async move {
            client.execute_raw(&statement, values.iter().map(Value::as_param)).await.map(drop)
        })
    }

    fn defer(
        &mut self,
        statement: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    ) -> Result<(), Error> {
        self.deferred.push(Box::pin(statement));
        match self.deferred.len() >= MAX_DEFERRED {
            true => Ok(self.flush()?),
            false => Ok(()),
        }
    }

    /// Begins a `COPY … FROM STDIN BINARY`.
    pub(crate) fn copy_in(&mut self, sql: &str, types: &[Type]) -> Result<CopyIn, Error> {
        let sink = self.request(async |client| client.copy_in(sql).await)?;
        Ok(Box::pin(BinaryCopyInWriter::new(sink, types)))
    }

    /// Runs a `COPY … FROM STDIN BINARY` of rows that are complete in memory. May be deferred as by
    /// [`PgConnection::send`].
    ///
    /// tokio-postgres sends a `Sync` to start a COPY and another one to end it, and expects one
    /// answer to both, because the server ignores the first one while it copies. If the COPY does
    /// not start, the server answers both, and every later answer would be matched to the statement
    /// before it. A COPY therefore starts only in an intact transaction, after all deferred
    /// statements, and a connection on which a COPY did not start is given up.
    pub(crate) fn copy_rows(&mut self, sql: &str, rows: Bytes) -> Result<(), Error> {
        self.prefetched.clear();
        self.flush()?;
        if self.transaction_failed {
            return Err(Error::Abandoned);
        }
        let statement = self.prepare_cached(sql)?;
        let started = Cell::new(false);
        let sink = self.request(async |client| {
            let mut sink = Box::pin(client.copy_in(&statement).await?);
            started.set(true);
            sink.send(rows).await?;
            // Let the connection task write the rows now, so that the server stores them while the
            // next ones are prepared.
            for _ in 0..COPY_YIELDS {
                tokio::task::yield_now().await;
            }
            Ok(sink)
        });
        self.lost |= !started.get();
        let mut sink = sink?;
        let copied = async move { sink.as_mut().finish().await.map(drop) };
        if self.defers_statements {
            self.defer(copied)
        } else {
            self.request(async |_| copied.await)
        }
    }

    /// Pipelines `sql` before the next query. Both run again on a new connection if this one proves
    /// lost.
    pub(super) fn begin(&mut self, sql: &'static str) {
        self.before_next_query = Some(sql);
    }

    /// Ends what [`PgConnection::begin`] began, if it was sent. Does not wait for the answer.
    pub(super) fn end(&mut self, sql: &str) {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost) else { return };
        if self.before_next_query.take().is_none() {
            runtime.block_on(async {
                // One poll hands the statement to the connection task; its answer is not needed.
                pin!(self.client.batch_execute(sql)).now_or_never();
                // Let the connection task write the statement.
                tokio::task::yield_now().await;
            });
        }
    }

    /// Runs a query. Its rows are read with [`PgConnection::next`].
    pub(crate) fn query(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<Rows, Error> {
        let is_same = |(query, _): &(SqlStatement, _)| query.is_same(sql, &values);
        if let Some(index) = self.prefetched.iter().position(is_same) {
            return Ok(Rows::from_vec(self.prefetched.swap_remove(index).1));
        }
        let Some(before) = self.before_next_query.take() else {
            return self.query_immediately(sql, values);
        };
        self.prepend(before);
        let rows = self.query_immediately(sql, values.clone());
        if self.is_closed() && matches!(rows, Err(Error::Unavailable(_))) {
            // The connection was lost while idle. Try once more on a new one, unless the server is
            // down.
            *self = self.server.open_connection()?;
            self.prepend(before);
            return self.query_immediately(sql, values);
        }
        rows
    }

    /// Defers a statement without a result even if deferral is off.
    fn prepend(&mut self, sql: &'static str) {
        let client = Arc::clone(&self.client);
        self.deferred.push(Box::pin(async move { client.batch_execute(sql).await }));
    }

    fn query_immediately(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<Rows, Error> {
        if !sql.starts_with("SELECT") {
            self.prefetched.clear();
        }
        let statement = self.prepare_cached(sql)?;
        self.request(async |client| {
            fetch_first_rows(client.query_raw(&statement, values).await?).await
        })
    }

    /// Reads the next row of a query.
    pub(crate) fn next(&mut self, rows: &mut Rows) -> Result<Option<Row>, Error> {
        match rows.next_buffered() {
            Some(row) => Ok(row),
            None => self.request(async |_| rows.next_received().await),
        }
    }
}

async fn query_all(
    client: &Client,
    statement: &Statement,
    values: &[OwnedParam],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let rows = client.query_raw(statement, values.iter().map(Value::as_param)).await?;
    pin!(rows).try_collect().await
}
