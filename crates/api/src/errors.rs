//! Every answer that is a refusal, in one place. Always an object with `errors`.

use crate::App;
use crate::json;
use crate::rate_limit::Allowance;
use crate::streams::STREAMS_OF_ONE;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use std::fmt;
use trunkline_network::Error;

/// Why a request was refused before or while it was answered.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 400: not to be understood.
    Bad(String),
    /// 400: a date that no version is for.
    BadVersion(String),
    /// 401: no credential, or a wrong one.
    Unauthorized,
    /// 405, with the methods there are.
    Method(&'static str),
    /// 408: the body did not arrive in time.
    TooSlow,
    /// 503: as many bodies are on their way as there is room for.
    Crowded,
    /// 413: the body is over the limit (bytes).
    TooLarge(usize),
    /// 415: the body is not JSON.
    NotJson,
    /// 429.
    TooMany(Allowance),
    /// 429: as many streams are open as may be.
    TooManyStreams,
    /// What a use case says.
    Refused(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// `{"errors": {"invalid_data": …, "class": …}}`
pub(crate) fn body(message: &str, class: &str) -> Value {
    json!({"errors": {"invalid_data": message, "class": class}})
}

/// An answer of a status with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(json::written(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn with(mut response: Response<Body>, name: header::HeaderName, value: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

impl Refusal {
    /// The answer. `invalid` makes a validation's body what it was on the request's date.
    pub(crate) fn response(self, app: &App, invalid: impl FnOnce(&mut Value)) -> Response<Body> {
        let answer =
            |status, message: &str, class: &str| json_response(status, &body(message, class));
        match self {
            Self::Bad(message) => answer(StatusCode::BAD_REQUEST, &message, "BadRequest"),
            Self::BadVersion(message) => {
                answer(StatusCode::BAD_REQUEST, &message, "InvalidApiVersion")
            }
            Self::Unauthorized => unauthorized(),
            Self::Method(allow) => {
                let message = format!("this path takes {allow}");
                let response = answer(StatusCode::METHOD_NOT_ALLOWED, &message, "MethodNotAllowed");
                with(response, header::ALLOW, allow)
            }
            Self::TooSlow => {
                answer(StatusCode::REQUEST_TIMEOUT, "the body took too long", "RequestTimeout")
            }
            Self::Crowded => {
                let message = "too much is being sent at once: try again";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let response = answer(status, message, "ServiceUnavailable");
                with(response, header::RETRY_AFTER, "1")
            }
            Self::TooLarge(limit) => {
                let message = format!("the body is over the limit of {limit} bytes");
                answer(StatusCode::PAYLOAD_TOO_LARGE, &message, "RequestTooLarge")
            }
            Self::NotJson => {
                let message = "the body must be JSON, with Content-Type: application/json";
                answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, message, "UnsupportedMediaType")
            }
            Self::TooMany(allowance) => {
                let message = format!("more than {} requests in a second", allowance.limit);
                let response = answer(StatusCode::TOO_MANY_REQUESTS, &message, "TooManyRequests");
                with(response, header::RETRY_AFTER, &allowance.reset.max(1).to_string())
            }
            Self::TooManyStreams => {
                let message =
                    format!("{STREAMS_OF_ONE} streams are open, or the server has no more");
                let response = answer(StatusCode::TOO_MANY_REQUESTS, &message, "TooManyRequests");
                with(response, header::RETRY_AFTER, "15")
            }
            Self::Refused(error) => refused(app, error, invalid),
        }
    }
}

fn unauthorized() -> Response<Body> {
    let message = "Access is not authorized: a valid credential is needed";
    let response = json_response(StatusCode::UNAUTHORIZED, &body(message, "Unauthorized"));
    let schemes = "Basic realm=\"Trunkline\", charset=\"UTF-8\"";
    with(response, header::WWW_AUTHENTICATE, schemes)
}

fn refused(app: &App, error: Error, invalid: impl FnOnce(&mut Value)) -> Response<Body> {
    match error {
        Error::Invalid { problems, status } => {
            let mut answer = json!({"errors": problems.to_json()});
            invalid(&mut answer);
            // The field's platforms document problems of a tree under `error`.
            let tree = answer.pointer("/errors/ivr_tree").cloned();
            if let Some(map) = answer.as_object_mut() {
                map.extend(tree.map(|tree| ("error".to_owned(), json!({"ivr_tree": tree}))));
                map.extend(status.map(|status| ("status".to_owned(), status.into())));
            }
            json_response(StatusCode::FORBIDDEN, &answer)
        }
        Error::NotFound(what) => {
            let message = format!("Could not find {what}");
            json_response(StatusCode::NOT_FOUND, &body(&message, "RecordNotFound"))
        }
        Error::NotAllowed(message) => {
            json_response(StatusCode::FORBIDDEN, &body(&message, "UnauthorizedOperation"))
        }
        Error::Conflict(message) => {
            json_response(StatusCode::CONFLICT, &body(&message, "Conflict"))
        }
        Error::Overtaken => {
            let message = "the object has been changed since it was read";
            json_response(StatusCode::PRECONDITION_FAILED, &body(message, "PreconditionFailed"))
        }
        Error::Unauthorized => unauthorized(),
        Error::Storage(error) => stored_badly(app, &error),
        Error::Internal(_) => our_fault(app, &error),
    }
}

fn stored_badly(app: &App, error: &trunkline_store::Error) -> Response<Body> {
    use trunkline_store::Error as Storage;
    let (status, message) = match error {
        Storage::Full => (StatusCode::INSUFFICIENT_STORAGE, "there is no room to store this"),
        Storage::Busy | Storage::Closed => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database is busy: try again")
        }
        Storage::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached: try again")
        }
        Storage::Abandoned
        | Storage::Unreadable { .. }
        | Storage::Sqlite(_)
        | Storage::Postgres(_) => return our_fault(app, error),
    };
    tracing::error!(error = %chain(error), "storage refused");
    let response = json_response(status, &body(message, "ServiceUnavailable"));
    with(response, header::RETRY_AFTER, "1")
}

/// 500: the cause goes to the log, a handle to both.
pub(crate) fn our_fault(app: &App, error: &dyn std::error::Error) -> Response<Body> {
    let entropy = (app.random)();
    let bytes = entropy.first_chunk().copied().unwrap_or_default();
    let handle = u32::from_be_bytes(bytes).to_string();
    tracing::error!(handle, error = %chain(error), "a request failed");
    let message = format!("refer to error handle {handle}");
    json_response(StatusCode::INTERNAL_SERVER_ERROR, &body(&message, "InternalServiceError"))
}

fn chain<'a>(error: &'a dyn std::error::Error) -> impl fmt::Display + 'a {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
