//! HTTP client of one network, with or without a credential.

use crate::openapi_check::{Exchange, check_exchange};
use crate::{Response, send_raw, try_send_raw};
use serde_json::Value;
use trunkline_domain::id::NetworkId;

/// Default version of the contract.
const LATEST_VERSION: &str = "2023-10-09";

/// Sends requests to one network.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
    network: NetworkId,
    prefix: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(address: &str, network: NetworkId, token: Option<String>) -> Self {
        let prefix = format!("/api/{LATEST_VERSION}/{network}");
        Self { address: address.to_owned(), network, prefix, token }
    }

    /// Copy of the client for another version of the contract.
    pub fn with_version(&self, version: &str) -> Self {
        Self { prefix: format!("/api/{version}/{}", self.network), ..self.clone() }
    }

    /// Copy of the client for the extensions, `/trunkline/v1/networks/<network>`.
    pub fn extensions(&self) -> Self {
        Self { prefix: format!("/trunkline/v1/networks/{}", self.network), ..self.clone() }
    }

    /// Copy of the client without a path prefix.
    pub fn absolute_paths(&self) -> Self {
        Self { prefix: String::new(), ..self.clone() }
    }

    /// Copy of the client with another token, or without one.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// Token of the client.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("this client has a token")
    }

    /// Id of the network.
    pub fn network_id(&self) -> NetworkId {
        self.network
    }

    /// Address of the server as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Path with the client's prefix.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Builds a request. The path gets the client's prefix, but no `.json`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let mut request = Request {
            address: self.address.clone(),
            method: method.to_owned(),
            target: self.path(path),
            headers: Vec::new(),
            body: None,
        };
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        request
    }

    /// Sends a GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Sends a POST with a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl Into<Value>) -> Response {
        self.request("POST", path).json(&body.into()).send()
    }

    /// Sends a PUT with a JSON body.
    #[track_caller]
    pub fn put(&self, path: &str, body: impl Into<Value>) -> Response {
        self.request("PUT", path).json(&body.into()).send()
    }

    /// Sends a DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send()
    }
}

/// Builder of a request.
#[derive(Debug, Clone)]
pub struct Request {
    address: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes a header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        self
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.json_text(&body.to_string())
    }

    /// Sets a body with the content type of JSON. The text need not be JSON.
    pub fn json_text(self, body: &str) -> Self {
        self.header("Content-Type", "application/json").bytes(body.as_bytes())
    }

    /// Sets a body without a content type.
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// Encodes the request for HTTP/1.1.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { address, method, target, headers, body } = self;
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend_from_slice(body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends the request. Panics if the server closes the connection without a response.
    #[track_caller]
    pub fn send(&self) -> Response {
        let response = send_raw(&self.address, &self.to_bytes());
        let response =
            response.unwrap_or_else(|| panic!("no response to {} {}", self.method, self.target));
        self.check_by_document(&response);
        response
    }

    /// Fails the test if the exchange does not conform to the OpenAPI document.
    #[track_caller]
    fn check_by_document(&self, response: &Response) {
        let is_content_type =
            |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
        let content_type = self.headers.iter().find(is_content_type);
        let checked = check_exchange(&Exchange {
            method: &self.method,
            target: &self.target,
            request_type: content_type.map(|(_, value)| value.as_str()),
            request_body: self.body.as_deref(),
            status: response.status,
            response_headers: response.headers(),
            response_body: response.body_bytes(),
        });
        if let Err(violations) = checked {
            panic!("{violations}");
        }
    }

    /// Sends the request to a server that may have ended. Returns `None` without a response.
    pub fn try_send(&self) -> Option<Response> {
        try_send_raw(&self.address, &self.to_bytes())
    }
}
