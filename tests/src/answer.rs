//! What came back.

use serde_json::Value;

/// A server's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| {
            panic!("{error} in the body of {}: {}", self.status, self.text())
        })
    }

    /// Goes on if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was {}", self.text());
        self
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn body(self, status: u16) -> Value {
        self.expect(status).json()
    }

    /// The whole answer: its status and its body.
    #[track_caller]
    pub fn is(&self, status: u16, body: &Value) {
        assert_eq!(self.status, status, "the answer was {}", self.text());
        crate::assert_same(&self.json(), body);
    }

    /// A refusal of a class (`{"errors": {"invalid_data": …, "class": …}}`), and nothing else in
    /// it; returns what it says.
    #[track_caller]
    pub fn refused(&self, status: u16, class: &str) -> String {
        assert_eq!(self.status, status, "the answer was {}", self.text());
        let body = self.json();
        let said = body["errors"]["invalid_data"].as_str().unwrap_or_default().to_owned();
        assert!(!said.is_empty(), "the refusal says nothing: {body}");
        let whole = serde_json::json!({"errors": {"invalid_data": said, "class": class}});
        crate::assert_same(&body, &whole);
        said
    }

    /// A validation's answer: 403 and these errors, and nothing else but what `extra` says.
    #[track_caller]
    pub fn invalid(&self, errors: &Value) {
        self.is(403, &serde_json::json!({"errors": errors}));
    }
}
