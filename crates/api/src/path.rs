//! Takes off a path what is the same for every resource: `/api/<version>/<network_id>/…` in front,
//! `.json` at the end, or `.csv` or `.xml` where there are tables. What is left is what the router
//! knows.

use crate::versions::Version;
use axum::http::uri::{PathAndQuery, Uri};
use percent_encoding::percent_decode_str;

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, unless something else is asked for.
    #[default]
    Json,
    /// Comma-separated values.
    Csv,
    /// XML.
    Xml,
}

/// What a path said besides the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addressed {
    /// The contract that is asked for; the newest for the extensions.
    pub(crate) version: Version,
    /// The network, unless it is left to the credential.
    pub(crate) network: Option<i64>,
    /// What the suffix says.
    pub(crate) format: Format,
}

/// Why a path cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadPath {
    /// Bad percent-encoding, or U+0000.
    Encoding,
    /// No version, or none that we have: the text says what is wrong with it.
    Version(String),
}

/// The path that the router knows, and what was taken off. A path of neither API is left alone.
pub(crate) fn address(path: &str) -> Result<(String, Option<Addressed>), BadPath> {
    check_encoding(path)?;
    if let Some(rest) = path.strip_prefix("/trunkline/v1/networks/") {
        let (network, rest) = rest.split_once('/').unwrap_or((rest, ""));
        // A network is a number; what is none leads nowhere.
        let all_digits = network.bytes().all(|byte| byte.is_ascii_digit());
        let Some(network) = network.parse().ok().filter(|_| all_digits) else {
            return Ok((path.to_owned(), None));
        };
        let version = Version::newest();
        let (rest, format) = split_suffix(rest);
        let addressed = Addressed { version, network: Some(network), format };
        return Ok((["/trunkline/", rest].concat(), Some(addressed)));
    }
    let Some(rest) = path.strip_prefix("/api/") else { return Ok((path.to_owned(), None)) };
    let (date, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let version = Version::parse(date).map_err(BadPath::Version)?;
    let (first, below) = rest.split_once('/').unwrap_or((rest, ""));
    let id = without_suffix(first).parse::<i64>().ok();
    let all_digits = first.bytes().all(|byte| byte.is_ascii_digit());
    let (network, rest) = match id {
        Some(id) if all_digits => (Some(id), below),
        _ => (None, rest),
    };
    let (rest, format) = split_suffix(rest);
    let network = network.or_else(|| network_of_ledger(rest));
    Ok((["/api/", rest].concat(), Some(Addressed { version, network, format })))
}

/// Puts another path into a URI; the query stays.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let whole = match uri.query() {
        Some(query) => [path, "?", query].concat(),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

/// `networks/transactions/<network>` names the network at its end.
fn network_of_ledger(rest: &str) -> Option<i64> {
    let id = rest.strip_prefix("networks/transactions/")?;
    id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Takes the suffix off. Only tables come in other formats than JSON: elsewhere what looks like a
/// suffix is part of an id.
fn split_suffix(rest: &str) -> (&str, Format) {
    let whole = rest.strip_suffix('/').unwrap_or(rest);
    let mut parts = whole.split('/');
    let three = (parts.next(), parts.next(), parts.next(), parts.next());
    let formats: &[(&str, Format)] = match three {
        (Some("networks" | "advertisers" | "affiliates"), Some("transactions"), Some(_), None) => {
            &[(".csv", Format::Csv), (".xml", Format::Xml)]
        }
        (Some("statements"), Some("advertisers" | "affiliates"), Some(_), None) => {
            &[(".csv", Format::Csv)]
        }
        _ => &[],
    };
    let found = formats.iter().find_map(|(suffix, format)| {
        let rest = whole.strip_suffix(suffix)?;
        Some((rest, *format))
    });
    found.unwrap_or((without_suffix(whole), Format::Json))
}

fn without_suffix(rest: &str) -> &str {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    rest.strip_suffix(".json").unwrap_or(rest)
}

fn check_encoding(path: &str) -> Result<(), BadPath> {
    let bytes = path.as_bytes();
    if !bytes.contains(&b'%') && !bytes.contains(&0) {
        return Ok(());
    }
    for (at, byte) in bytes.iter().enumerate() {
        let hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        if *byte == b'%' && !(hex(1) && hex(2)) {
            return Err(BadPath::Encoding);
        }
    }
    match percent_decode_str(path).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(()),
        _ => Err(BadPath::Encoding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(path: &str) -> (String, Option<i64>) {
        let (path, addressed) = address(path).unwrap();
        (path, addressed.unwrap().network)
    }

    #[test]
    fn both_shapes_of_a_path_and_the_suffix() {
        assert_eq!(
            addressed("/api/2015-05-01/1/affiliates.json"),
            ("/api/affiliates".into(), Some(1))
        );
        assert_eq!(addressed("/api/2015-05-01/affiliates"), ("/api/affiliates".into(), None));
        assert_eq!(
            addressed("/api/2015-05-01/7/affiliates/a%2Fb.json.json"),
            ("/api/affiliates/a%2Fb.json".into(), Some(7))
        );
        assert_eq!(
            addressed("/trunkline/v1/networks/1/checks/12"),
            ("/trunkline/checks/12".into(), Some(1))
        );
        assert_eq!(address("/healthz"), Ok(("/healthz".into(), None)));
    }

    #[test]
    fn tables_come_in_three_formats() {
        let formatted = |path: &str| {
            let (path, addressed) = address(path).unwrap();
            let Addressed { network, format, .. } = addressed.unwrap();
            (path, network, format)
        };
        for (path, expected) in [
            (
                "/api/2022-08-01/networks/transactions/33.csv",
                ("/api/networks/transactions/33", Some(33), Format::Csv),
            ),
            (
                "/api/2022-08-01/networks/transactions/33",
                ("/api/networks/transactions/33", Some(33), Format::Json),
            ),
            (
                "/api/2022-08-01/1/networks/transactions/33.json",
                ("/api/networks/transactions/33", Some(1), Format::Json),
            ),
            (
                "/api/2022-08-01/1/advertisers/transactions/a.b.xml",
                ("/api/advertisers/transactions/a.b", Some(1), Format::Xml),
            ),
            (
                "/api/2022-08-01/affiliates/transactions/a.csv.json",
                ("/api/affiliates/transactions/a.csv", None, Format::Json),
            ),
            ("/api/2022-08-01/affiliates/a.csv", ("/api/affiliates/a.csv", None, Format::Json)),
            (
                "/trunkline/v1/networks/1/statements/advertisers/354.csv",
                ("/trunkline/statements/advertisers/354", Some(1), Format::Csv),
            ),
            (
                "/trunkline/v1/networks/1/statements/advertisers/354.xml",
                ("/trunkline/statements/advertisers/354.xml", Some(1), Format::Json),
            ),
        ] {
            let (route, network, format) = expected;
            assert_eq!(formatted(path), (route.to_owned(), network, format), "{path}");
        }
    }

    #[test]
    fn what_is_no_path() {
        assert_eq!(address("/api/2015-05-01/1/affiliates/%zz"), Err(BadPath::Encoding));
        assert_eq!(address("/api/2015-05-01/1/affiliates/%ff"), Err(BadPath::Encoding));
        assert_eq!(address("/api/2015-05-01/1/affiliates/a%00"), Err(BadPath::Encoding));
        assert!(matches!(address("/api/2013-03-22/1/affiliates"), Err(BadPath::Version(_))));
        assert!(matches!(address("/api/yesterday/1/affiliates"), Err(BadPath::Version(_))));
    }
}
