//! Queries and form bodies, and the links that are made of them.

use axum::http::Uri;
use form_urlencoded::Serializer;

/// The pairs of a query or of a form's body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Reads a URI's query.
    pub(crate) fn of(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A path with these pairs as its query, those of one name left out.
    pub(crate) fn without(&self, name: &str, path: &str) -> String {
        let kept = self.0.iter().filter(|(of, _)| of != name);
        let query = Serializer::new(String::new()).extend_pairs(kept).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// A path with one pair as its query.
pub(crate) fn link(path: &str, name: &str, value: &str) -> String {
    let query = Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}?{query}")
}
