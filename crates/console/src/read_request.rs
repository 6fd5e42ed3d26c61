//! Reads forms and cookies of the console without a server or a database.

use crate::forms::FormParams;
use crate::origin;
use axum::http::{HeaderMap, Uri, header};
use trunkline_network::credentials;

/// Contents of a form or of the query of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadForm {
    /// First value of `email`.
    pub email: Option<String>,
    /// First value of `password`.
    pub password: Option<String>,
    /// Value of `next` if it is a path of this server.
    pub next: Option<String>,
    /// Path `/login` with all parameters except `access_token` as its query.
    pub path_without_token: String,
}

/// Reads `application/x-www-form-urlencoded`. Never panics, whatever the bytes: the fuzz targets rely on
/// that.
pub fn read_form(bytes: &[u8]) -> ReadForm {
    let params = FormParams::parse(bytes);
    ReadForm {
        email: params.get("email").map(str::to_owned),
        password: params.get("password").map(str::to_owned),
        next: params.get("next").and_then(origin::local_path).map(str::to_owned),
        path_without_token: params.path_without("access_token", "/login"),
    }
}

/// Returns the secret of the session cookie of a POST from a page of this server; `None` if there is no
/// such cookie, or another site sent the request. `base_url` determines the cookie's name. Never panics,
/// whatever the headers contain: the fuzz targets rely on that.
pub fn read_session_cookie<'a>(
    headers: &'a HeaderMap,
    uri: &Uri,
    base_url: &str,
) -> Option<&'a str> {
    let is_secure =
        origin::uses_https(headers).unwrap_or_else(|| origin::is_base_host(headers, base_url));
    if !is_secure || !origin::is_same_origin(headers, uri) {
        return None;
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    credentials::session_cookie(cookies, credentials::session_cookie_name(base_url))
}
