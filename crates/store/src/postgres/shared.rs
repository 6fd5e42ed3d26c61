//! A few connections that all reads of one statement share: statements follow each other on them without
//! waiting for answers. They are driven by the runtime that asks.

use super::server::PgServer;
use crate::Error;
use crate::operations::Statement as Asked;
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

/// Connections. One statement is waited for by those behind it, so these are for what takes next to no
/// time: an object by its key.
const CONNECTIONS: usize = 4;
/// One plan for each statement: there is nothing to be gained by looking at the values, and for the first
/// five times PostgreSQL would, on each connection.
const ONE_PLAN: &str = "-c plan_cache_mode=force_generic_plan";
/// Statements under way; more wait for their turn.
const UNDER_WAY: usize = 1_024;
/// How long a statement waits for its turn.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Statements kept prepared for each connection: there are fewer in the code.
const STATEMENTS: usize = 256;

/// The shared connections; each is made when it is needed.
pub(crate) struct Shared {
    server: Arc<PgServer>,
    config: Config,
    places: [Place; CONNECTIONS],
    turns: Semaphore,
    /// When the server was last found there, by whoever asked; one asks at a time.
    there: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Place {
    /// Statements that are not answered yet.
    under_way: AtomicUsize,
    open: Mutex<Option<Arc<Open>>>,
    /// Held by who makes the connection.
    connecting: tokio::sync::Mutex<()>,
}

/// One of the statements under way, until it is dropped.
struct Taken<'a>(&'a AtomicUsize);

impl<'a> Taken<'a> {
    fn take(under_way: &'a AtomicUsize) -> Self {
        under_way.fetch_add(1, Ordering::Relaxed);
        Self(under_way)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Open {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(server: Arc<PgServer>) -> Self {
        let mut config = server.config.clone();
        let options = config.get_options().unwrap_or_default();
        let options = format!("{options} {ONE_PLAN}");
        config.options(options);
        Self {
            server,
            config,
            places: Default::default(),
            turns: Semaphore::new(UNDER_WAY),
            there: tokio::sync::Mutex::default(),
        }
    }

    /// Every row of a statement, which sees a snapshot of its own.
    pub(crate) async fn rows(&self, asked: &Asked) -> Result<Vec<Row>, Error> {
        self.server.require()?;
        let turn = timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Error::Busy)?;
        let place = self.place();
        let _taken = Taken::take(&place.under_way);
        let open = place.open(&self.server, &self.config).await?;
        match self.patiently(&open, asked).await {
            // It was lost while nobody asked: once more, on a new one, unless the server is gone.
            Err(Error::Unavailable(_)) if open.client.is_closed() => {
                let open = place.open(&self.server, &self.config).await?;
                self.patiently(&open, asked).await
            }
            answer => answer,
        }
    }

    /// Where the least is under way: a statement that takes long holds up few.
    fn place(&self) -> &Place {
        let under_way = |place: &&Place| place.under_way.load(Ordering::Relaxed);
        self.places.iter().min_by_key(under_way).expect("there are some")
    }

    /// Waits for the answer as long as the server is there.
    async fn patiently(&self, open: &Open, asked: &Asked) -> Result<Vec<Row>, Error> {
        let mut answer = pin!(open.rows(asked));
        loop {
            if let Ok(answer) = timeout(PgServer::SILENCE, &mut answer).await {
                return Ok(answer?);
            }
            tokio::select! {
                answer = &mut answer => return Ok(answer?),
                there = self.is_there() => if !there { return Err(Error::Unavailable(None)) },
            }
        }
    }

    /// Whether the server is there, asking it unless somebody just did.
    async fn is_there(&self) -> bool {
        let mut there = self.there.lock().await;
        if self.server.is_gone() {
            return false;
        }
        if there.is_some_and(|then| then.elapsed() < PgServer::SILENCE) {
            return true;
        }
        if self.server.answers(PgServer::PROBE).await {
            *there = Some(Instant::now());
            return true;
        }
        tracing::warn!("the database server has stopped answering");
        self.server.failed();
        for place in &self.places {
            place.let_go();
        }
        false
    }
}

impl Place {
    fn current(&self) -> Option<Arc<Open>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().filter(|open| !open.client.is_closed()).cloned()
    }

    fn let_go(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The connection, made anew when there is none.
    async fn open(&self, server: &PgServer, config: &Config) -> Result<Arc<Open>, Error> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        server.require()?;
        let connecting = timeout(PgServer::CONNECT, server.reach_by(config));
        let error = match connecting.await {
            Ok(Ok((client, connection))) => {
                // How it ended is told to whoever asks next.
                tokio::spawn(async move { drop(connection.await) });
                let open = Arc::new(Open { client, statements: Mutex::default() });
                *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&open));
                return Ok(open);
            }
            Ok(Err(error)) => Error::from(error),
            Err(_) => Error::Unavailable(None),
        };
        if matches!(error, Error::Unavailable(_)) {
            server.failed();
        }
        Err(error)
    }
}

impl Open {
    async fn rows(&self, asked: &Asked) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = self.statement(&asked.sql).await?;
        let values = asked.values.iter().map(Value::param);
        let rows = self.client.query_raw(&statement, values).await?;
        pin!(rows).try_collect().await
    }

    async fn statement(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let known = || self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = known().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql.replace('?', "$")).await?;
        let mut known = known();
        if known.len() >= STATEMENTS {
            known.clear();
        }
        known.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}
