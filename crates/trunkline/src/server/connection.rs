//! Connection handling: optional TLS, then HTTP/1.1, with limits on time and size.

use super::clients::ClientSettings;
use super::listener_service::Service;
use super::write_timeout::WriteTimeoutStream;
use crate::metrics::{Metrics, UNMATCHED};
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use trunkline_network::ClientAddress;

/// Longest time for a request's head to arrive, for a connection to be idle, and for a TLS
/// handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest request head, and the size of hyper's read and write buffers (bytes).
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 100;

/// Accepted connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Address of the client, or of a proxy.
    pub(super) peer: IpAddr,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) service: Service,
    pub(super) clients: Arc<ClientSettings>,
    pub(super) metrics: Arc<Metrics>,
}

impl Connection {
    /// Serves requests until the client closes the connection or the server shuts down.
    pub(super) async fn serve(self, watcher: Watcher) {
        let Self { stream, peer, tls, service, clients, metrics } = self;
        let service = service.map_request(move |mut request: Request<Body>| {
            let address = clients.client_address(peer, request.headers());
            request.extensions_mut().insert(ClientAddress(address));
            request
        });
        let service = Service::new(service);
        let _connection_guard = metrics.count_connection();
        // Most responses fit into one packet, so Nagle's algorithm would only delay them. Without the
        // option the connection works, too.
        stream.set_nodelay(true).ok();
        let stream = WriteTimeoutStream::new(stream);
        let Some(tls) = tls else { return serve_http(stream, service, metrics, watcher).await };
        match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve_http(stream, service, metrics, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake timed out"),
        }
    }
}

async fn serve_http<S>(stream: S, service: Service, metrics: Arc<Metrics>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handler = service_fn(move |request: Request<Incoming>| {
        handle(service.clone(), Arc::clone(&metrics), request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_BUFFER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), handler);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended with an error");
    }
}

/// Handles a request, records its metrics and logs it by its route. Path and query are never logged:
/// they may contain a token or an e-mail address.
async fn handle(
    service: Service,
    metrics: Arc<Metrics>,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let method = request.method().clone();
    let started = Instant::now();
    let response = service.oneshot(request).await?;
    let duration = started.elapsed();
    let status = response.status().as_u16();
    let route = response.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
    metrics.record_request(&method, route, status, duration);
    let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    tracing::debug!(
        %method,
        route,
        status,
        milliseconds = duration.as_secs_f64() * 1_000.0,
        request_id = id.unwrap_or_default(),
        "answered"
    );
    Ok(response)
}
