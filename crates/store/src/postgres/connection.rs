//! A connection and its prepared statements. Whatever is asked of it is answered, or refused in time.

use super::months::Months;
use super::server::PgServer;
use super::trip::{Failure, Rows, Sent, first_rows, in_order};
use crate::Error;
use crate::operations::Statement as Asked;
use crate::sql::{Owned, Param, Value};
use bytes::Bytes;
use futures_util::future::{join_all, join3};
use futures_util::{FutureExt, SinkExt, TryStreamExt};
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
/// Statements that are put off until somebody waits: more are sent without that.
const PUT_OFF: usize = 128;
/// How often a connection may write on before it is left alone.
const TURNS: usize = 4;
/// What a unit of work asks first.
const GENERATION: &str = "SELECT generation FROM credential_generations WHERE id = 1";
/// How long what was sent may stay unacknowledged before a connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_millis(1_500);

/// An open connection.
pub(crate) struct Pg {
    server: Arc<PgServer>,
    /// Drives the connection while something is asked of it; there until this is dropped.
    runtime: Option<Runtime>,
    client: Arc<Client>,
    statements: HashMap<String, Statement>,
    /// What goes out in front of the next that is waited for, and is answered before it.
    put_off: Vec<Sent>,
    /// Whether statements that answer nothing are put off.
    pub(super) puts_off: bool,
    /// What was asked already, and not by whom it is for: nothing was written since.
    foreseen: Vec<(Asked, Vec<Row>)>,
    /// Whether something went wrong in the transaction since it was begun, or taken back.
    broken: bool,
    /// Where calls can go.
    pub(crate) months: Months,
    /// What the next query is sent behind, in one go.
    before: Option<&'static str>,
    lost: bool,
}

/// Rows on their way in.
pub(crate) type Copying = Pin<Box<BinaryCopyInWriter>>;

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
                client: Arc::new(client),
                statements: HashMap::new(),
                put_off: Vec::new(),
                puts_off: false,
                foreseen: Vec::new(),
                broken: false,
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

    /// Whether the transaction can only be taken back, at least to its savepoint.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Asks something, and waits for the answer as long as the server is there: one that is slow is
    /// waited for, one that is gone is not. What was put off goes out before, and if that fails, nothing of
    /// this counts.
    pub(crate) fn ask<T>(
        &mut self,
        asking: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        Ok(self.trip(asking)?)
    }

    /// As [`Pg::ask`]; says whether it was something put off that failed.
    fn trip<T>(
        &mut self,
        asking: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        let before = std::mem::take(&mut self.put_off);
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost) else {
            return Err(Failure::Own(Error::Unavailable(None)));
        };
        let answered = runtime.block_on(async {
            let mut asked = pin!(in_order(before, asking(&self.client)));
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
            return Err(Failure::Own(Error::Unavailable(None)));
        };
        if let Err(failure) = &answer {
            self.broken = true;
            self.lost |= matches!(failure.error(), Error::Unavailable(_));
            if matches!(failure, Failure::Earlier(_)) {
                // It may have been about a month that is not there any longer.
                self.months.forget();
            }
        }
        answer
    }

    /// Runs statements that answer nothing.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Error> {
        let done = self.ask(async |client| client.batch_execute(sql).await);
        self.months.follow(sql, done.is_ok());
        if done.is_ok() && (sql.starts_with("BEGIN") || sql.starts_with("ROLLBACK")) {
            self.broken = false;
        }
        done
    }

    /// Takes back what was done, by a statement: what was put off is not even sent.
    pub(super) fn take_back(&mut self, sql: &str) -> Result<(), Error> {
        self.put_off.clear();
        self.foreseen.clear();
        self.run(sql)
    }

    /// Waits for what was put off.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if self.put_off.is_empty() { Ok(()) } else { self.trip(async |_| Ok(())) }
    }

    /// Runs `set`, which may be empty, and asks what the next unit of work is going to ask, all in one
    /// round trip. The generation of credentials comes back.
    pub(super) fn mark(&mut self, set: &str, foreseen: &mut Vec<Asked>) -> Result<i64, Failure> {
        self.foreseen.clear();
        let generation = self.prepared(GENERATION)?;
        let mut statements = Vec::with_capacity(foreseen.len());
        for asked in foreseen.iter() {
            statements.push(self.prepared(&asked.sql)?);
        }
        let marked = self.trip(async |client| {
            let set =
                async { if set.is_empty() { Ok(()) } else { client.batch_execute(set).await } };
            let asked = statements.iter().zip(foreseen.iter());
            let asked = asked.map(|(statement, asked)| rows(client, statement, &asked.values));
            let generation = client.query_opt(&generation, &[]);
            let (set, generation, found) = join3(set, generation, join_all(asked)).await;
            set?;
            Ok((generation?, found.into_iter().collect::<Result<Vec<_>, _>>()))
        });
        self.months.follow(set, marked.is_ok());
        let (generation, found) = marked?;
        match found {
            Ok(found) => self.foreseen = foreseen.drain(..).zip(found).collect(),
            // Whoever asks for it will see; nobody has by now.
            Err(_) => self.take_back("ROLLBACK TO work").map_err(Failure::Own)?,
        }
        let generation = generation.map(|row| row.try_get(0)).transpose();
        Ok(generation.map_err(|error| Failure::Own(error.into()))?.unwrap_or(0))
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let dollars = sql.replace('?', "$");
        let statement = self.trip(async |client| client.prepare(&dollars).await)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<u64, Error> {
        self.foreseen.clear();
        let statement = self.prepared(sql)?;
        self.ask(async |client| client.execute_raw(&statement, values).await)
    }

    /// Runs a statement that answers nothing. It may be put off: then it goes out in front of the next that
    /// is waited for, and whether it failed is found out there, or when all is [settled](Pg::settle).
    pub(crate) fn send(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<(), Error> {
        if !self.puts_off {
            return self.execute(sql, values).map(drop);
        }
        self.foreseen.clear();
        let statement = self.prepared(sql)?;
        let values: Vec<Owned> = values.into_iter().map(Owned::of).collect();
        let client = Arc::clone(&self.client);
        self.put_off(async move {
            client.execute_raw(&statement, values.iter().map(Value::param)).await.map(drop)
        })
    }

    fn put_off(
        &mut self,
        sent: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    ) -> Result<(), Error> {
        self.put_off.push(Box::pin(sent));
        match self.put_off.len() >= PUT_OFF {
            true => Ok(self.settle()?),
            false => Ok(()),
        }
    }

    /// Begins a `COPY … FROM STDIN BINARY`.
    pub(crate) fn copy_in(&mut self, sql: &str, types: &[Type]) -> Result<Copying, Error> {
        let sink = self.ask(async |client| client.copy_in(sql).await)?;
        Ok(Box::pin(BinaryCopyInWriter::new(sink, types)))
    }

    /// Runs a `COPY … FROM STDIN BINARY` of rows that are all there, as [`Pg::send`] does.
    pub(crate) fn copy_whole(&mut self, sql: &str, rows: Bytes) -> Result<(), Error> {
        self.foreseen.clear();
        let statement = self.prepared(sql)?;
        let sink = self.ask(async |client| {
            let mut sink = Box::pin(client.copy_in(&statement).await?);
            sink.send(rows).await?;
            // The server reads and stores them while the next ones are made.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            Ok(sink)
        });
        let mut sink = sink?;
        let copied = async move { sink.as_mut().finish().await.map(drop) };
        if self.puts_off { self.put_off(copied) } else { self.ask(async |_| copied.await) }
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
        let same = |(asked, _): &(Asked, _)| asked.is(sql, &values);
        if let Some(place) = self.foreseen.iter().position(same) {
            return Ok(Rows::of(self.foreseen.swap_remove(place).1));
        }
        let Some(before) = self.before.take() else { return self.query_now(sql, values) };
        self.put_before(before);
        let rows = self.query_now(sql, values.clone());
        if self.is_lost() && matches!(rows, Err(Error::Unavailable(_))) {
            // It was lost while nobody asked: once more, on a new one, unless the server is gone.
            *self = self.server.connect()?;
            self.put_before(before);
            return self.query_now(sql, values);
        }
        rows
    }

    /// Has statements that answer nothing go out in front of the next.
    fn put_before(&mut self, sql: &'static str) {
        let client = Arc::clone(&self.client);
        self.put_off.push(Box::pin(async move { client.batch_execute(sql).await }));
    }

    fn query_now(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<Rows, Error> {
        if !sql.starts_with("SELECT") {
            self.foreseen.clear();
        }
        let statement = self.prepared(sql)?;
        self.ask(async |client| first_rows(client.query_raw(&statement, values).await?).await)
    }

    /// The next row of a query.
    pub(crate) fn next(&mut self, rows: &mut Rows) -> Result<Option<Row>, Error> {
        match rows.ready() {
            Some(row) => Ok(row),
            None => self.ask(async |_| rows.more().await),
        }
    }
}

async fn rows(
    client: &Client,
    statement: &Statement,
    values: &[Owned],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let rows = client.query_raw(statement, values.iter().map(Value::param)).await?;
    pin!(rows).try_collect().await
}
