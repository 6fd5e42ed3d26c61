//! Baseline with one `SELECT` by key on the server's table, rendered as JSON.
//!
//! SQLite is used through rusqlite, with a connection for each thread, on the thread of the request: the
//! driver of sqlx cannot be linked together with the server's and hands each statement to another thread.

use crate::{ROUTE, json, sqlite_path};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sqlx::Row;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::cell::RefCell;
use std::error::Error;
use std::sync::Arc;

/// Connections to PostgreSQL; more do not increase the throughput.
const POOL_SIZE: u32 = 8;

const SQL: &str = "SELECT id, name, status, sites, custom_data FROM parties
    WHERE network_id = 1 AND kind = 'affiliate' AND id_from_network = $1";

pub(crate) async fn router(database: &str) -> Result<Router, Box<dyn Error>> {
    if let Some(path) = sqlite_path(database) {
        let path: Arc<str> = path.into();
        return Ok(Router::new().route(ROUTE, get(on_sqlite)).with_state(path));
    }
    let pool = PgPoolOptions::new()
        .min_connections(POOL_SIZE)
        .max_connections(POOL_SIZE)
        .test_before_acquire(false)
        .connect(database)
        .await?;
    Ok(Router::new().route(ROUTE, get(on_postgres)).with_state(pool))
}

async fn on_postgres(State(pool): State<PgPool>, Path(id): Path<String>) -> Response {
    match sqlx::query(SQL).bind(&id).fetch_optional(&pool).await {
        Ok(Some(row)) => {
            json(body(&id, row.get(0), [row.get(1), row.get(2), row.get(3), row.get(4)]))
                .into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn on_sqlite(State(file): State<Arc<str>>, Path(id): Path<String>) -> Response {
    match select(&file, &id) {
        Ok(body) => json(body).into_response(),
        Err(rusqlite::Error::QueryReturnedNoRows) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

thread_local! {
    static CONNECTION: RefCell<Option<rusqlite::Connection>> = const { RefCell::new(None) };
}

fn select(file: &str, id: &str) -> rusqlite::Result<String> {
    CONNECTION.with_borrow_mut(|cached| {
        let connection = match cached {
            Some(connection) => connection,
            None => {
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY
                    | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
                cached.insert(rusqlite::Connection::open_with_flags(file, flags)?)
            }
        };
        let text =
            |value: rusqlite::types::ValueRef<'_>| value.as_str().unwrap_or_default().to_owned();
        connection.prepare_cached(SQL)?.query_row([id], |row| {
            let texts = [row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?, row.get_ref(4)?];
            let texts = texts.map(text);
            Ok(body(id, row.get(0)?, texts.each_ref().map(String::as_str)))
        })
    })
}

/// Renders a row with the properties of the server's response; sites and custom data are JSON already.
fn body(id_from_network: &str, id: i64, [name, status, sites, custom_data]: [&str; 4]) -> String {
    let name = serde_json::Value::from(name);
    let id_from_network = serde_json::Value::from(id_from_network);
    format!(
        r#"{{"id":{id},"id_from_network":{id_from_network},"object_url":"http://127.0.0.1/ps/{id}/dashboards/ui","name":{name},"status":"{status}","sites":{sites},"users":[],"custom_data":{custom_data}}}"#
    )
}
