//! A server: its listener, its connections, and how it ends.

mod connection;
mod patience;
mod signals;
mod sweep;

pub(crate) use signals::Signals;

use crate::health::Health;
use crate::metrics::Metrics;
use crate::outbox;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use connection::Connection;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sweep::Sweep;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::util::BoxCloneSyncService;
use trunkline_api::App;
use trunkline_console::Console;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 20_000;
/// Threads that may wait for a database at once; beyond it requests wait.
const WAITING: usize = 256;
/// How long requests that are under way may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long nobody has to come before a server that is going down stops accepting.
const QUIET: Duration = Duration::from_millis(100);
/// How long it goes on accepting if they do come: by then a load balancer has seen `/readyz`.
const LAST: Duration = Duration::from_secs(2);
/// How long to let things be when no connection can be accepted, as when files run out.
const BREATH: Duration = Duration::from_millis(100);

type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A server that is ready to accept.
pub(crate) struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: Service,
    health: Health,
    metrics: Arc<Metrics>,
    sweep: Sweep,
    app: App,
    outbox: outbox::Settings,
}

/// A runtime for a server.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    // Each connection is a file, and each reader of the database. Where it can't be raised the
    // limit stays, and accepting waits for files to be free again.
    let _limit = rlimit::increase_nofile_limit(CONNECTIONS as u64 + 1_024);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("serve")
        .max_blocking_threads(WAITING)
        .build()
}

/// The address that a server can be reached at by default.
pub(crate) fn address_url(address: SocketAddr, is_tls: bool) -> String {
    format!("{}://{}", if is_tls { "https" } else { "http" }, reachable(address))
}

/// An address that this machine reaches a listener at: one on every address is on its own too.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

impl Server {
    /// A server of an app, on a listener.
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
        let sweep = Sweep::new(&app);
        let others = Router::new().merge(health.routes()).merge(console);
        let service = trunkline_api::service(app.clone(), others);
        Self { listener, tls, service, health, metrics, sweep, app, outbox }
    }

    /// Serves until a signal; then accepts nothing more, and finishes what is under way. A second
    /// signal ends the waiting.
    pub(crate) async fn run(self, signals: &mut Signals) {
        let Ok(()) = self.run_with(signals, async { Ok::<_, Infallible>(()) }).await;
    }

    /// As [`Server::run`], with work that is done meanwhile; when it fails, the server stops.
    pub(crate) async fn run_with<E>(
        self,
        signals: &mut Signals,
        work: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let graceful = GracefulShutdown::new();
        let senders = outbox::start(&self.app, self.outbox.clone());
        let ended = {
            let accepting = self.accept(&graceful);
            let mut accepting = pin!(accepting);
            // On a task of its own: a database that is slow to answer keeps nobody from connecting.
            let mut sweeping = JoinSet::new();
            sweeping.spawn(self.sweep.clone().run());
            let working = async {
                match work.await {
                    Ok(()) => pending().await,
                    Err(error) => error,
                }
            };
            tokio::select! {
                never = &mut accepting => match never {},
                error = working => Err(error),
                () = signals.next() => Ok(()),
            }
        };
        self.health.drain();
        self.app.ending.begin();
        tracing::info!("stopping: finishing what is under way");
        let finishing = async move {
            self.accept_last(&graceful).await;
            drop(self.listener);
            tokio::time::timeout(GRACE, graceful.shutdown()).await
        };
        tokio::select! {
            finished = finishing => match finished {
                Ok(()) => tracing::info!("stopped"),
                Err(_) => {
                    tracing::warn!("stopped: some requests took too long and were cut off");
                }
            },
            () = signals.next() => tracing::warn!("stopped at once, as asked"),
        }
        senders.stop().await;
        ended
    }

    async fn accept(&self, graceful: &GracefulShutdown) -> Infallible {
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let turn = Arc::clone(&connections).acquire_owned().await;
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            };
            self.serve(stream, graceful, turn.ok());
        }
    }

    /// Accepts those who do not know yet that the server is going down, until nobody comes any more.
    async fn accept_last(&self, graceful: &GracefulShutdown) {
        let begun = Instant::now();
        while begun.elapsed() < LAST * 2 {
            let wait = if begun.elapsed() < LAST { QUIET } else { Duration::ZERO };
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
        turn: Option<OwnedSemaphorePermit>,
    ) {
        let connection = self.connection(stream);
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _turn = turn;
            connection.serve(watcher).await;
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
