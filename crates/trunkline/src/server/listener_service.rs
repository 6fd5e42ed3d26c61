//! Type of the service that answers the requests of a listener.

use axum::body::Body;
use axum::http::{Request, Response};
use std::convert::Infallible;
use tower::util::BoxCloneSyncService;

/// Service of a listener.
pub(super) type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
