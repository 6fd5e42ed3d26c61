//! A connection and its prepared statements. Whatever is asked of it is answered, or refused in time.

use super::months::Months;
use super::server::PgServer;
use crate::Error;
use crate::sql::Param;
use bytes::Bytes;
use futures_util::future::try_join;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Row, RowStream, SimpleQueryMessage, Statement};

const CONNECT: Duration = PgServer::CONNECT;
const SILENCE: Duration = PgServer::SILENCE;
const PROBE: Duration = PgServer::PROBE;
/// What the server is told of us: how long a statement may take, and wait for a lock (a writer asks
/// for its turn again), and when it is to take us for lost, so that what we held is free again.
const OPTIONS: &str = "-c statement_timeout=30000 -c lock_timeout=1000 \
    -c idle_in_transaction_session_timeout=3000 -c tcp_keepalives_idle=5 \
    -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=5000 \
    -c timezone=UTC -c client_min_messages=warning -c jit=off";
/// Statements kept prepared: there are fewer in the code that are run again and again.
const STATEMENTS: usize = 512;
/// How long what was sent may stay unacknowledged before a connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_millis(1_500);

/// An open connection.
pub(crate) struct Pg {
    server: Arc<PgServer>,
    /// Drives the connection while something is asked of it; there until this is dropped.
    runtime: Option<Runtime>,
    client: Client,
    statements: HashMap<String, Statement>,
    /// Where calls can go.
    pub(crate) months: Months,
    /// What the next query is sent behind, in one go.
    before: Option<&'static str>,
    lost: bool,
}

/// Rows on their way in.
pub(crate) type Copying = Pin<Box<BinaryCopyInWriter>>;

/// Rows that are on their way, and those that have come already.
pub(crate) struct Rows {
    stream: Pin<Box<RowStream>>,
    come: VecDeque<Result<Row, tokio_postgres::Error>>,
    is_over: bool,
}

/// Rows that are taken from a connection ahead of whoever reads them.
const AHEAD: usize = 128;

impl Rows {
    fn new(stream: RowStream) -> Self {
        Self { stream: Box::pin(stream), come: VecDeque::new(), is_over: false }
    }

    /// How many rows the statement changed, when all that it answered was read.
    fn rows_affected(&self) -> Option<u64> {
        self.stream.rows_affected()
    }

    /// Takes what has come, without waiting for more.
    fn take_what_has_come(&mut self) {
        while self.come.len() < AHEAD && !self.is_over {
            match self.stream.next().now_or_never() {
                Some(Some(row)) => {
                    self.is_over = row.is_err();
                    self.come.push_back(row);
                }
                Some(None) => self.is_over = true,
                None => break,
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Row>, tokio_postgres::Error> {
        if let Some(row) = self.come.pop_front() {
            return row.map(Some);
        }
        if self.is_over {
            return Ok(None);
        }
        let next = self.stream.next().await.transpose();
        self.is_over = !matches!(next, Ok(Some(_)));
        self.take_what_has_come();
        next
    }
}

impl fmt::Debug for Pg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pg").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}

impl Drop for Pg {
    fn drop(&mut self) {
        // Whoever drops it may be a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Adds our limits to what a URL says.
pub(super) fn limit(config: &mut Config) {
    config
        .application_name("trunkline")
        .connect_timeout(CONNECT)
        .tcp_user_timeout(UNACKNOWLEDGED)
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(3)
        .options(OPTIONS);
}

/// An error with its causes, in a line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A runtime for one connection.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        tracing::error!(%error, "a connection to the database could not be set up");
        Error::Unavailable(None)
    })
}

impl Pg {
    pub(super) fn connect(server: &Arc<PgServer>) -> Result<Self, Error> {
        let runtime = runtime()?;
        let connected = runtime.block_on(async {
            let connecting = timeout(CONNECT, server.reach());
            match connecting.await {
                Ok(Ok((client, connection))) => {
                    // How it ended is told to whoever asks next.
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
                client,
                statements: HashMap::new(),
                months: Months::default(),
                before: None,
                lost: false,
            }),
            Err(error) => {
                runtime.shutdown_background();
                if matches!(error, Error::Unavailable(_)) {
                    server.failed();
                }
                Err(error)
            }
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Asks something, and waits for the answer as long as the server is there: one that is slow is
    /// waited for, one that is gone is not.
    pub(crate) fn ask<T>(
        &mut self,
        asking: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost) else {
            return Err(Error::Unavailable(None));
        };
        let answered = runtime.block_on(async {
            let mut asked = pin!(asking(&self.client));
            loop {
                if let Ok(answer) = timeout(SILENCE, &mut asked).await {
                    return Some(answer);
                }
                tokio::select! {
                    answer = &mut asked => return Some(answer),
                    there = self.server.answers(PROBE) => if !there { return None },
                }
            }
        });
        let Some(answer) = answered else {
            tracing::warn!("the database server has stopped answering");
            self.lost = true;
            self.server.failed();
            return Err(Error::Unavailable(None));
        };
        let answer = answer.map_err(Error::from);
        self.lost |= matches!(answer, Err(Error::Unavailable(_)));
        answer
    }

    /// Runs statements that answer nothing.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Error> {
        let done = self.ask(async |client| client.batch_execute(sql).await);
        self.months.follow(sql, done.is_ok());
        done
    }

    /// Runs statements of which at most one answers, with a number in a row.
    pub(super) fn number(&mut self, sql: &str) -> Result<Option<i64>, Error> {
        let messages = self.ask(async |client| client.simple_query(sql).await);
        self.months.follow(sql, messages.is_ok());
        let messages = messages?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let unreadable = |_| Error::Unreadable { what: "number", source: None };
        row.map(|text| text.parse().map_err(unreadable)).transpose()
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let dollars = sql.replace('?', "$");
        let statement = self.ask(async |client| client.prepare(&dollars).await)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<u64, Error> {
        let mut rows = self.query(sql, values)?;
        while self.next(&mut rows)?.is_some() {}
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// Begins a `COPY … FROM STDIN BINARY`.
    pub(crate) fn copy_in(&mut self, sql: &str, types: &[Type]) -> Result<Copying, Error> {
        let sink = self.ask(async |client| client.copy_in(sql).await)?;
        Ok(Box::pin(BinaryCopyInWriter::new(sink, types)))
    }

    /// Runs a `COPY … FROM STDIN BINARY` of rows that are all there.
    pub(crate) fn copy_whole(&mut self, sql: &str, rows: Bytes) -> Result<(), Error> {
        let statement = self.statement(sql)?;
        self.ask(async |client| {
            let mut sink = pin!(client.copy_in(&statement).await?);
            sink.send(rows.clone()).await?;
            sink.finish().await
        })?;
        Ok(())
    }

    /// Sends `sql` along with the next query, and once more with it on a new connection when this one
    /// turns out to be lost.
    pub(super) fn begin(&mut self, sql: &'static str) {
        self.before = Some(sql);
    }

    /// Ends what was begun, if it was; the answer is not waited for.
    pub(super) fn end(&mut self, sql: &str) {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost) else { return };
        if self.before.take().is_none() {
            runtime.block_on(async {
                let _sent = pin!(self.client.batch_execute(sql)).now_or_never();
                // The connection's turn: it writes.
                tokio::task::yield_now().await;
            });
        }
    }

    /// Runs a query; its rows are taken with [`Pg::next`].
    pub(crate) fn query(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<Rows, Error> {
        let Some(before) = self.before.take() else { return self.query_behind(None, sql, values) };
        let rows = self.query_behind(Some(before), sql, values.clone());
        if self.is_lost() && matches!(rows, Err(Error::Unavailable(_))) {
            // It was lost while nobody asked: once more, on a new one, unless the server is gone.
            *self = self.server.connect()?;
            return self.query_behind(Some(before), sql, values);
        }
        rows
    }

    /// Runs a query, behind statements that answer nothing.
    fn query_behind(
        &mut self,
        before: Option<&str>,
        sql: &str,
        values: Vec<Param<'_>>,
    ) -> Result<Rows, Error> {
        let statement = self.statement(sql)?;
        self.ask(async |client| {
            let query = client.query_raw(&statement, values);
            let stream = match before {
                Some(before) => try_join(client.batch_execute(before), query).await?.1,
                None => query.await?,
            };
            let mut rows = Rows::new(stream);
            rows.take_what_has_come();
            Ok(rows)
        })
    }

    /// The next row of a query.
    pub(crate) fn next(&mut self, rows: &mut Rows) -> Result<Option<Row>, Error> {
        if rows.come.is_empty() && !rows.is_over {
            return self.ask(async |_| rows.next().await);
        }
        // Nothing to wait for.
        let next = rows.next().now_or_never().unwrap_or(Ok(None)).map_err(Error::from);
        self.lost |= matches!(next, Err(Error::Unavailable(_)));
        next
    }
}
