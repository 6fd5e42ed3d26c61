//! The console: pages for people, rendered on the server. They work without scripts, and change
//! nothing.
//!
//! A request walks one way: [`router`]'s route → [`visit`], which finds who is signed in, or signs
//! them in by a one-time token → a file of [`pages`], which calls the network's use cases and
//! writes the page in the frame of [`layout`].

mod forms;
mod layout;
mod origin;
mod pages;
mod sign_in;
mod visit;
mod words;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::Timestamp;
use std::sync::Arc;
use trunkline_network::credentials::Entropy;
use trunkline_network::{Passwords, Store};

/// What the console needs of the server it is part of.
#[derive(Clone)]
pub struct Console {
    /// Where everything is kept.
    pub store: Store,
    /// Reads the time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Draws random bytes.
    pub random: Arc<dyn Fn() -> Entropy + Send + Sync>,
    /// Verifies passwords.
    pub passwords: Arc<Passwords>,
    /// Whether browsers may send the session's cookie over TLS only. True where people reach the
    /// server by https.
    pub secure_cookies: bool,
}

/// The console's routes, to be merged beside the API's: every object_url, signing in and out, the
/// home page and the style sheet. The headers that keep browsers safe are the server's to add.
pub fn router(console: Console) -> Router {
    Router::new()
        .merge(pages::routes())
        .merge(sign_in::routes())
        .route("/console.css", get(style))
        .with_state(Arc::new(console))
}

async fn style() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("console.css"))
}
