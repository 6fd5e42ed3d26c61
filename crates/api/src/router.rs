//! The routes, and what is the same on every one of them.

use crate::app::App;
use crate::errors::{Refusal, body, json_response, our_fault};
use crate::incoming::AskedPath;
use crate::openapi;
use crate::path::{self, Addressed, BadPath};
use crate::proof::Told;
use crate::rate_limit::Allowance;
use crate::reply::hex;
use crate::resources;
use crate::versions::get_changes_state;
use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use futures_util::FutureExt;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use tower::ServiceExt;
use tower::util::{BoxCloneSyncService, MapRequestLayer};
use trunkline_network::Error;

/// A request's id: the client's own, or one that is made up.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The API's routes, by the paths that [`path::address`] leaves.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(resources::routes().into_router())
        .merge(openapi::pages())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// The API as a service: paths are addressed before they are routed. `others` are routes beside
/// the API's, such as the console's.
pub fn service(
    app: App,
    others: Router,
) -> BoxCloneSyncService<Request<Body>, Response<Body>, Infallible> {
    let tell_route = MapRequestLayer::new(tell_route);
    let routes = others.merge(router(app.clone())).layer(tell_route);
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
        around(app.clone(), routes.clone(), request)
    }))
}

/// Tells the layer around which route a request took ([`MatchedPath`]).
fn tell_route(request: Request<Body>) -> Request<Body> {
    let extensions = request.extensions();
    if let (Some(told), Some(route)) = (extensions.get::<Told>(), extensions.get::<MatchedPath>()) {
        told.take_route(route.clone());
    }
    request
}

/// What axum says of a path's methods is true of every version, but for two paths: their GET went
/// away on a date.
async fn answer(app: &App, routes: Router, request: Request<Body>) -> Response<Body> {
    let request = match readdress(app, request) {
        Ok(request) => request,
        Err(response) => return *response,
    };
    let version = request.extensions().get::<Addressed>().map(|addressed| addressed.version);
    let path = request.uri().path();
    let only_post = (path.ends_with("/go_live") || path.ends_with("/archive"))
        && version.is_some_and(|version| !get_changes_state(version));
    let Ok(mut response) = routes.oneshot(request).await;
    if only_post && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn readdress(app: &App, mut request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
    let asked = request.uri().path().to_owned();
    let refused = |refusal: Refusal| Box::new(refusal.response(app, |_| ()));
    let (path, addressed) = path::address(&asked).map_err(|bad| {
        refused(match bad {
            BadPath::Encoding => Refusal::Bad("the path is not valid percent-encoding".to_owned()),
            BadPath::Version(message) => Refusal::BadVersion(message),
        })
    })?;
    if let Some(addressed) = addressed {
        let uri = path::with_path(request.uri(), &path);
        *request.uri_mut() =
            uri.ok_or_else(|| refused(Refusal::Bad("the path cannot be read".to_owned())))?;
        request.extensions_mut().insert(addressed);
    } else if path.starts_with("/trunkline/") {
        // The extensions' routes, as only an addressed path may name them.
        return Err(refused(Refusal::Refused(Error::NotFound(path))));
    }
    request.extensions_mut().insert(AskedPath(asked));
    Ok(request)
}

/// A handler panicked: our own fault, whatever was asked. The panic itself is on standard error.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked;

/// Adds to every answer its request's id, what is left of the rate limit, and the headers that
/// keep browsers safe. Leaves the route's pattern in the answer's extensions ([`MatchedPath`]), for
/// whoever counts.
async fn around(
    app: App,
    routes: Router,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let id = request_id(&app, request.headers());
    let told = Told::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(told.clone());
    let answered = AssertUnwindSafe(answer(&app, routes, request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| our_fault(&app, &Panicked));
    let mut response = told.answer(&app, response);
    if let Some(route) = told.route() {
        response.extensions_mut().insert(route);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    add_rate_limit(headers, told.spent());
    Ok(response)
}

fn add_rate_limit(headers: &mut HeaderMap, spent: Option<Allowance>) {
    let Some(left) = spent else { return };
    let values = [
        ("ratelimit-policy", format!("\"default\";q={};w=1", left.limit)),
        ("ratelimit", format!("\"default\";r={};t={}", left.remaining, left.reset)),
        ("ratelimit-limit", left.limit.to_string()),
        ("ratelimit-remaining", left.remaining.to_string()),
        ("ratelimit-reset", left.reset.to_string()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// The client's own id when it is short and plain, else one that is made up.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let said = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let plain =
        |id: &&str| !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic());
    said.filter(plain).map_or_else(|| hex(&(app.random)()[..16]), str::to_owned)
}

async fn not_found(request: Request<Body>) -> Response<Body> {
    let asked = request.extensions().get::<AskedPath>().map(|path| path.0.clone());
    let message = format!("Could not find {}", asked.unwrap_or_default());
    json_response(StatusCode::NOT_FOUND, &body(&message, "RecordNotFound"))
}

async fn method_not_allowed(request: Request<Body>) -> Response<Body> {
    let message = format!("this path does not take {}", request.method());
    json_response(StatusCode::METHOD_NOT_ALLOWED, &body(&message, "MethodNotAllowed"))
}
