//! Baseline with one commit for each request: updates a row of its own table, durably
//! (`synchronous=FULL`, `fsync=on`), before it responds.

use crate::{ROUTE, json, sqlite_path};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections to PostgreSQL, which groups concurrent commits.
const POOL_SIZE: u32 = 32;
/// Rows of the table, enough that concurrent requests rarely update the same row.
const ROWS: u32 = 10_000;

const TABLE: &str =
    "CREATE TABLE baseline (id BIGINT PRIMARY KEY, body TEXT NOT NULL, times BIGINT NOT NULL)";
const UPDATE: &str = "UPDATE baseline SET times = times + 1, body = $2 WHERE id = $1";
const BODY: &str = r#"{"name":"Affiliate"}"#;

type Sqlite = Arc<Mutex<rusqlite::Connection>>;

pub(crate) async fn router(database: &str) -> Result<Router, Box<dyn Error>> {
    if let Some(path) = sqlite_path(database) {
        let connection = rusqlite::Connection::open(path)?;
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
        .min_connections(POOL_SIZE)
        .max_connections(POOL_SIZE)
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
    respond(sqlx::query(UPDATE).bind(row).bind(BODY).execute(&pool).await)
}

async fn on_sqlite(State(connection): State<Sqlite>, Path(id): Path<i64>) -> Response {
    let row = id % i64::from(ROWS);
    let result = tokio::task::spawn_blocking(move || {
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.prepare_cached(UPDATE)?.execute(rusqlite::params![row, BODY])
    });
    match result.await {
        Ok(result) => respond(result),
        Err(error) => respond(Err::<(), _>(error)),
    }
}

fn respond<T>(result: Result<T, impl Error>) -> Response {
    match result {
        Ok(_) => json(BODY).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
