//! Query strings, form bodies, and links with a query.

use axum::http::Uri;
use form_urlencoded::Serializer;

/// Name–value pairs of a query string or a form body.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormParams(Vec<(String, String)>);

impl FormParams {
    /// Parses `application/x-www-form-urlencoded`.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Parses the query of a URI.
    pub(crate) fn from_query(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// Returns the first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// Returns `path` with these pairs as its query, except the pairs of `name`.
    pub(crate) fn path_without(&self, name: &str, path: &str) -> String {
        let pairs = self.0.iter().filter(|(key, _)| key != name);
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// Returns `path` with one pair as its query.
pub(crate) fn path_with_query(path: &str, name: &str, value: &str) -> String {
    let query = Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}?{query}")
}
