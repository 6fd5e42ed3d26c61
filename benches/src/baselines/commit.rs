//! One commit for each request: a row of a table of its own is changed, and what was committed is on
//! disk (`synchronous=FULL`, `fsync=on`) before it is answered.

use crate::{ROUTE, file, json};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections to PostgreSQL, which commits together what arrives together.
const POOL: u32 = 32;
/// Rows of the table: enough that requests at a time seldom want the same one.
const ROWS: u32 = 10_000;

const TABLE: &str =
    "CREATE TABLE baseline (id BIGINT PRIMARY KEY, body TEXT NOT NULL, times BIGINT NOT NULL)";
const UPDATE: &str = "UPDATE baseline SET times = times + 1, body = $2 WHERE id = $1";
const BODY: &str = r#"{"name":"Affiliate"}"#;

type Sqlite = Arc<Mutex<rusqlite::Connection>>;

pub(crate) async fn router(database: &str) -> Result<Router, Box<dyn Error>> {
    if let Some(file) = file(database) {
        let connection = rusqlite::Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(&format!(
            "{TABLE}; WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n
             WHERE id + 1 < {ROWS}) INSERT INTO baseline SELECT id, '', 0 FROM n"
        ))?;
        let state: Sqlite = Arc::new(Mutex::new(connection));
        return Ok(Router::new().route(ROUTE, any(on_sqlite)).with_state(state));
    }
    let pool = PgPoolOptions::new()
        .min_connections(POOL)
        .max_connections(POOL)
        .test_before_acquire(false)
        .connect(database)
        .await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let fill = "INSERT INTO baseline SELECT n, '', 0 FROM generate_series(0, $1) AS n";
    sqlx::query(fill).bind(i64::from(ROWS) - 1).execute(&pool).await?;
    Ok(Router::new().route(ROUTE, any(on_postgres)).with_state(pool))
}

async fn on_postgres(State(pool): State<PgPool>, Path(id): Path<i64>) -> Response {
    let row = id % i64::from(ROWS);
    answer(sqlx::query(UPDATE).bind(row).bind(BODY).execute(&pool).await)
}

async fn on_sqlite(State(connection): State<Sqlite>, Path(id): Path<i64>) -> Response {
    let row = id % i64::from(ROWS);
    let changed = tokio::task::spawn_blocking(move || {
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.prepare_cached(UPDATE)?.execute(rusqlite::params![row, BODY])
    });
    match changed.await {
        Ok(changed) => answer(changed),
        Err(error) => answer(Err::<(), _>(error)),
    }
}

fn answer<T>(changed: Result<T, impl Error>) -> Response {
    match changed {
        Ok(_) => json(BODY).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
