//! Routes for load balancers and Prometheus: `/healthz`, `/readyz` and `/metrics`.

use crate::metrics::Metrics;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trunkline_domain::id::NetworkId;
use trunkline_network::{Error, Store};

/// State behind the health routes.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    store: Store,
    metrics: Arc<Metrics>,
    draining: Arc<AtomicBool>,
}

impl Health {
    /// State of a server that is not draining.
    pub(crate) fn new(store: Store, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics, draining: Arc::default() }
    }

    /// Makes `/readyz` report `draining` from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Routes `/healthz` and `/readyz`.
    pub(crate) fn routes(&self) -> Router {
        let health = self.clone();
        Router::new()
            .route("/healthz", get(|| async { status_response(StatusCode::OK, "ok") }))
            .route("/readyz", get(move || async move { health.readiness() }))
    }

    /// Route `/metrics`. With a token, requests must present it as `Authorization: Bearer <token>`.
    pub(crate) fn metrics_route(&self, token: Option<String>) -> Router {
        let health = self.clone();
        let handler = move |headers: HeaderMap| async move {
            match token.is_none_or(|token| has_bearer_token(&headers, &token)) {
                true => health.exposition(),
                false => unauthorized(),
            }
        };
        Router::new().route("/metrics", get(handler))
    }

    fn readiness(&self) -> Response {
        if self.draining.load(Ordering::Relaxed) {
            return status_response(StatusCode::SERVICE_UNAVAILABLE, "draining");
        }
        if let Err(error) = self.store.verify_file() {
            return status_response(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
        }
        // The cheapest query that reaches the database: no network has this id.
        match self.store.read(|unit| Ok::<_, Error>(unit.network(NetworkId::UNASSIGNED)?)) {
            Ok(_) => status_response(StatusCode::OK, "ready"),
            Err(error) => {
                tracing::warn!(%error, "/readyz: the database does not answer");
                status_response(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
            }
        }
    }

    fn exposition(&self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (headers, self.metrics.exposition(&self.store)).into_response()
    }
}

/// Compares the bearer token of a request in time that does not depend on its content.
fn has_bearer_token(headers: &HeaderMap, token: &str) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(presented) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
        return false;
    };
    let presented = presented.trim().as_bytes();
    let token = token.as_bytes();
    let difference = presented.iter().zip(token).fold(0, |sum, (a, b)| sum | (a ^ b));
    presented.len() == token.len() && difference == 0
}

fn unauthorized() -> Response {
    let headers =
        [(header::WWW_AUTHENTICATE, "Bearer"), (header::CONTENT_TYPE, "application/json")];
    let body = serde_json::json!({"status": "the metrics token is missing or wrong"}).to_string();
    (StatusCode::UNAUTHORIZED, headers, body).into_response()
}

fn status_response(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({"status": text}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
