//! Console: read-only HTML pages for users, rendered on the server, without scripts.
//!
//! A request passes through [`router`]'s route, then the extractor `page_request`, which resolves the
//! session or redeems a one-time token, then a file of `pages`, which calls the network's use cases
//! and renders the page with `layout`.

mod confirm_address;
mod format;
mod forms;
mod layout;
mod origin;
mod page_request;
mod pages;
mod read_request;
mod sign_in;
mod sign_in_link;
mod state;
mod switch_user;

pub use read_request::{ReadForm, read_form, read_session_cookie};
pub use state::Console;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Builds the console's routes, to be merged with the API's: every object_url, sign-in, sign-out, the
/// home page, the style sheet and the icon. The caller adds the security headers, such as the
/// content security policy.
pub fn router(console: Console) -> Router {
    let console = Arc::new(console);
    let limit_body = middleware::from_fn_with_state(Arc::clone(&console), sign_in::limit_body);
    let forms = sign_in::routes()
        .merge(sign_in_link::routes())
        .merge(switch_user::routes())
        .merge(confirm_address::routes());
    Router::new()
        .merge(pages::routes())
        .merge(forms.layer(limit_body))
        .route("/console.css", get(style_sheet))
        .route("/favicon.svg", get(favicon))
        .route("/favicon.ico", get(favicon))
        .with_state(console)
}

/// Renders the page for a path without a route.
pub fn not_found_page() -> Response {
    let text = "There is no page at this address.";
    layout::message_page(StatusCode::NOT_FOUND, "Not found", text)
}

/// Icon of the console, also at the path that browsers request for pages without a link to an icon.
async fn favicon() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, include_str!("favicon.svg"))
}

async fn style_sheet() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("console.css"))
}
