//! HTTP server: accepts connections, runs the background tasks, drains at shutdown.

mod call_timeouts;
mod clients;
mod connection;
mod endpoint;
mod html_not_found;
mod listener_service;
mod signals;
mod write_timeout;

pub(crate) use clients::{ClientSettings, DEFAULT_CONNECTIONS_PER_ADDRESS};
pub(crate) use signals::Signals;

use crate::health::Health;
use crate::metrics::Metrics;
use crate::outbox;
use axum::Router;
use call_timeouts::CallTimeouts;
use clients::ConnectionCounts;
use endpoint::Endpoint;
use html_not_found::with_html_not_found;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::util::BoxCloneSyncService;
use trunkline_api::App;
use trunkline_console::Console;
use trunkline_network::{Store, look_alikes};

/// Concurrent connections of the main listener.
const MAX_CONNECTIONS: usize = 20_000;
/// Concurrent connections of the metrics listener.
const MAX_METRICS_CONNECTIONS: usize = 64;
/// Threads for blocking database work; further work is queued.
const MAX_BLOCKING_THREADS: usize = 256;
/// Longest time that requests in progress may take after a stop signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// Time between two checks that the database file was not replaced.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two writes of the days on which tokens were used.
const TOKEN_USES_INTERVAL: Duration = Duration::from_secs(60);
/// Longest time that the last of these writes delays the end of the server.
const LAST_TOKEN_USES_TIMEOUT: Duration = Duration::from_secs(1);

/// Access to `/metrics`. By default it is not served.
#[derive(Debug, Default)]
pub(crate) struct MetricsAccess {
    /// Listener of its own for `/metrics`.
    pub(crate) listener: Option<TcpListener>,
    /// True if the main listener serves `/metrics`.
    pub(crate) on_main_listener: bool,
    /// Bearer token that requests must present; `None` if they need none.
    pub(crate) token: Option<String>,
}

/// Server on bound listeners.
pub(crate) struct Server {
    main: Endpoint,
    metrics: Option<Endpoint>,
    health: Health,
    call_timeouts: CallTimeouts,
    app: App,
    outbox: outbox::Settings,
}

/// Builds the runtime of a server.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    // Each connection and each database reader needs a file descriptor. If the limit cannot be
    // raised, `accept` fails at the limit and is retried.
    rlimit::increase_nofile_limit(MAX_CONNECTIONS as u64 + 1_024).ok();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("serve")
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build()
}

/// URL of a listener, the default of the base URL.
pub(crate) fn address_url(address: SocketAddr, is_tls: bool) -> String {
    format!("{}://{}", if is_tls { "https" } else { "http" }, connectable(address))
}

/// Address to connect to a listener from this machine: loopback for an unspecified address.
pub(crate) fn connectable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Checks once a second that the database file is still the one that was opened. The first failure is
/// logged.
async fn verify_file_periodically(store: Store) -> Infallible {
    loop {
        tokio::time::sleep(FILE_CHECK_INTERVAL).await;
        store.verify_file().ok();
    }
}

/// Stores the days on which tokens were used, once a minute.
async fn store_token_uses_periodically(app: App) -> Infallible {
    loop {
        tokio::time::sleep(TOKEN_USES_INTERVAL).await;
        store_token_uses(&app).await;
    }
}

/// Fills in what migrations cannot compute. It runs beside the requests, and again at the next start if it
/// fails.
async fn complete_migrations(store: Store) {
    if let Err(error) = look_alikes::fill_skeletons(&store).await {
        tracing::warn!(%error, "cannot fill in the skeletons of names: tried again at the next start");
    }
}

async fn store_token_uses(app: &App) {
    if let Err(error) = app.credential_cache.uses.store(&app.store).await {
        tracing::debug!(%error, "cannot store the days on which tokens were used: tried again");
    }
}

impl Server {
    /// Builds the services: the API, the console and the health routes on the main listener, and the
    /// metrics where `access` has them.
    pub(crate) fn new(
        app: App,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        outbox: outbox::Settings,
        access: MetricsAccess,
        clients: ClientSettings,
    ) -> Self {
        let clients = Arc::new(clients);
        let metrics = Arc::new(Metrics::default());
        let health = Health::new(app.store.clone(), Arc::clone(&metrics));
        let metrics_route = health.metrics_route(access.token);
        let console = trunkline_console::router(Console {
            store: app.store.clone(),
            clock: Arc::clone(&app.clock),
            random: Arc::clone(&app.random),
            passwords: Arc::clone(&app.passwords),
            body_timeout: app.limits.body_timeout,
            work_limits: Arc::clone(&app.work_limits),
            base_url: app.base_url.to_string(),
        });
        let call_timeouts = CallTimeouts::new(&app);
        let mut other_routes = Router::new().merge(health.routes()).merge(console);
        if access.on_main_listener {
            other_routes = other_routes.merge(metrics_route.clone());
        }
        let service = with_html_not_found(trunkline_api::service(app.clone(), other_routes));
        let metrics_endpoint = access.listener.map(|listener| Endpoint {
            listener,
            tls: None,
            service: BoxCloneSyncService::new(health.routes().merge(metrics_route)),
            metrics: Arc::clone(&metrics),
            max_connections: MAX_METRICS_CONNECTIONS,
            clients: Arc::clone(&clients),
            connection_counts: ConnectionCounts::default(),
        });
        let main = Endpoint {
            listener,
            tls,
            service,
            metrics,
            max_connections: MAX_CONNECTIONS,
            clients,
            connection_counts: ConnectionCounts::default(),
        };
        Self { main, metrics: metrics_endpoint, health, call_timeouts, app, outbox }
    }

    /// Serves until a signal, then drains and finishes the requests in progress. A second signal
    /// stops at once.
    pub(crate) async fn run(self, signals: &mut Signals) {
        let Ok(()) = self.run_with(signals, async { Ok::<_, Infallible>(()) }).await;
    }

    /// Serves like [`Server::run`] and runs `work` concurrently; an error of `work` stops the server.
    pub(crate) async fn run_with<E>(
        self,
        signals: &mut Signals,
        work: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let Self { main, metrics, health, call_timeouts, app, outbox } = self;
        let graceful = GracefulShutdown::new();
        let store = app.store.clone();
        let outbox_workers = outbox::start(&app, outbox);
        let result = {
            let mut accepting = pin!(main.accept(&graceful));
            let mut accepting_metrics = pin!(async {
                match &metrics {
                    Some(endpoint) => endpoint.accept(&graceful).await,
                    None => pending().await,
                }
            });
            // A task of its own, so that a slow database does not delay `accept`. Dropping the set
            // aborts it.
            let mut background = JoinSet::new();
            background.spawn(call_timeouts.run());
            background.spawn(async {
                complete_migrations(store).await;
                pending().await
            });
            background.spawn(verify_file_periodically(app.store.clone()));
            background.spawn(store_token_uses_periodically(app.clone()));
            let failed_work = async {
                match work.await {
                    Ok(()) => pending().await,
                    Err(error) => error,
                }
            };
            tokio::select! {
                never = &mut accepting => match never {},
                never = &mut accepting_metrics => match never {},
                error = failed_work => Err(error),
                () = signals.recv() => Ok(()),
            }
        };
        health.drain();
        app.shutdown.trigger();
        tracing::info!("stopping: finishing the requests in progress");
        let drain = async move {
            main.accept_while_draining(&graceful).await;
            drop(main);
            drop(metrics);
            tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await
        };
        tokio::select! {
            drained = drain => match drained {
                Ok(()) => tracing::info!("stopped"),
                Err(_) => tracing::warn!(
                    "stopped: requests that took longer than {SHUTDOWN_GRACE:?} were aborted"
                ),
            },
            () = signals.recv() => tracing::warn!("stopped at once by a second signal"),
        }
        tokio::time::timeout(LAST_TOKEN_USES_TIMEOUT, store_token_uses(&app)).await.ok();
        outbox_workers.stop().await;
        result
    }
}
