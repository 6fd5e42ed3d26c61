//! What the server is measured against: the least that an axum handler can do for the same answer.
//! `trunkline-baseline constant <file>` answers a file's bytes, `select <database>` an affiliate's row
//! as JSON, `commit <database>` after one commit for each request. They use the server's allocator.

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

/// The one route, so that all of them find it the same way.
const ROUTE: &str = "/affiliates/{id}";

fn main() -> ExitCode {
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(serve()));
    match served {
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
        ["constant", file] => constant(std::fs::read(file)?.into()),
        ["select", database] => select::router(database).await?,
        ["commit", database] => commit::router(database).await?,
        _ => return Err("usage: trunkline-baseline constant <file> | select|commit <url>".into()),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // A socket that has gone already needs no options.
        let _set = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

fn constant(answer: Bytes) -> Router {
    Router::new().route(ROUTE, any(move || async move { json(answer) }))
}

fn json(answer: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// The file of a `sqlite://` URL.
fn file(database: &str) -> Option<&str> {
    database.strip_prefix("sqlite://")
}
