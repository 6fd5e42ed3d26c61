//! A server: its listener, its connections, and how it ends.

use crate::system;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trunkline_api::{App, Limits};
use trunkline_network::Store;

/// Serves until SIGTERM or SIGINT, then finishes what is under way.
pub(crate) fn run(listen: &str, database: &str, base_url: Option<&str>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(serve(listen, database, base_url))
}

async fn serve(listen: &str, database: &str, base_url: Option<&str>) -> Result<(), String> {
    let store = Store::open(database).map_err(|error| error.to_string())?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let base = base_url.map_or_else(|| format!("http://{address}"), str::to_owned);
    let app = App::new(store, system::clock(), system::random(), &base, Limits::default());
    let console = trunkline_console::router(trunkline_console::Console {
        store: app.store.clone(),
        clock: app.clock.clone(),
        random: app.random.clone(),
        passwords: app.passwords.clone(),
        secure_cookies: base.starts_with("https://"),
    });
    let service = trunkline_api::service(app.clone(), console);
    eprintln!("listening on http://{address}");
    let graceful = GracefulShutdown::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let builder = Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(tower::ServiceExt::map_request(
                    service.clone(),
                    |request: hyper::Request<hyper::body::Incoming>| request.map(axum::body::Body::new),
                ));
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
                let watched = graceful.watch(connection);
                tokio::spawn(async move {
                    let _ended = watched.await;
                });
            }
            _ = terminate.recv() => break,
        }
    }
    let _done = tokio::time::timeout(Duration::from_secs(10), graceful.shutdown()).await;
    app.store.close();
    Ok(())
}
