//! Parses the parts of a path that are the same for every resource: the prefix
//! `/api/<version>/<network_id>/…`, and the suffix `.json`, or `.csv` and `.xml` for tables. The
//! router gets the rest.

use crate::versions::Version;
use axum::http::uri::{PathAndQuery, Uri};
use percent_encoding::percent_decode_str;
use trunkline_domain::id::NetworkId;

/// Format of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, the default.
    #[default]
    Json,
    /// Comma-separated values.
    Csv,
    /// XML.
    Xml,
}

/// Parts of a path besides the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPrefix {
    /// Version of the contract; the newest for the extensions.
    pub(crate) version: Version,
    /// Id of the network; `None` if the credential determines it.
    pub(crate) network: Option<NetworkId>,
    /// Format that the suffix selects.
    pub(crate) format: Format,
}

/// Path of the router, with the parts that were removed from the path of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedPath {
    /// Path of the router.
    pub(crate) path: String,
    /// Removed parts; `None` for a path of neither API, which is unchanged.
    pub(crate) prefix: Option<PathPrefix>,
}

/// Error of a path that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathError {
    /// Invalid percent-encoding, or U+0000.
    Encoding,
    /// Missing or unknown version, with the message for the client.
    Version(String),
}

/// Splits the path of a request into the router's path and its prefix and suffix.
pub(crate) fn parse_prefix(path: &str) -> Result<ParsedPath, PathError> {
    check_encoding(path)?;
    let unchanged = || ParsedPath { path: path.to_owned(), prefix: None };
    if let Some(rest) = path.strip_prefix("/trunkline/v1/networks/") {
        let (network, rest) = rest.split_once('/').unwrap_or((rest, ""));
        // The id of a network is a number. Another path has no route, which is a 404.
        let all_digits = network.bytes().all(|byte| byte.is_ascii_digit());
        let Some(network) = network.parse().ok().filter(|_| all_digits) else {
            return Ok(unchanged());
        };
        let version = Version::newest();
        let (rest, format) = split_suffix(rest);
        let prefix = PathPrefix { version, network: Some(network), format };
        return Ok(ParsedPath { path: ["/trunkline/", rest].concat(), prefix: Some(prefix) });
    }
    let Some(rest) = path.strip_prefix("/api/") else { return Ok(unchanged()) };
    let (date, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let version = Version::parse(date).map_err(PathError::Version)?;
    let (first, after_first) = rest.split_once('/').unwrap_or((rest, ""));
    let id = without_suffix(first).parse::<NetworkId>().ok();
    let all_digits = first.bytes().all(|byte| byte.is_ascii_digit());
    let (network, rest) = match id {
        Some(id) if all_digits => (Some(id), after_first),
        _ => (None, rest),
    };
    let (rest, format) = split_suffix(rest);
    let network = network.or_else(|| ledger_network(rest));
    let prefix = PathPrefix { version, network, format };
    Ok(ParsedPath { path: ["/api/", rest].concat(), prefix: Some(prefix) })
}

/// Replaces the path of a URI and keeps the query. Returns `None` if the result is not a URI.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => [path, "?", query].concat(),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the network's id of `networks/transactions/<network>`, which has it at the end.
fn ledger_network(rest: &str) -> Option<NetworkId> {
    let id = rest.strip_prefix("networks/transactions/")?;
    id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes the suffix and returns its format. Only tables have formats other than JSON: elsewhere
/// `.csv` is part of an id.
fn split_suffix(rest: &str) -> (&str, Format) {
    let trimmed = rest.strip_suffix('/').unwrap_or(rest);
    let mut parts = trimmed.split('/');
    let segments = (parts.next(), parts.next(), parts.next(), parts.next());
    let formats: &[(&str, Format)] = match segments {
        (Some("networks" | "advertisers" | "affiliates"), Some("transactions"), Some(_), None) => {
            &[(".csv", Format::Csv), (".xml", Format::Xml)]
        }
        (Some("statements"), Some("advertisers" | "affiliates"), Some(_), None) => {
            &[(".csv", Format::Csv)]
        }
        _ => &[],
    };
    let suffixed = formats.iter().find_map(|(suffix, format)| {
        let rest = trimmed.strip_suffix(suffix)?;
        Some((rest, *format))
    });
    suffixed.unwrap_or((without_suffix(trimmed), Format::Json))
}

fn without_suffix(rest: &str) -> &str {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    rest.strip_suffix(".json").unwrap_or(rest)
}

fn check_encoding(path: &str) -> Result<(), PathError> {
    let bytes = path.as_bytes();
    if !bytes.contains(&b'%') && !bytes.contains(&0) {
        return Ok(());
    }
    for (index, byte) in bytes.iter().enumerate() {
        let hex = |offset: usize| bytes.get(index + offset).is_some_and(u8::is_ascii_hexdigit);
        if *byte == b'%' && !(hex(1) && hex(2)) {
            return Err(PathError::Encoding);
        }
    }
    match percent_decode_str(path).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(()),
        _ => Err(PathError::Encoding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_and_network(path: &str) -> (String, Option<NetworkId>) {
        let ParsedPath { path, prefix } = parse_prefix(path).unwrap();
        (path, prefix.unwrap().network)
    }

    #[test]
    fn version_network_and_json_suffix_are_removed() {
        assert_eq!(
            path_and_network("/api/2015-05-01/1/affiliates.json"),
            ("/api/affiliates".into(), Some(NetworkId::new(1)))
        );
        assert_eq!(
            path_and_network("/api/2015-05-01/affiliates"),
            ("/api/affiliates".into(), None)
        );
        assert_eq!(
            path_and_network("/api/2015-05-01/7/affiliates/a%2Fb.json.json"),
            ("/api/affiliates/a%2Fb.json".into(), Some(NetworkId::new(7)))
        );
        assert_eq!(
            path_and_network("/trunkline/v1/networks/1/checks/12"),
            ("/trunkline/checks/12".into(), Some(NetworkId::new(1)))
        );
        let unchanged = ParsedPath { path: "/healthz".into(), prefix: None };
        assert_eq!(parse_prefix("/healthz"), Ok(unchanged));
    }

    #[test]
    fn only_tables_have_csv_and_xml_suffixes() {
        let parse = |path: &str| {
            let ParsedPath { path, prefix } = parse_prefix(path).unwrap();
            let PathPrefix { network, format, .. } = prefix.unwrap();
            (path, network, format)
        };
        for (path, expected) in [
            (
                "/api/2022-08-01/networks/transactions/33.csv",
                ("/api/networks/transactions/33", Some(NetworkId::new(33)), Format::Csv),
            ),
            (
                "/api/2022-08-01/networks/transactions/33",
                ("/api/networks/transactions/33", Some(NetworkId::new(33)), Format::Json),
            ),
            (
                "/api/2022-08-01/1/networks/transactions/33.json",
                ("/api/networks/transactions/33", Some(NetworkId::new(1)), Format::Json),
            ),
            (
                "/api/2022-08-01/1/advertisers/transactions/a.b.xml",
                ("/api/advertisers/transactions/a.b", Some(NetworkId::new(1)), Format::Xml),
            ),
            (
                "/api/2022-08-01/affiliates/transactions/a.csv.json",
                ("/api/affiliates/transactions/a.csv", None, Format::Json),
            ),
            ("/api/2022-08-01/affiliates/a.csv", ("/api/affiliates/a.csv", None, Format::Json)),
            (
                "/trunkline/v1/networks/1/statements/advertisers/354.csv",
                ("/trunkline/statements/advertisers/354", Some(NetworkId::new(1)), Format::Csv),
            ),
            (
                "/trunkline/v1/networks/1/statements/advertisers/354.xml",
                (
                    "/trunkline/statements/advertisers/354.xml",
                    Some(NetworkId::new(1)),
                    Format::Json,
                ),
            ),
        ] {
            let (route, network, format) = expected;
            assert_eq!(parse(path), (route.to_owned(), network, format), "{path}");
        }
    }

    #[test]
    fn invalid_encodings_and_versions_are_rejected() {
        assert_eq!(parse_prefix("/api/2015-05-01/1/affiliates/%zz"), Err(PathError::Encoding));
        assert_eq!(parse_prefix("/api/2015-05-01/1/affiliates/%ff"), Err(PathError::Encoding));
        assert_eq!(parse_prefix("/api/2015-05-01/1/affiliates/a%00"), Err(PathError::Encoding));
        assert!(matches!(parse_prefix("/api/2013-03-22/1/affiliates"), Err(PathError::Version(_))));
        assert!(matches!(parse_prefix("/api/yesterday/1/affiliates"), Err(PathError::Version(_))));
    }
}
