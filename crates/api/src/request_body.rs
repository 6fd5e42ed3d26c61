//! Reads a body within the limits of size, time and memory.

use crate::body_memory::{BodyMemory, BodyOwner};
use crate::json;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::timeout;

/// Limits on a body that is read whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// Maximum size, in bytes.
    pub(crate) max_bytes: usize,
    /// Maximum time until it has arrived.
    pub(crate) timeout: Duration,
}

/// Reason for which a body is refused.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It is larger than the limit (bytes).
    TooLarge(usize),
    /// It did not arrive in time.
    TimedOut,
    /// There is no memory for it.
    NoMemory,
    /// It is not declared as JSON.
    NotJson,
    /// It breaks off or cannot be parsed.
    Invalid(String),
}

/// Content type of a body with one JSON value a line.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Reads and parses a body. Returns `None` if it is empty.
pub(crate) async fn read_object(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
    (memory, owner): (&BodyMemory, BodyOwner),
) -> Result<Option<Map<String, Value>>, BodyError> {
    let BodyLimits { max_bytes, timeout: max_time } = limits;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|bytes| bytes > max_bytes as u64) {
        return Err(BodyError::TooLarge(max_bytes));
    }
    let account = memory.open_account(owner);
    let mut body = Limited::new(body, max_bytes);
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => BodyError::TooLarge(max_bytes),
                None => BodyError::Invalid("the body ended early".to_owned()),
            })?;
            // Copied out of the connection's buffers, which are larger than the frames in them.
            let data = frame.into_data().unwrap_or_default();
            account.try_grow(data.len()).map_err(|_| BodyError::NoMemory)?;
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    let bytes = timeout(max_time, collect).await.map_err(|_| BodyError::TimedOut)??;
    if bytes.is_empty() {
        return Ok(None);
    }
    require_json(headers, &bytes)?;
    match json::parse(&bytes) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => {
            let message = "the body must be a JSON object, at line 1 column 1";
            Err(BodyError::Invalid(message.to_owned()))
        }
        Err(error) => Err(BodyError::Invalid(format!("the body is not valid JSON: {error}"))),
    }
}

/// Returns the `Content-Type` of a body without parameters, in lower case; empty if there is none.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// Checks that a body is declared as JSON. curl's `-d` declares every body as a form, and an
/// example in the source documents sends JSON that way, so a form that starts with a brace is
/// accepted too.
fn require_json(headers: &HeaderMap, bytes: &[u8]) -> Result<(), BodyError> {
    let media_type = content_type(headers);
    let looks_like_json = json::strip_byte_order_mark(bytes).trim_ascii_start().starts_with(b"{");
    let is_json = json::is_json_media_type(&media_type);
    let is_undeclared = media_type.is_empty() || media_type == "application/x-www-form-urlencoded";
    if is_json || (is_undeclared && looks_like_json) {
        return Ok(());
    }
    Err(BodyError::NotJson)
}
