//! HTTP responses and the assertions on them.

use serde_json::Value;

/// A response of the server.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(existing, _)| existing.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// Headers as name and value.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Body as received.
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// Body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let body = serde_json::from_slice(&self.body);
        body.unwrap_or_else(|error| {
            panic!("{error} in the body of a response with status {}: {}", self.status, self.text())
        })
    }

    /// Asserts the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the response body is {}", self.text());
        self
    }

    /// Body as JSON. Asserts the status.
    #[track_caller]
    pub fn body(self, status: u16) -> Value {
        self.expect(status).json()
    }

    /// Asserts the status and the whole JSON body.
    #[track_caller]
    pub fn assert_json(&self, status: u16, body: &Value) {
        assert_eq!(self.status, status, "the response body is {}", self.text());
        crate::assert_json_eq(&self.json(), body);
    }

    /// Asserts that the body is `{"errors": {"invalid_data": message, "class": class}}`. Returns the
    /// message.
    #[track_caller]
    pub fn assert_error(&self, status: u16, class: &str) -> String {
        assert_eq!(self.status, status, "the response body is {}", self.text());
        let body = self.json();
        let message = body["errors"]["invalid_data"].as_str().unwrap_or_default().to_owned();
        assert!(!message.is_empty(), "the error has no message: {body}");
        let expected = serde_json::json!({"errors": {"invalid_data": message, "class": class}});
        crate::assert_json_eq(&body, &expected);
        message
    }

    /// Asserts status 403 and exactly these validation errors.
    #[track_caller]
    pub fn assert_invalid(&self, errors: &Value) {
        self.assert_json(403, &serde_json::json!({"errors": errors}));
    }
}
