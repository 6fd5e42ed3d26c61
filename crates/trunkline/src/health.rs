//! `/healthz`, `/readyz` and `/metrics`: what a load balancer and Prometheus ask.

use crate::metrics::Metrics;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trunkline_network::{Error, Store};

/// What the three look at.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    store: Store,
    metrics: Arc<Metrics>,
    draining: Arc<AtomicBool>,
}

impl Health {
    /// A server that takes requests.
    pub(crate) fn new(store: Store, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics, draining: Arc::default() }
    }

    /// From now on `/readyz` says that the server is going down.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The three routes.
    pub(crate) fn routes(&self) -> Router {
        let (ready, metrics) = (self.clone(), self.clone());
        Router::new()
            .route("/healthz", get(|| async { state(StatusCode::OK, "ok") }))
            .route("/readyz", get(move || async move { ready.readiness() }))
            .route("/metrics", get(move || async move { metrics.exposition() }))
    }

    fn readiness(&self) -> Response {
        if self.draining.load(Ordering::Relaxed) {
            return state(StatusCode::SERVICE_UNAVAILABLE, "draining");
        }
        // No network has the id 0: one look at an index.
        match self.store.read(|session| Ok::<_, Error>(session.network(0)?)) {
            Ok(_) => state(StatusCode::OK, "ready"),
            Err(error) => {
                tracing::warn!(%error, "the database does not answer");
                state(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
            }
        }
    }

    fn exposition(&self) -> Response {
        let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (kind, self.metrics.exposition(&self.store)).into_response()
    }
}

fn state(status: StatusCode, state: &str) -> Response {
    let body = serde_json::json!({"status": state}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
