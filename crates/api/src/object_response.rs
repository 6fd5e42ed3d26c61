//! Responses with one object: conversion to the request's version, serialization, entity tag, and
//! the header that names ignored properties.

use crate::api_request::ApiRequest;
use crate::errors::{ApiError, json_response};
use crate::json;
use crate::versions::{ResourceKind, ResponseInfo};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trunkline_network::{Precondition, no_precondition};

/// A JSON object of the wire.
pub(crate) type Object = Map<String, Value>;

/// Headers that a response gets here and in the outer middleware, reserved at once.
const RESPONSE_HEADERS: usize = 16;

/// Header with a warning about a write that was carried out. It may be repeated.
const WARNING_HEADER: &str = "trunkline-warning";

/// Replaces `oauth_refresh_token` by null in a property, at any depth.
pub(crate) fn hide_refresh_tokens(name: &str, value: &mut Value) {
    match value {
        _ if name == "custom_data" => {}
        Value::Object(map) => map.iter_mut().for_each(|(name, value)| {
            hide_refresh_tokens(name, value);
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_refresh_tokens(name, item)),
        _ if name == "oauth_refresh_token" => *value = Value::Null,
        _ => {}
    }
}

impl ApiRequest {
    /// Returns the response to a request about one object: 201 for POST, else 200.
    pub(crate) fn respond(
        &self,
        kind: ResourceKind,
        result: Result<Object, ApiError>,
    ) -> Response<Body> {
        let creates = self.method == Method::POST;
        let status = if creates { StatusCode::CREATED } else { StatusCode::OK };
        self.respond_with_status(status, kind, result)
    }

    /// Returns the response to a request that creates nothing: 200 for every method.
    pub(crate) fn respond_ok(
        &self,
        kind: ResourceKind,
        result: Result<Object, ApiError>,
    ) -> Response<Body> {
        self.respond_with_status(StatusCode::OK, kind, result)
    }

    /// Returns the response to a request whose change was accepted: 202 for every method.
    pub(crate) fn respond_accepted(
        &self,
        kind: ResourceKind,
        result: Result<Object, ApiError>,
    ) -> Response<Body> {
        self.respond_with_status(StatusCode::ACCEPTED, kind, result)
    }

    fn respond_with_status(
        &self,
        status: StatusCode,
        kind: ResourceKind,
        result: Result<Object, ApiError>,
    ) -> Response<Body> {
        let info = ResponseInfo { kind, method: &self.method };
        match result {
            Ok(mut object) => {
                self.version.downgrade(&info, &mut object);
                self.hide_secrets(&mut object);
                self.object_response(status, &Value::Object(object))
            }
            Err(error) => {
                let response = error.into_versioned_response(&self.app, |body| {
                    self.version.downgrade_errors(kind, self.original_body.as_ref(), body);
                });
                self.add_ignored_header(response)
            }
        }
    }

    /// Returns the response to a request for an array that is not paginated.
    pub(crate) fn respond_array(
        &self,
        kind: ResourceKind,
        result: Result<Vec<Object>, ApiError>,
    ) -> Response<Body> {
        let info = ResponseInfo { kind, method: &self.method };
        match result {
            Ok(objects) => {
                let downgrade = |mut object| {
                    self.version.downgrade(&info, &mut object);
                    Value::Object(object)
                };
                json_response(StatusCode::OK, &objects.into_iter().map(downgrade).collect())
            }
            Err(error) => error.into_response(&self.app),
        }
    }

    /// Removes the properties that an Observer does not see: `oauth_refresh_token`, at any depth.
    pub(crate) fn hide_secrets(&self, object: &mut Object) {
        if !self.context.principal.can_write() {
            object.iter_mut().for_each(|(name, value)| hide_refresh_tokens(name, value));
        }
    }

    fn object_response(&self, status: StatusCode, value: &Value) -> Response<Body> {
        let bytes = json::to_string(value);
        let tag = entity_tag(bytes.as_bytes());
        let not_modified = self.method == Method::GET
            && header_matches(&self.headers, header::IF_NONE_MATCH, &tag);
        let status = if not_modified { StatusCode::NOT_MODIFIED } else { status };
        let body = if not_modified { Body::empty() } else { Body::from(bytes) };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(RESPONSE_HEADERS);
        if !not_modified {
            let content_type = HeaderValue::from_static("application/json; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        // An empty object does not describe the resource, so it has no entity tag.
        let is_empty = value.as_object().is_none_or(Map::is_empty);
        if let Some(tag) = HeaderValue::from_str(&tag).ok().filter(|_| !is_empty) {
            headers.insert(header::ETAG, tag);
        }
        for warning in self.context.warnings.to_vec() {
            if let Ok(value) = HeaderValue::from_str(&escape_header_text(&warning)) {
                headers.append(WARNING_HEADER, value);
            }
        }
        self.add_ignored_header(response)
    }

    /// Adds the header that names the ignored properties, if there are any.
    pub(crate) fn add_ignored_header(&self, response: Response<Body>) -> Response<Body> {
        self.ignored.add_header(response)
    }

    /// Returns the precondition of a write (`If-Match`, `If-None-Match`). It is checked against
    /// the object as it is before the write. The object's entity tag is that of a GET by the same
    /// version.
    pub(crate) fn precondition<T: 'static>(
        &self,
        kind: ResourceKind,
        render: impl Fn(&T) -> Object + Send + 'static,
    ) -> Precondition<T> {
        let conditions: Vec<_> = [header::IF_MATCH, header::IF_NONE_MATCH]
            .into_iter()
            .filter(|name| self.headers.contains_key(name))
            .collect();
        if conditions.is_empty() {
            return no_precondition();
        }
        let version = self.version;
        let headers = self.headers.clone();
        Box::new(move |current| {
            let tag = current.map(|object| {
                let mut object = render(object);
                version.downgrade(&ResponseInfo { kind, method: &Method::GET }, &mut object);
                entity_tag(json::to_string(&Value::Object(object)).as_bytes())
            });
            let matches = |name: header::HeaderName| {
                tag.as_ref().is_some_and(|tag| header_matches(&headers, name, tag))
            };
            conditions.iter().all(|name| {
                if *name == header::IF_MATCH {
                    matches(header::IF_MATCH)
                } else {
                    !matches(header::IF_NONE_MATCH)
                }
            })
        })
    }
}

/// Percent-encodes what is not printable ASCII, and `%`.
fn escape_header_text(text: &str) -> String {
    const ESCAPED: percent_encoding::AsciiSet = percent_encoding::CONTROLS.add(b'%');
    percent_encoding::utf8_percent_encode(text, &ESCAPED).to_string()
}

fn entity_tag(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    ["\"", &to_hex(&digest[..16]), "\""].concat()
}

/// Returns bytes as lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Returns true if a header of entity tags contains this one, or `*`. A weak tag never matches in
/// `If-Match`; in `If-None-Match` it is compared by value (RFC 9110, section 8.8.3.2).
pub(crate) fn header_matches(headers: &HeaderMap, name: header::HeaderName, tag: &str) -> bool {
    let values = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    let weak_prefix = if name == header::IF_MATCH { "" } else { "W/" };
    tags.any(|listed| listed == "*" || listed.strip_prefix(weak_prefix).unwrap_or(listed) == tag)
}
