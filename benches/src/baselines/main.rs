//! Baselines of the benchmarks: the least work of an axum handler for a comparable response.
//!
//! `trunkline-baseline constant <file>` responds with a file's bytes, `select <database>` with an
//! affiliate's row as JSON, `commit <database>` after one commit for each request. They use the server's
//! allocator.

mod commit;
mod select;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::any;
use axum::serve::ListenerExt;
use std::error::Error;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Route of all baselines, so that routing costs the same.
const ROUTE: &str = "/affiliates/{id}";

fn main() -> ExitCode {
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(serve()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-baseline: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let router = match words.as_slice() {
        ["constant", file] => constant_router(std::fs::read(file)?.into()),
        ["select", database] => select::router(database).await?,
        ["commit", database] => commit::router(database).await?,
        _ => return Err("usage: trunkline-baseline constant <file> | select|commit <url>".into()),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Fails only if the connection is closed already.
        stream.set_nodelay(true).ok();
    });
    Ok(axum::serve(listener, router).await?)
}

fn constant_router(body: Bytes) -> Router {
    Router::new().route(ROUTE, any(move || async move { json(body) }))
}

fn json(body: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// Path of a `sqlite://` URL.
fn sqlite_path(database: &str) -> Option<&str> {
    database.strip_prefix("sqlite://")
}
