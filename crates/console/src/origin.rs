//! Protection against cross-site request forgery and open redirects.

use axum::http::{HeaderMap, Uri, header};

/// Longest path to redirect to after signing in (bytes).
const MAX_PATH_BYTES: usize = 2_000;

/// Returns true for a POST from a page of this server, or from a client that is not a browser.
///
/// Browsers send `Sec-Fetch-Site`, over plain http only to localhost. Otherwise they send the `Origin`
/// of the page, whose host must equal the request's `Host`. A client that sends neither header is not
/// a browser.
pub(crate) fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(header::ORIGIN.as_str()) else { return true };
    let request_host = header(header::HOST.as_str())
        .or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    match (origin_host, request_host) {
        (Some(origin), Some(request)) => origin.eq_ignore_ascii_case(request),
        _ => false,
    }
}

/// Returns true if the headers show that the browser reached the server over https, false for http, and
/// `None` if they show neither.
///
/// A proxy sends `X-Forwarded-Proto`. Browsers send `Sec-Fetch-Site` only over https or to localhost,
/// where they accept secure cookies, too, and the scheme in the `Origin` of a POST.
pub(crate) fn uses_https(headers: &HeaderMap) -> Option<bool> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(schemes) = header("x-forwarded-proto") {
        let scheme = schemes.split(',').next().unwrap_or_default().trim();
        return Some(scheme.eq_ignore_ascii_case("https"));
    }
    if header("sec-fetch-site").is_some() {
        return Some(true);
    }
    header(header::ORIGIN.as_str()).map(|origin| !origin.starts_with("http://"))
}

/// Returns true if the host of a request is that of the base URL, or if the request has none.
pub(crate) fn is_base_host(headers: &HeaderMap, base_url: &str) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let base: Option<Uri> = base_url.parse().ok();
    let base_host = base.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
    host.zip(base_host).is_none_or(|(host, base_host)| host.eq_ignore_ascii_case(base_host))
}

/// Returns a redirect target if it is a path of this server. Browsers treat a backslash as a slash and
/// drop tabs and line breaks, so only printable ASCII characters except the backslash are accepted.
pub(crate) fn local_path(target: &str) -> Option<&str> {
    let rest = target.strip_prefix('/')?;
    let has_valid_characters = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_local = target.len() <= MAX_PATH_BYTES && has_valid_characters && !rest.starts_with('/');
    is_local.then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_paths_of_this_server_are_local() {
        for local in ["/", "/as/1/dashboards/ui", "/login?next=%2F", "/a?b=https://c.example/"] {
            assert_eq!(local_path(local), Some(local));
        }
        let long = format!("/{}", "a".repeat(MAX_PATH_BYTES));
        for foreign in [
            "",
            "as/1",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /",
            "https://evil.example/",
            "javascript:alert(1)",
            "/ä",
            long.as_str(),
        ] {
            assert_eq!(local_path(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn posts_from_other_sites_are_recognized() {
        for (headers, expected) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("origin", "http://Trunkline.example:8080"), ("host", HOST)], true),
            (vec![("origin", "http://evil.example:8080"), ("host", HOST)], false),
            (vec![("origin", "http://trunkline.example"), ("host", HOST)], false),
            (vec![("origin", "null"), ("host", HOST)], false),
            (vec![("origin", "http://evil.example")], false),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(is_same_origin(&map, &Uri::from_static("/login")), expected, "{headers:?}");
        }
        let mut map = HeaderMap::new();
        map.insert("origin", HeaderValue::from_static("https://trunkline.example"));
        assert!(is_same_origin(&map, &Uri::from_static("https://trunkline.example/login")));
    }

    const HOST: &str = "trunkline.example:8080";
}
