//! HTML page for browsers at paths without a route; other clients get the API's JSON response.

use super::listener_service::Service;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{Method, Request, Response, StatusCode, header};
use std::convert::Infallible;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

/// Wraps a service so that GET and HEAD requests that accept `text/html` get an HTML page in place of a
/// 404 of the fallback handler. A 404 of a route is not changed.
pub(super) fn with_html_not_found(service: Service) -> Service {
    BoxCloneSyncService::new(tower::service_fn(move |request| respond(service.clone(), request)))
}

async fn respond(service: Service, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let accepts_html = accepts_html(&request);
    let response = service.oneshot(request).await?;
    let has_route = response.extensions().get::<MatchedPath>().is_some();
    if !accepts_html || has_route || response.status() != StatusCode::NOT_FOUND {
        return Ok(response);
    }
    let mut page = trunkline_console::not_found_page();
    // The request id and the security headers.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && !page.headers().contains_key(name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    Ok(page)
}

fn accepts_html(request: &Request<Body>) -> bool {
    let accept = request.headers().get_all(header::ACCEPT);
    let mut media_types = accept.iter().filter_map(|value| value.to_str().ok());
    matches!(*request.method(), Method::GET | Method::HEAD)
        && media_types.any(|value| value.to_ascii_lowercase().contains("text/html"))
}
