//! Readers of request heads: paths, queries, headers and cookies.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use trunkline_api::{ReadParameter, read_head};
use trunkline_console::read_session_cookie;

/// Builds a request from lines of bytes: the target, then headers as `name: value`. Lines that HTTP does
/// not allow are left out, as the HTTP library rejects them before any reader of ours.
fn build_request(bytes: &[u8]) -> Option<Request<()>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let uri = Uri::try_from(lines.next()?).ok()?;
    let mut request = Request::builder().uri(uri).body(()).ok()?;
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value[1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    Some(request)
}

/// Head of an API request: any target and headers are read; what is accepted has one `Host`; the request
/// id is printable; and a path is routed below a prefix of the API, or unchanged.
pub fn check_head(bytes: &[u8]) {
    let Some(request) = build_request(bytes) else { return };
    let head = read_head(&request);
    let hosts = request.headers().get_all(header::HOST).iter().count();
    assert!(!head.is_accepted || hosts == 1);
    if let Some(id) = &head.request_id {
        assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if let Some(path) = &head.path {
        let is_unchanged = path == request.uri().path();
        let is_of_api = path.starts_with("/api/") || path.starts_with("/trunkline/");
        assert!(is_unchanged || is_of_api, "{path:?}");
        assert!(!path.contains('\0'), "{path:?}");
    }
    let credential_headers = [header::AUTHORIZATION, header::COOKIE];
    let has_header = credential_headers.iter().any(|name| request.headers().contains_key(name));
    let has_token = head.parameters.iter().any(|parameter| parameter.name == "oauth_token");
    assert!(head.secret.is_none() || has_header || has_token);
    assert!(!head.content_type.contains(';'));
}

/// Query strings: any text is decoded, and the encoded parameters decode to the same ones.
pub fn check_query(bytes: &[u8]) {
    let Ok(query) = std::str::from_utf8(bytes) else { return };
    let parameters = decode_query(query);
    let Some(parameters) = parameters else { return };
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for ReadParameter { name, value } in &parameters {
        encoded.append_pair(name, value);
    }
    let again = decode_query(&encoded.finish()).expect("an encoded query is a valid one");
    // An encoded parameter without name and value is `=`, which is a parameter, too.
    assert_eq!(again, parameters);
}

/// Returns the parameters of a query; `None` if it cannot be part of a URI.
fn decode_query(query: &str) -> Option<Vec<ReadParameter>> {
    let uri: Uri = format!("/?{query}").parse().ok()?;
    let request = Request::builder().uri(uri).body(()).ok()?;
    Some(read_head(&request).parameters)
}

/// Cookies of the console: any headers are read, a lone session cookie is found, and a cookie counts only if
/// the request is from a page of this server over https.
pub fn check_cookies(bytes: &[u8]) {
    const BASE_URL: &str = "https://calls.example.com";
    let Some(request) = build_request(bytes) else { return };
    let (headers, uri) = (request.headers(), request.uri());
    for base_url in [BASE_URL, "http://localhost:8080", ""] {
        if let Some(secret) = read_session_cookie(headers, uri, base_url) {
            assert!(!secret.contains(';'), "{secret:?}");
            let is_listed = |value: &HeaderValue| {
                value
                    .to_str()
                    .is_ok_and(|text| text.contains(&format!("trunkline_session={secret}")))
            };
            assert!(headers.get_all(header::COOKIE).iter().any(is_listed), "{secret:?}");
        }
    }
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        assert_eq!(read_session_cookie(headers, uri, BASE_URL), None);
    }
    check_lone_cookie(bytes, BASE_URL);
}

/// Checks that a session cookie is found beside other cookies.
fn check_lone_cookie(other: &[u8], base_url: &str) {
    let is_separate = |byte: &&u8| byte.is_ascii_graphic() && **byte != b'=';
    let other: Vec<u8> = other.iter().filter(is_separate).take(1_000).copied().collect();
    let other = String::from_utf8(other).expect("ASCII");
    let mut headers = HeaderMap::new();
    let cookie = format!("{other}; __Host-trunkline_session=secret;{other}");
    let cookie = HeaderValue::try_from(cookie).expect("printable ASCII");
    headers.insert(header::COOKIE, cookie);
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    let found = read_session_cookie(&headers, &Uri::from_static("/login"), base_url);
    assert_eq!(found, Some("secret"));
}
