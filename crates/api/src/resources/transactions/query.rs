//! Query parameters of the ledger tables.

use super::columns::{self, Column, Viewer};
use crate::api_request::ApiRequest;
use crate::path_prefix::Format;
use crate::table_response::CsvStyle;
use jiff::Timestamp;
use trunkline_domain::id::TransactionId;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone;
use trunkline_network::transactions::TransactionFilter;

/// Maximum number of rows if the request has no `limit`.
const DEFAULT_LIMIT: u32 = 1_000;
/// Maximum value of `limit`.
const MAX_LIMIT: u32 = 4_000;
/// Maximum number of unknown columns that an error names.
const MAX_UNKNOWN_COLUMNS: usize = 20;
/// Values of `transaction_type`. Only calls are stored; the other types have no rows.
const TRANSACTION_TYPES: [&str; 4] = ["Call", "PostCallEvent", "Sale", "Signal"];

/// Parsed query of a ledger.
pub(super) struct LedgerQuery {
    pub(super) filter: TransactionFilter,
    /// True if calls are among the requested types of transactions.
    pub(super) includes_calls: bool,
    pub(super) after: i64,
    pub(super) limit: u32,
    pub(super) columns: Vec<&'static Column>,
    pub(super) csv: CsvStyle,
}

impl LedgerQuery {
    /// Parses the query. Returns all problems, not only the first.
    pub(super) fn read(request: &ApiRequest, viewer: Viewer) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let (from, to) = read_times(request, &mut problems);
        let call = request.parameter("call_record_id").filter(|value| !value.is_empty());
        let limit = integer(request, "limit", 1, i64::from(MAX_LIMIT), &mut problems);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let after = integer(request, "start_after_transaction_id", 0, i64::MAX, &mut problems);
        let filter = TransactionFilter {
            from,
            to,
            until: None,
            transaction: integer(request, "transaction_id", 0, i64::MAX, &mut problems)
                .map(TransactionId::new),
            complete_call_id: call.map(str::to_owned),
        };
        let includes_calls = read_types(request, &mut problems);
        let columns = read_columns(request, viewer, &mut problems);
        let csv = match request.format {
            Format::Csv => read_csv(request, &mut problems),
            Format::Json | Format::Xml => CsvStyle::default(),
        };
        problems.into_result(Self {
            filter,
            includes_calls,
            after: after.unwrap_or(0),
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            columns,
            csv,
        })
    }
}

/// Reads `from` and `to`: both or neither. An empty value counts as absent.
fn read_times(
    request: &ApiRequest,
    problems: &mut Problems,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut read_timestamp = |name: &str, end_of_day: bool| {
        let text = request.parameter(name).filter(|text| !text.is_empty())?;
        let timestamp = timezone::parse_timestamp(text, request.network.time_zone, end_of_day);
        if timestamp.is_none() {
            problems.property(name).add(INVALID);
        }
        timestamp
    };
    let from = read_timestamp("from", false);
    let to = read_timestamp("to", true);
    match (from, to) {
        (Some(_), None) if !problems.has_problem("to") => problems.property("to").add(BLANK),
        (None, Some(_)) if !problems.has_problem("from") => problems.property("from").add(BLANK),
        (Some(from), Some(to)) if to < from => {
            problems.property("to").add("must not be earlier than from");
        }
        _ => {}
    }
    (from, to)
}

/// Reads an integer from `min` to `max`. An empty value counts as absent.
fn integer(
    request: &ApiRequest,
    name: &str,
    min: i64,
    max: i64,
    problems: &mut Problems,
) -> Option<i64> {
    request.parameter(name).filter(|value| !value.is_empty())?;
    request.integer_parameter(name, min, max, problems)
}

/// Returns every value of a parameter that may be written `name=a,b`, `name=a&name=b` or `name[]=a`.
fn values<'a>(request: &'a ApiRequest, name: &'a str) -> impl Iterator<Item = &'a str> {
    let parameters = request.query.iter().filter(move |(key, _)| {
        key == name || key.strip_suffix("[]").is_some_and(|key| key == name)
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

/// Reads the columns: `include_columns` without `exclude_columns`, in the order of the request and
/// without duplicates.
fn read_columns(
    request: &ApiRequest,
    viewer: Viewer,
    problems: &mut Problems,
) -> Vec<&'static Column> {
    let mut read = |name: &str| -> Option<Vec<&'static Column>> {
        let mut selected: Option<Vec<&'static Column>> = None;
        let mut unknown = 0;
        for item in values(request, name) {
            let selected = selected.get_or_insert_default();
            match item {
                "$default" | "$invoca_default_columns" => {
                    selected.extend(columns::default_columns(viewer))
                }
                _ => match columns::find_column(viewer, item) {
                    Some(column) => selected.push(column),
                    None if unknown < MAX_UNKNOWN_COLUMNS => {
                        unknown += 1;
                        problems.property(name).add(format!("has an unknown column: {item}"));
                    }
                    None => {}
                },
            }
            remove_duplicates(selected);
        }
        selected
    };
    let included = read("include_columns");
    let excluded = read("exclude_columns").unwrap_or_default();
    let mut columns = included.unwrap_or_else(|| columns::default_columns(viewer).collect());
    columns.retain(|(name, ..)| !excluded.iter().any(|(other, ..)| other == name));
    if columns.is_empty()
        && !problems.has_problem("include_columns")
        && !problems.has_problem("exclude_columns")
    {
        problems.property("exclude_columns").add("leaves no columns");
    }
    columns
}

/// Removes duplicate columns, so that the list is never longer than the number of columns.
fn remove_duplicates(columns: &mut Vec<&'static Column>) {
    let mut seen: Vec<&str> = Vec::with_capacity(columns.len());
    columns.retain(|(name, ..)| {
        let new = !seen.contains(name);
        seen.push(name);
        new
    });
}

fn is_separator(byte: u8) -> bool {
    byte == b'\t' || (matches!(byte, b' '..=b'~') && byte != b'"')
}

fn read_csv(request: &ApiRequest, problems: &mut Problems) -> CsvStyle {
    let mut csv = CsvStyle { neutralize: request.by_cookie, ..CsvStyle::default() };
    if let Some(separator) = request.parameter("column_separator") {
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
    match request.parameter("row_separator") {
        None | Some("\n") => {}
        Some("\r\n") => csv.crlf = true,
        Some(_) => problems
            .property("row_separator")
            .add("must be a line feed, with or without a carriage return before it"),
    }
    let mut flag = |name: &str, target: &mut bool| match request.parameter(name) {
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
