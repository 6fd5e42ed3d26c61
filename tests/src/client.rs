//! Clients: someone with, or without, a credential.

use crate::{Answer, attempt, exchange};
use serde_json::Value;

/// The newest contract that the stories speak.
const NEWEST: &str = "2023-10-09";

/// Someone who sends requests to one network.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
    network: i64,
    prefix: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(address: &str, network: i64, token: Option<String>) -> Self {
        let prefix = format!("/api/{NEWEST}/{network}");
        Self { address: address.to_owned(), network, prefix, token }
    }

    /// The same client on another version of the contract.
    pub fn on(&self, version: &str) -> Self {
        Self { prefix: format!("/api/{version}/{}", self.network), ..self.clone() }
    }

    /// The same client on the extensions, `/trunkline/v1/networks/<network>`.
    pub fn extensions(&self) -> Self {
        Self { prefix: format!("/trunkline/v1/networks/{}", self.network), ..self.clone() }
    }

    /// The same client, whose paths are whole ones.
    pub fn anywhere(&self) -> Self {
        Self { prefix: String::new(), ..self.clone() }
    }

    /// The same client with another token, or none.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// The client's token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("this client has a token")
    }

    /// The network's id.
    pub fn network_id(&self) -> i64 {
        self.network
    }

    /// Where the server listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A path under the client's prefix.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Starts a request; the path goes under the client's prefix, and `.json` is the caller's.
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

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// POST of a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.request("POST", path).json(&body.into()).send()
    }

    /// PUT of a JSON body.
    #[track_caller]
    pub fn put(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.request("PUT", path).json(&body.into()).send()
    }

    /// DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send()
    }
}

/// A request that is being put together.
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

    /// Leaves a header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Sets a body that says it is JSON.
    pub fn json(self, body: &Value) -> Self {
        self.json_text(&body.to_string())
    }

    /// Sets a body that says it is JSON, whatever it is.
    pub fn json_text(self, body: &str) -> Self {
        self.header("Content-Type", "application/json").bytes(body.as_bytes())
    }

    /// Sets a body that says nothing of itself.
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// The request's bytes.
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

    /// Sends it.
    #[track_caller]
    pub fn send(&self) -> Answer {
        let answer = exchange(&self.address, &self.to_bytes());
        answer.unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.target))
    }

    /// Sends it to a server that may be gone by then: `None` without an answer.
    pub fn attempt(&self) -> Option<Answer> {
        attempt(&self.address, &self.to_bytes())
    }
}
