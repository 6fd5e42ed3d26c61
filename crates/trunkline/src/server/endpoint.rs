//! Endpoint: a listener with the service of its connections.

use super::clients::{ClientSettings, ConnectionCounts};
use super::connection::Connection;
use super::listener_service::Service;
use crate::metrics::Metrics;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

/// While draining, the server stops accepting once no connection has arrived for this long.
const DRAIN_IDLE: Duration = Duration::from_millis(100);
/// Longest time that a draining server accepts: load balancers have polled `/readyz` by then.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Pause after a failed `accept`, for example when file descriptors are exhausted.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Listener, and the service of its connections.
pub(super) struct Endpoint {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) service: Service,
    pub(super) metrics: Arc<Metrics>,
    /// Concurrent connections; more wait in the listener's backlog.
    pub(super) max_connections: usize,
    /// Limit for each address, and trusted proxies.
    pub(super) clients: Arc<ClientSettings>,
    pub(super) connection_counts: ConnectionCounts,
}

impl Endpoint {
    /// Accepts and serves connections.
    pub(super) async fn accept(&self, graceful: &GracefulShutdown) -> Infallible {
        let connections = Arc::new(Semaphore::new(self.max_connections));
        loop {
            let permit = Arc::clone(&connections).acquire_owned().await;
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection, trying again");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            self.serve(stream, peer, graceful, permit.ok());
        }
    }

    /// Accepts connections of clients that have not noticed the shutdown yet, until none arrives.
    /// After [`DRAIN_MAX`] only connections already in the backlog are accepted.
    pub(super) async fn accept_while_draining(&self, graceful: &GracefulShutdown) {
        let started = Instant::now();
        while started.elapsed() < DRAIN_MAX * 2 {
            let wait = if started.elapsed() < DRAIN_MAX { DRAIN_IDLE } else { Duration::ZERO };
            match tokio::time::timeout(wait, self.listener.accept()).await {
                Ok(Ok((stream, peer))) => self.serve(stream, peer, graceful, None),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        graceful: &GracefulShutdown,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let address = peer.ip().to_canonical();
        let Some(counted) = self.connection_counts.count(address, &self.clients) else {
            tracing::debug!(%address, "closed a connection: its address has too many");
            return;
        };
        let connection = Connection {
            stream,
            peer: address,
            tls: self.tls.clone(),
            service: self.service.clone(),
            clients: Arc::clone(&self.clients),
            metrics: Arc::clone(&self.metrics),
        };
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            connection.serve(watcher).await;
            drop(counted);
            drop(permit);
        });
    }
}
