//! Query parameters of the ledger tables.

use crate::api_request::ApiRequest;
use crate::path_prefix::Format;
use crate::table::CsvStyle;
use jiff::Timestamp;
use trunkline_domain::problem::{INVALID, NOT_A_NUMBER, NOT_LISTED, Problems};
use trunkline_domain::timezone;

/// Maximum number of rows if the request has no `limit`, or 0.
const DEFAULT_LIMIT: u32 = 1_000;
/// Maximum number of rows, also for a larger `limit`.
const MAX_LIMIT: u32 = 4_000;
/// Values of `transaction_type`. Only calls are stored; the other types have no rows.
const TRANSACTION_TYPES: [&str; 4] = ["Call", "PostCallEvent", "Sale", "Signal"];

/// Parsed query of a ledger, but for the columns and the ids, which need the database.
pub(super) struct LedgerQuery {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    /// True if calls are among the requested types of transactions.
    pub(super) includes_calls: bool,
    pub(super) limit: u32,
    pub(super) csv: CsvStyle,
}

impl LedgerQuery {
    /// Parses the query. Adds all problems, not only the first.
    pub(super) fn read(request: &ApiRequest, problems: &mut Problems) -> Self {
        let (from, to) = read_times(request, problems);
        Self {
            from,
            to,
            limit: read_limit(request, problems),
            includes_calls: read_types(request, problems),
            csv: match request.format {
                Format::Csv => read_csv(request, problems),
                Format::Json | Format::Xml => CsvStyle::default(),
            },
        }
    }
}

/// Returns the value of a parameter without white space around it; `None` if it is absent or blank.
/// Of several values, the last that is not blank counts.
pub(super) fn value<'a>(request: &'a ApiRequest, name: &str) -> Option<&'a str> {
    let values = request.query.iter().filter(|(key, _)| key == name);
    values.map(|(_, value)| value.trim()).rfind(|value| !value.is_empty())
}

/// Reads `from` and `to`. One alone does not filter.
fn read_times(
    request: &ApiRequest,
    problems: &mut Problems,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut read_timestamp = |name: &str, end_of_day: bool| {
        let text = value(request, name)?;
        let timestamp = timezone::parse_timestamp(text, request.network.time_zone, end_of_day);
        if timestamp.is_none() {
            problems.property(name).add(INVALID);
        }
        timestamp
    };
    let times = (read_timestamp("from", false), read_timestamp("to", true));
    match times {
        (Some(from), Some(to)) if to < from => {
            problems.property("to").add("must not be earlier than from");
            times
        }
        (Some(_), Some(_)) => times,
        _ => (None, None),
    }
}

fn read_limit(request: &ApiRequest, problems: &mut Problems) -> u32 {
    let Some(text) = value(request, "limit") else { return DEFAULT_LIMIT };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.property("limit").add(NOT_A_NUMBER);
        return DEFAULT_LIMIT;
    }
    // A number with too many digits is over the maximum.
    match digits.parse().unwrap_or(u32::MAX) {
        0 => DEFAULT_LIMIT,
        _ if text.starts_with('-') => {
            problems.property("limit").add("must be greater than or equal to 0");
            DEFAULT_LIMIT
        }
        limit => limit.min(MAX_LIMIT),
    }
}

/// Returns every value of a parameter that may be written `name=a,b`, `name=a&name=b`, `name[]=a`
/// or `name[0]=a`.
pub(super) fn values<'a>(request: &'a ApiRequest, name: &'a str) -> impl Iterator<Item = &'a str> {
    let parameters = request.query.iter().filter(move |(key, _)| {
        let Some(index) = key.strip_prefix(name) else { return false };
        let index = index.strip_prefix('[').and_then(|index| index.strip_suffix(']'));
        key == name || index.is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let items = parameters.flat_map(|(_, value)| value.split(',')).map(str::trim);
    items.filter(|item| !item.is_empty())
}

/// Reads `transaction_type`. Returns true if calls are requested.
fn read_types(request: &ApiRequest, problems: &mut Problems) -> bool {
    let mut has_types = false;
    let mut includes_calls = false;
    for item in values(request, "transaction_type") {
        has_types = true;
        includes_calls |= item == TRANSACTION_TYPES[0];
        if !TRANSACTION_TYPES.contains(&item) {
            problems.property("transaction_type").add(NOT_LISTED);
        }
    }
    includes_calls || !has_types
}

fn is_separator(byte: u8) -> bool {
    byte == b'\t' || (matches!(byte, b' '..=b'~') && byte != b'"')
}

fn read_csv(request: &ApiRequest, problems: &mut Problems) -> CsvStyle {
    let mut csv = CsvStyle { neutralize: request.by_cookie, ..CsvStyle::default() };
    // A separator is white space in some dialects, so it is not trimmed.
    let separator = |name| request.parameter(name).filter(|text| !text.is_empty());
    if let Some(separator) = separator("column_separator") {
        match separator.as_bytes() {
            [byte] if is_separator(*byte) => {
                csv.column_separator = *byte;
            }
            _ => {
                let message = "must be a tab or one printable ASCII character other than a quote";
                problems.property("column_separator").add(message);
            }
        }
    }
    match separator("row_separator") {
        None | Some("\n") => {}
        Some("\r\n") => csv.crlf = true,
        Some(_) => problems
            .property("row_separator")
            .add("must be a line feed, with or without a carriage return before it"),
    }
    let mut flag = |name: &str, target: &mut bool| match value(request, name) {
        None => {}
        Some("1" | "true") => *target = true,
        Some("0" | "false") => *target = false,
        Some(_) => problems.property(name).add(NOT_LISTED),
    };
    flag("include_header", &mut csv.header);
    flag("force_quotes", &mut csv.force_quotes);
    flag("neutralize", &mut csv.neutralize);
    csv
}
