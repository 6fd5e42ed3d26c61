//! One connection: TLS if there is any, then HTTP/1.1, with a bound on everything.

use super::Service;
use super::patience::Patient;
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
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How long a request's head may take to arrive, and a connection may be idle; a TLS handshake
/// has as long.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head, and of what is read ahead or not yet sent.
const BUFFER: usize = 64 * 1024;
/// Headers of a request.
const HEADERS: usize = 100;

/// A connection that has been accepted.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) service: Service,
    pub(super) metrics: Arc<Metrics>,
}

impl Connection {
    /// Answers its requests until it ends, or until the server does.
    pub(super) async fn serve(self, watcher: Watcher) {
        let Self { stream, tls, service, metrics } = self;
        let _connected = metrics.connected();
        // Answers are small: waiting to fill a packet only makes them late.
        let _no_delay = stream.set_nodelay(true);
        let stream = Patient::new(stream);
        let Some(tls) = tls else { return http(stream, service, metrics, watcher).await };
        match tokio::time::timeout(HEAD_TIME, tls.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, service, metrics, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }
}

async fn http<S>(stream: S, service: Service, metrics: Arc<Metrics>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answering = service_fn(move |request: Request<Incoming>| {
        answer(service.clone(), Arc::clone(&metrics), request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), answering);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Has a request answered, counts it and logs it: by its route, never by its path and query,
/// which may have a token or an address in it.
async fn answer(
    service: Service,
    metrics: Arc<Metrics>,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let method = request.method().clone();
    let begun = Instant::now();
    let response = service.oneshot(request).await?;
    let took = begun.elapsed();
    let status = response.status().as_u16();
    let route = response.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
    metrics.answered(&method, route, status, took);
    let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    tracing::debug!(
        %method,
        route,
        status,
        milliseconds = took.as_secs_f64() * 1_000.0,
        request_id = id.unwrap_or_default(),
        "answered"
    );
    Ok(response)
}
