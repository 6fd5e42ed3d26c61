//! Error responses. Their body is always an object with `errors`.

use crate::App;
use crate::json;
use crate::rate_limit::Allowance;
use crate::request_body::BodyError;
use crate::streams::{MAX_STREAMS_PER_CREDENTIAL, MAX_STREAMS_PER_TENANT};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use std::fmt;
use trunkline_network::Error;

/// Error of a request. The doc comment of each variant begins with its status.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400: the request cannot be parsed.
    BadRequest(String),
    /// 400: the date of the path is before the first version, or is not a date.
    UnknownVersion(String),
    /// 401: no credential, or one that is not valid.
    Unauthorized,
    /// 405, with the value of the `Allow` header.
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 503: the memory for bodies that are being received is used up.
    Overloaded,
    /// 413: the body is over the limit (bytes).
    BodyTooLarge(usize),
    /// 415: the body is not JSON.
    UnsupportedMediaType,
    /// 429: the credential's rate limit is used up.
    RateLimited(Allowance),
    /// 429: the rate limit that the credentials of a tenant share is used up.
    TenantRateLimited(Allowance),
    /// 429: the limit on open streams is reached.
    TooManyStreams,
    /// Error of a use case; its kind determines the status.
    UseCase(Error),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::UseCase(error)
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self::BodyTooLarge(limit),
            BodyError::TimedOut => Self::BodyTimeout,
            BodyError::NoMemory => Self::Overloaded,
            BodyError::NotJson => Self::UnsupportedMediaType,
            BodyError::Invalid(message) => Self::BadRequest(message),
        }
    }
}

/// Returns the body of an error: `{"errors": {"invalid_data": …, "class": …}}`
pub(crate) fn error_body(message: &str, class: &str) -> Value {
    json!({"errors": {"invalid_data": message, "class": class}})
}

/// Returns a response with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(json::to_string(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn with_header(
    mut response: Response<Body>,
    name: header::HeaderName,
    value: &str,
) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

impl ApiError {
    /// Returns the response, in the newest version.
    pub(crate) fn into_response(self, app: &App) -> Response<Body> {
        self.into_versioned_response(app, |_| ())
    }

    /// Returns the response. `downgrade` converts the body of a validation error (403) to the
    /// request's version.
    pub(crate) fn into_versioned_response(
        self,
        app: &App,
        downgrade: impl FnOnce(&mut Value),
    ) -> Response<Body> {
        let respond =
            |status, message: &str, class: &str| json_response(status, &error_body(message, class));
        match self {
            Self::BadRequest(message) => respond(StatusCode::BAD_REQUEST, &message, "BadRequest"),
            Self::UnknownVersion(message) => {
                respond(StatusCode::BAD_REQUEST, &message, "InvalidApiVersion")
            }
            Self::Unauthorized => unauthorized(),
            Self::MethodNotAllowed(allow) => {
                let message = format!("this path allows {allow}");
                let response =
                    respond(StatusCode::METHOD_NOT_ALLOWED, &message, "MethodNotAllowed");
                with_header(response, header::ALLOW, allow)
            }
            Self::BodyTimeout => {
                respond(StatusCode::REQUEST_TIMEOUT, "the body took too long", "RequestTimeout")
            }
            Self::Overloaded => {
                let message = "too many request bodies are being received: try again";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let response = respond(status, message, "ServiceUnavailable");
                with_header(response, header::RETRY_AFTER, "1")
            }
            Self::BodyTooLarge(limit) => {
                let message = format!("the body is over the limit of {limit} bytes");
                respond(StatusCode::PAYLOAD_TOO_LARGE, &message, "RequestTooLarge")
            }
            Self::UnsupportedMediaType => {
                let message = "the body must be JSON, with Content-Type: application/json";
                respond(StatusCode::UNSUPPORTED_MEDIA_TYPE, message, "UnsupportedMediaType")
            }
            Self::RateLimited(allowance) => {
                let message = format!("more than {} requests in a second", allowance.limit);
                let response = respond(StatusCode::TOO_MANY_REQUESTS, &message, "TooManyRequests");
                with_header(response, header::RETRY_AFTER, &allowance.reset.max(1).to_string())
            }
            Self::TenantRateLimited(allowance) => {
                let limit = allowance.limit;
                let message = format!(
                    "more than {limit} requests in a second by the credentials of one party"
                );
                let response = respond(StatusCode::TOO_MANY_REQUESTS, &message, "TooManyRequests");
                with_header(response, header::RETRY_AFTER, &allowance.reset.max(1).to_string())
            }
            Self::TooManyStreams => {
                let message = format!(
                    "{MAX_STREAMS_PER_CREDENTIAL} streams of this credential or \
                     {MAX_STREAMS_PER_TENANT} of its party are open, or the server has no more"
                );
                let response = respond(StatusCode::TOO_MANY_REQUESTS, &message, "TooManyRequests");
                with_header(response, header::RETRY_AFTER, "15")
            }
            Self::UseCase(error) => use_case_response(app, error, downgrade),
        }
    }
}

fn unauthorized() -> Response<Body> {
    let message = "Access is not authorized: a valid credential is needed";
    let response = json_response(StatusCode::UNAUTHORIZED, &error_body(message, "Unauthorized"));
    let schemes = "Basic realm=\"Trunkline\", charset=\"UTF-8\"";
    with_header(response, header::WWW_AUTHENTICATE, schemes)
}

fn use_case_response(
    app: &App,
    error: Error,
    downgrade: impl FnOnce(&mut Value),
) -> Response<Body> {
    match error {
        Error::Invalid { problems, status } => {
            let mut body = json!({"errors": problems.to_json()});
            downgrade(&mut body);
            // Existing platforms of this API document the problems of an IVR tree under `error`.
            let tree = body.pointer("/errors/ivr_tree").cloned();
            if let Some(map) = body.as_object_mut() {
                map.extend(tree.map(|tree| ("error".to_owned(), json!({"ivr_tree": tree}))));
                map.extend(status.map(|status| ("status".to_owned(), status.into())));
            }
            json_response(StatusCode::FORBIDDEN, &body)
        }
        Error::NotFound(object) => {
            let message = format!("Could not find {object}");
            json_response(StatusCode::NOT_FOUND, &error_body(&message, "RecordNotFound"))
        }
        Error::Gone(message) => json_response(StatusCode::GONE, &error_body(&message, "Gone")),
        Error::NotAllowed(message) => {
            json_response(StatusCode::FORBIDDEN, &error_body(&message, "UnauthorizedOperation"))
        }
        Error::Conflict(message) => {
            json_response(StatusCode::CONFLICT, &error_body(&message, "Conflict"))
        }
        Error::PreconditionFailed => {
            let message = "the object has been changed since it was read";
            json_response(
                StatusCode::PRECONDITION_FAILED,
                &error_body(message, "PreconditionFailed"),
            )
        }
        Error::Unauthorized => unauthorized(),
        Error::SignInsThrottled(wait) | Error::AuditLimitReached(wait) => {
            let response = json_response(
                StatusCode::TOO_MANY_REQUESTS,
                &error_body(&error.to_string(), "TooManyRequests"),
            );
            let seconds = wait.as_secs() + 1;
            with_header(response, header::RETRY_AFTER, &seconds.to_string())
        }
        Error::TooManyExpensiveRequests => {
            let body = error_body(&error.to_string(), "TooManyRequests");
            let response = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
            with_header(response, header::RETRY_AFTER, "1")
        }
        Error::SignInsBusy => {
            let body = error_body(&error.to_string(), "ServiceUnavailable");
            let response = json_response(StatusCode::SERVICE_UNAVAILABLE, &body);
            with_header(response, header::RETRY_AFTER, "1")
        }
        Error::Storage(error) => storage_response(app, &error),
        Error::Internal(_) => internal_error(app, &error),
    }
}

fn storage_response(app: &App, error: &trunkline_store::Error) -> Response<Body> {
    use trunkline_store::Error as Storage;
    let (status, message) = match error {
        Storage::Full => (StatusCode::INSUFFICIENT_STORAGE, "the database has no space left"),
        Storage::Busy | Storage::Closed => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database is busy: try again")
        }
        Storage::Replaced => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database file was replaced or deleted: the server must be restarted",
        ),
        Storage::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached: try again")
        }
        Storage::AuditLimit
        | Storage::Abandoned
        | Storage::Unreadable { .. }
        | Storage::Sqlite(_)
        | Storage::Postgres(_) => return internal_error(app, error),
    };
    tracing::error!(error = %error_chain(error), "the database could not serve a request");
    let response = json_response(status, &error_body(message, "ServiceUnavailable"));
    with_header(response, header::RETRY_AFTER, "1")
}

/// Returns a 500 response. It contains a random handle; the log entry with the cause has the same.
pub(crate) fn internal_error(app: &App, error: &dyn std::error::Error) -> Response<Body> {
    let entropy = (app.random)();
    let bytes = entropy.first_chunk().copied().unwrap_or_default();
    let handle = u32::from_be_bytes(bytes).to_string();
    tracing::error!(handle, error = %error_chain(error), "request failed with an internal error");
    let message = format!("refer to error handle {handle}");
    json_response(StatusCode::INTERNAL_SERVER_ERROR, &error_body(&message, "InternalServiceError"))
}

/// Formats an error with all its sources.
fn error_chain<'a>(error: &'a dyn std::error::Error) -> impl fmt::Display + 'a {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
