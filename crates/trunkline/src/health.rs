//! Routes for load balancers and Prometheus: `/healthz`, `/readyz` and `/metrics`.

use crate::metrics::Metrics;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

    /// The three routes.
    pub(crate) fn routes(&self) -> Router {
        let ready = self.clone();
        let metrics = self.clone();
        Router::new()
            .route("/healthz", get(|| async { status_response(StatusCode::OK, "ok") }))
            .route("/readyz", get(move || async move { ready.readiness() }))
            .route("/metrics", get(move || async move { metrics.exposition() }))
    }

    fn readiness(&self) -> Response {
        if self.draining.load(Ordering::Relaxed) {
            return status_response(StatusCode::SERVICE_UNAVAILABLE, "draining");
        }
        // The cheapest query that reaches the database: no network has the id 0.
        match self.store.read(|unit| Ok::<_, Error>(unit.network(0)?)) {
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

fn status_response(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({"status": text}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
