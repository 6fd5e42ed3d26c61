//! An object's answer: the version's shape, its bytes, its `ETag`, and what was ignored.

use crate::errors::{Refusal, json_response};
use crate::incoming::Incoming;
use crate::json;
use crate::versions::{Kind, Sent};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trunkline_network::{Guard, unguarded};

/// A JSON object of the wire.
pub(crate) type Object = Map<String, Value>;

/// Headers that an answer has, with those of every answer.
const HEADERS: usize = 16;

/// The header that names what nobody looked at.
const IGNORED: &str = "trunkline-ignored";

impl Incoming {
    /// The answer to a request about one object: 201 to a POST, else 200.
    pub(crate) fn reply(&self, kind: Kind, result: Result<Object, Refusal>) -> Response<Body> {
        let made = self.method == Method::POST;
        self.reply_as(if made { StatusCode::CREATED } else { StatusCode::OK }, kind, result)
    }

    /// The answer to a request that makes nothing: 200, whatever its method.
    pub(crate) fn reply_ok(&self, kind: Kind, result: Result<Object, Refusal>) -> Response<Body> {
        self.reply_as(StatusCode::OK, kind, result)
    }

    fn reply_as(
        &self,
        status: StatusCode,
        kind: Kind,
        result: Result<Object, Refusal>,
    ) -> Response<Body> {
        let sent = Sent { kind, method: &self.method };
        match result {
            Ok(mut object) => {
                self.version.downgrade(&sent, &mut object);
                self.object_response(status, &Value::Object(object))
            }
            Err(refusal) => {
                let response = refusal.response(&self.app, |answer| {
                    self.version.downgrade_errors(kind, self.said.as_ref(), answer);
                });
                self.with_ignored(response)
            }
        }
    }

    /// A list, whole, that is no list of objects of its own.
    pub(crate) fn reply_all(
        &self,
        kind: Kind,
        result: Result<Vec<Object>, Refusal>,
    ) -> Response<Body> {
        let sent = Sent { kind, method: &self.method };
        match result {
            Ok(objects) => {
                let down = |mut object| {
                    self.version.downgrade(&sent, &mut object);
                    Value::Object(object)
                };
                json_response(StatusCode::OK, &objects.into_iter().map(down).collect())
            }
            Err(refusal) => refusal.response(&self.app, |_| ()),
        }
    }

    fn object_response(&self, status: StatusCode, value: &Value) -> Response<Body> {
        let bytes = json::written(value);
        let tag = etag(bytes.as_bytes());
        let known = self.method == Method::GET && names(&self.headers, header::IF_NONE_MATCH, &tag);
        let status = if known { StatusCode::NOT_MODIFIED } else { status };
        let mut response = Response::new(if known { Body::empty() } else { Body::from(bytes) });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        if !known {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, json);
        }
        // An empty answer says nothing of the object, so its tag would be of nothing.
        let is_object = value.as_object().is_some_and(|object| !object.is_empty());
        if let Some(tag) = HeaderValue::from_str(&tag).ok().filter(|_| is_object) {
            headers.insert(header::ETAG, tag);
        }
        self.with_ignored(response)
    }

    /// Names what nobody looked at.
    pub(crate) fn with_ignored(&self, mut response: Response<Body>) -> Response<Body> {
        let names = self.ignored.header().and_then(|names| HeaderValue::from_str(&names).ok());
        if let Some(names) = names {
            response.headers_mut().insert(IGNORED, names);
        }
        response
    }

    /// `If-Match` and `If-None-Match` of a write, as a guard over the object just before it: its
    /// tag is that of what a GET by this version would answer.
    pub(crate) fn guard<T: 'static>(
        &self,
        kind: Kind,
        render: impl Fn(&T) -> Object + Send + 'static,
    ) -> Guard<T> {
        let conditions: Vec<_> = [header::IF_MATCH, header::IF_NONE_MATCH]
            .into_iter()
            .filter(|name| self.headers.contains_key(name))
            .collect();
        if conditions.is_empty() {
            return unguarded();
        }
        let (version, headers) = (self.version, self.headers.clone());
        Box::new(move |found| {
            let tag = found.map(|object| {
                let mut object = render(object);
                version.downgrade(&Sent { kind, method: &Method::GET }, &mut object);
                etag(json::written(&Value::Object(object)).as_bytes())
            });
            let named = |name: header::HeaderName| {
                tag.as_ref().is_some_and(|tag| names(&headers, name, tag))
            };
            conditions.iter().all(|name| {
                if *name == header::IF_MATCH {
                    named(header::IF_MATCH)
                } else {
                    !named(header::IF_NONE_MATCH)
                }
            })
        })
    }
}

fn etag(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    ["\"", &hex(&digest[..16]), "\""].concat()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |of: u8| char::from(b"0123456789abcdef"[usize::from(of & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Whether a header of entity tags names this one, or any (`*`). A weak tag is never the same for
/// If-Match; for If-None-Match it compares by value.
fn names(headers: &HeaderMap, name: header::HeaderName, tag: &str) -> bool {
    let values = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    let weak = if name == header::IF_MATCH { "" } else { "W/" };
    tags.any(|known| known == "*" || known.strip_prefix(weak).unwrap_or(known) == tag)
}
