//! What keeps other sites from acting through a signed-in browser.

use axum::http::{HeaderMap, Uri, header};

/// The longest path to go on to after signing in, in bytes.
const LONGEST: usize = 2_000;

/// Whether a post comes from a page of this server, or from no page at all.
///
/// Browsers say it in `Sec-Fetch-Site`, but over plain http only to localhost; elsewhere they name
/// the page's `Origin`, whose host must be the one that was asked. A client that says neither is
/// no browser.
pub(crate) fn is_own(headers: &HeaderMap, uri: &Uri) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = said("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = said(header::ORIGIN.as_str()) else { return true };
    let asked = said(header::HOST.as_str()).or_else(|| uri.authority().map(|it| it.as_str()));
    let host = origin.split_once("://").map(|(_, host)| host);
    match (host, asked) {
        (Some(host), Some(asked)) => host.eq_ignore_ascii_case(asked),
        _ => false,
    }
}

/// Where to go on, if it is a path of this server. Browsers read a backslash as a slash and drop
/// tabs and line breaks, so nothing but plain characters is taken.
pub(crate) fn local_path(next: &str) -> Option<&str> {
    let rest = next.strip_prefix('/')?;
    let plain =
        next.len() <= LONGEST && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (plain && !rest.starts_with('/')).then_some(next)
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
        let long = format!("/{}", "a".repeat(LONGEST));
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
    fn posts_of_other_sites_are_told_apart() {
        for (headers, own) in [
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
            assert_eq!(is_own(&map, &Uri::from_static("/login")), own, "{headers:?}");
        }
        let mut map = HeaderMap::new();
        map.insert("origin", HeaderValue::from_static("https://trunkline.example"));
        assert!(is_own(&map, &Uri::from_static("https://trunkline.example/login")));
    }

    const HOST: &str = "trunkline.example:8080";
}
