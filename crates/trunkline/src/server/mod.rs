//! HTTP server: accepts connections, runs the background tasks, drains at shutdown.

mod call_timeouts;
mod connection;
mod signals;
mod write_timeout;

pub(crate) use signals::Signals;

use crate::health::Health;
use crate::metrics::Metrics;
use crate::outbox;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use call_timeouts::CallTimeouts;
use connection::Connection;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::util::BoxCloneSyncService;
use trunkline_api::App;
use trunkline_console::Console;

/// Concurrent connections; more wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 20_000;
/// Threads for blocking database work; further work is queued.
const MAX_BLOCKING_THREADS: usize = 256;
/// Longest time that requests in progress may take after a stop signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// While draining, the server stops accepting once no connection has arrived for this long.
const DRAIN_IDLE: Duration = Duration::from_millis(100);
/// Longest time that a draining server accepts: load balancers have polled `/readyz` by then.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Pause after a failed `accept`, for example when file descriptors are exhausted.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Server on a bound listener.
pub(crate) struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: Service,
    health: Health,
    metrics: Arc<Metrics>,
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

impl Server {
    /// Builds the service: the API, the console and the health routes.
    pub(crate) fn new(
        app: App,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        outbox: outbox::Settings,
    ) -> Self {
        let metrics = Arc::new(Metrics::default());
        let health = Health::new(app.store.clone(), Arc::clone(&metrics));
        let console = trunkline_console::router(Console {
            store: app.store.clone(),
            clock: Arc::clone(&app.clock),
            random: Arc::clone(&app.random),
            passwords: Arc::clone(&app.passwords),
            secure_cookies: app.base_url.starts_with("https://"),
        });
        let call_timeouts = CallTimeouts::new(&app);
        let other_routes = Router::new().merge(health.routes()).merge(console);
        let service = trunkline_api::service(app.clone(), other_routes);
        Self { listener, tls, service, health, metrics, call_timeouts, app, outbox }
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
        let graceful = GracefulShutdown::new();
        let outbox_workers = outbox::start(&self.app, self.outbox.clone());
        let result = {
            let accepting = self.accept(&graceful);
            let mut accepting = pin!(accepting);
            // A task of its own, so that a slow database does not delay `accept`. Dropping the set
            // aborts it.
            let mut background = JoinSet::new();
            background.spawn(self.call_timeouts.clone().run());
            let failed_work = async {
                match work.await {
                    Ok(()) => pending().await,
                    Err(error) => error,
                }
            };
            tokio::select! {
                never = &mut accepting => match never {},
                error = failed_work => Err(error),
                () = signals.recv() => Ok(()),
            }
        };
        self.health.drain();
        self.app.shutdown.trigger();
        tracing::info!("stopping: finishing the requests in progress");
        let drain = async move {
            self.accept_while_draining(&graceful).await;
            drop(self.listener);
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
        outbox_workers.stop().await;
        result
    }

    async fn accept(&self, graceful: &GracefulShutdown) -> Infallible {
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let permit = Arc::clone(&connections).acquire_owned().await;
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection, trying again");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            self.serve(stream, graceful, permit.ok());
        }
    }

    /// Accepts connections of clients that have not noticed the shutdown yet, until none arrives.
    /// After [`DRAIN_MAX`] only connections already in the backlog are accepted.
    async fn accept_while_draining(&self, graceful: &GracefulShutdown) {
        let started = Instant::now();
        while started.elapsed() < DRAIN_MAX * 2 {
            let wait = if started.elapsed() < DRAIN_MAX { DRAIN_IDLE } else { Duration::ZERO };
            match tokio::time::timeout(wait, self.listener.accept()).await {
                Ok(Ok((stream, _))) => self.serve(stream, graceful, None),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        graceful: &GracefulShutdown,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let connection = self.connection(stream);
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            connection.serve(watcher).await;
            drop(permit);
        });
    }

    fn connection(&self, stream: TcpStream) -> Connection {
        Connection {
            stream,
            tls: self.tls.clone(),
            service: self.service.clone(),
            metrics: Arc::clone(&self.metrics),
        }
    }
}
