//! Console: read-only HTML pages for users, rendered on the server, without scripts.
//!
//! A request passes through [`router`]'s route, then the extractor [`page_request`], which resolves the
//! session or redeems a one-time token, then a file of [`pages`], which calls the network's use cases
//! and renders the page with [`layout`].

mod format;
mod forms;
mod layout;
mod origin;
mod page_request;
mod pages;
mod sign_in;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::Timestamp;
use std::sync::Arc;
use trunkline_network::credentials::Entropy;
use trunkline_network::{PasswordVerifier, Store};

/// State of the console, provided by the server.
#[derive(Clone)]
pub struct Console {
    /// Database.
    pub store: Store,
    /// Clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Random source.
    pub random: Arc<dyn Fn() -> Entropy + Send + Sync>,
    /// Password verifier.
    pub passwords: Arc<PasswordVerifier>,
    /// True if session cookies have the attribute `Secure`, so that browsers send them over TLS only.
    /// Set it if the base URL is https.
    pub secure_cookies: bool,
}

/// Builds the console's routes, to be merged with the API's: every object_url, sign-in, sign-out, the
/// home page and the style sheet. The caller adds the security headers, such as the
/// content security policy.
pub fn router(console: Console) -> Router {
    Router::new()
        .merge(pages::routes())
        .merge(sign_in::routes())
        .route("/console.css", get(style_sheet))
        .with_state(Arc::new(console))
}

async fn style_sheet() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("console.css"))
}
