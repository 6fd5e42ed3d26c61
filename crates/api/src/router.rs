//! The router and the middleware around every route.

use crate::api_request::OriginalPath;
use crate::app::App;
use crate::credential_guard::ResponseMeta;
use crate::errors::{ApiError, error_body, internal_error, json_response};
use crate::object_response::to_hex;
use crate::openapi;
use crate::path_prefix::{self, ParsedPath, PathError, PathPrefix};
use crate::rate_limit::Allowance;
use crate::request_id::RequestId;
use crate::resources;
use crate::versions::get_changes_state;
use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use futures_util::FutureExt;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use tower::ServiceExt;
use tower::util::{BoxCloneSyncService, MapRequestLayer};
use trunkline_network::Error;

/// Returns the API's router, for paths without the prefix that `path_prefix::parse_prefix`
/// removes.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(resources::routes().into_router())
        .merge(openapi::pages())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// Returns the API as a service: middleware, path rewriting and router. `others` are routes beside
/// the API's, such as the console's.
pub fn service(
    app: App,
    others: Router,
) -> BoxCloneSyncService<Request<Body>, Response<Body>, Infallible> {
    let record_route = MapRequestLayer::new(record_route);
    let routes = others.merge(router(app.clone())).layer(record_route);
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
        handle_request(app.clone(), routes.clone(), request)
    }))
}

/// Records the matched route ([`MatchedPath`]) for the middleware, which runs outside the router.
fn record_route(request: Request<Body>) -> Request<Body> {
    let extensions = request.extensions();
    if let (Some(response_meta), Some(route)) =
        (extensions.get::<ResponseMeta>(), extensions.get::<MatchedPath>())
    {
        response_meta.set_route(route.clone());
    }
    request
}

/// Rewrites the path and routes the request. The router's `Allow` header is right for every
/// version, except for two paths that lost their GET on a date; it is corrected here.
async fn dispatch(app: &App, routes: Router, request: Request<Body>) -> Response<Body> {
    if let Err(response) = check_head(app, &request) {
        return *response;
    }
    let request = match rewrite_path(app, request) {
        Ok(request) => request,
        Err(response) => return *response,
    };
    let version = request.extensions().get::<PathPrefix>().map(|prefix| prefix.version);
    let path = request.uri().path();
    let only_post = (path.ends_with("/go_live") || path.ends_with("/archive"))
        && version.is_some_and(|version| !get_changes_state(version));
    let Ok(mut response) = routes.oneshot(request).await;
    if only_post && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// Largest head of a request (bytes): its first line and its headers.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Reason for rejecting a request by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadProblem {
    /// The head is larger than [`MAX_HEAD_BYTES`].
    TooLarge,
    /// An HTTP/1.1 request has this number of `Host` headers (RFC 9112, 3.2): a proxy may have routed it
    /// by another one.
    Hosts(usize),
}

/// Checks the size of a request's head and the number of its `Host` headers.
pub(crate) fn find_head_problem<T>(request: &Request<T>) -> Option<HeadProblem> {
    let lines = request.headers().iter();
    let header_bytes: usize =
        lines.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let first_line = request.method().as_str().len() + target + "  HTTP/1.1\r\n".len();
    if first_line + header_bytes + "\r\n".len() > MAX_HEAD_BYTES {
        return Some(HeadProblem::TooLarge);
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let is_valid = hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11);
    (!is_valid).then_some(HeadProblem::Hosts(hosts))
}

/// Rejects a request by its head, and closes its connection.
fn check_head(app: &App, request: &Request<Body>) -> Result<(), Box<Response<Body>>> {
    let mut response = match find_head_problem(request) {
        None => return Ok(()),
        Some(HeadProblem::TooLarge) => {
            let message = format!("the head of the request is larger than {MAX_HEAD_BYTES} bytes");
            let body = error_body(&message, "RequestHeaderFieldsTooLarge");
            json_response(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &body)
        }
        Some(HeadProblem::Hosts(hosts)) => {
            let message =
                format!("a request needs exactly one Host header, and this one has {hosts}");
            ApiError::BadRequest(message).into_response(app)
        }
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Err(Box::new(response))
}

/// Removes the prefix from the path and adds it to the request's extensions.
fn rewrite_path(
    app: &App,
    mut request: Request<Body>,
) -> Result<Request<Body>, Box<Response<Body>>> {
    let original_path = request.uri().path().to_owned();
    let reject = |error: ApiError| Box::new(error.into_response(app));
    let ParsedPath { path, prefix } =
        path_prefix::parse_prefix(&original_path).map_err(|error| {
            reject(match error {
                PathError::Encoding => {
                    ApiError::BadRequest("the path is not valid percent-encoding".to_owned())
                }
                PathError::Version(message) => ApiError::UnknownVersion(message),
            })
        })?;
    if let Some(prefix) = prefix {
        let uri = path_prefix::with_path(request.uri(), &path);
        *request.uri_mut() =
            uri.ok_or_else(|| reject(ApiError::BadRequest("the path cannot be read".to_owned())))?;
        request.extensions_mut().insert(prefix);
    } else if path.starts_with("/trunkline/") {
        // These are the router's paths of the extensions. Clients must send them with a prefix.
        return Err(reject(ApiError::UseCase(Error::NotFound(path))));
    }
    request.extensions_mut().insert(OriginalPath(original_path));
    Ok(request)
}

/// Error of a request whose handler panicked. The panic hook has written the panic to standard
/// error.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct HandlerPanicked;

/// Headers of every response that protect browsers.
const SECURITY_HEADERS: [(header::HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
];

/// Header that says that the path names an object by the server's id.
const RESOLVED_BY_HEADER: &str = "trunkline-resolved-by";

/// Handles one request. Adds the request id, the rate limit and the security headers to the
/// response, and the matched route ([`MatchedPath`]) to its extensions, for metrics. Turns a panic
/// into a 500.
async fn handle_request(
    app: App,
    routes: Router,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let response_meta = ResponseMeta::default();
    let own = to_hex(&(app.random)()[..16]);
    let echoed = client_request_id(request.headers()).unwrap_or(&own).to_owned();
    let id = RequestId { echoed, own };
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(response_meta.clone());
    let result = AssertUnwindSafe(dispatch(&app, routes, request)).catch_unwind().await;
    let response = result.unwrap_or_else(|_| internal_error(&app, &HandlerPanicked));
    let mut response = response_meta.confirm_response(&app, response);
    if let Some(route) = response_meta.take_route() {
        response.extensions_mut().insert(route);
    }
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.base_url.starts_with("https://") {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if let Ok(id) = HeaderValue::from_str(&id.echoed) {
        headers.insert("x-request-id", id);
    }
    if response_meta.internal_id_use().get() {
        headers.insert(RESOLVED_BY_HEADER, HeaderValue::from_static("id"));
    }
    if let Some(allowance) = response_meta.rate_limit() {
        add_rate_limit_headers(headers, allowance);
    }
    Ok(response)
}

fn add_rate_limit_headers(headers: &mut HeaderMap, allowance: Allowance) {
    let Allowance { limit, remaining, reset } = allowance;
    let values = [
        ("ratelimit-policy", format!("\"default\";q={limit};w=1")),
        ("ratelimit", format!("\"default\";r={remaining};t={reset}")),
        ("ratelimit-limit", limit.to_string()),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// Returns the client's request id if it has 1 to 128 printable ASCII characters.
pub(crate) fn client_request_id(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let is_valid =
        |id: &&str| !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic());
    header.filter(is_valid)
}

async fn not_found(request: Request<Body>) -> Response<Body> {
    let path = request.extensions().get::<OriginalPath>().map(|path| path.0.clone());
    let message = format!("Could not find {}", path.unwrap_or_default());
    json_response(StatusCode::NOT_FOUND, &error_body(&message, "RecordNotFound"))
}

async fn method_not_allowed(request: Request<Body>) -> Response<Body> {
    let message = format!("this path does not allow {}", request.method());
    json_response(StatusCode::METHOD_NOT_ALLOWED, &error_body(&message, "MethodNotAllowed"))
}
