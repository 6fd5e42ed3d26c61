//! What the query of a ledger asks for.

use super::columns::{self, Column, Eyes};
use crate::incoming::Incoming;
use crate::path::Format;
use crate::table::CsvStyle;
use jiff::Timestamp;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone;
use trunkline_network::transactions::Narrowed;

/// Rows where none are asked for, and the most that can be.
const ROWS: u32 = 1_000;
const MOST_ROWS: u32 = 4_000;
/// Unknown columns that are named in an answer.
const NAMED: usize = 20;
/// Kinds of transactions that there are. Only calls are kept so far.
const TYPES: [&str; 4] = ["Call", "PostCallEvent", "Sale", "Signal"];

/// What is asked of a ledger.
pub(super) struct Query {
    pub(super) narrowed: Narrowed,
    /// Whether calls are among the kinds of transactions that are asked for.
    pub(super) calls: bool,
    pub(super) after: i64,
    pub(super) limit: u32,
    pub(super) columns: Vec<&'static Column>,
    pub(super) csv: CsvStyle,
}

impl Query {
    /// Reads a query, and says everything that is wrong with it.
    pub(super) fn read(incoming: &Incoming, eyes: Eyes) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let (from, to) = read_times(incoming, &mut problems);
        let problem = &mut problems;
        let call = incoming.parameter("call_record_id").filter(|said| !said.is_empty());
        let limit = whole(incoming, "limit", (1, i64::from(MOST_ROWS)), problem);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let after = whole(incoming, "start_after_transaction_id", (0, i64::MAX), problem);
        let narrowed = Narrowed {
            from,
            to,
            until: None,
            transaction: whole(incoming, "transaction_id", (0, i64::MAX), problem),
            complete_call_id: call.map(str::to_owned),
        };
        let calls = read_types(incoming, problem);
        let columns = read_columns(incoming, eyes, problem);
        let csv = match incoming.format {
            Format::Csv => read_csv(incoming, problem),
            Format::Json | Format::Xml => CsvStyle::default(),
        };
        let (after, limit) = (after.unwrap_or(0), limit.unwrap_or(ROWS));
        problems.or(Self { narrowed, calls, after, limit, columns, csv })
    }
}

/// `from` and `to`: both or neither. Blank is not said.
fn read_times(
    incoming: &Incoming,
    problems: &mut Problems,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut moment = |name: &str, end_of_day: bool| {
        let said = incoming.parameter(name).filter(|said| !said.is_empty())?;
        let moment = timezone::parse_moment(said, incoming.network.time_zone, end_of_day);
        if moment.is_none() {
            problems.at(name).add(INVALID);
        }
        moment
    };
    let (from, to) = (moment("from", false), moment("to", true));
    match (from, to) {
        (Some(_), None) if !problems.has("to") => problems.at("to").add(BLANK),
        (None, Some(_)) if !problems.has("from") => problems.at("from").add(BLANK),
        (Some(from), Some(to)) if to < from => {
            problems.at("to").add("must not be earlier than from");
        }
        _ => {}
    }
    (from, to)
}

/// A whole number; blank is not said.
fn whole(
    incoming: &Incoming,
    name: &str,
    range: (i64, i64),
    problems: &mut Problems,
) -> Option<i64> {
    incoming.parameter(name).filter(|said| !said.is_empty())?;
    incoming.whole_parameter(name, range, problems)
}

/// Every value of a parameter that can be said as `name=a,b`, `name=a&name=b` or `name[]=a`.
fn values<'a>(incoming: &'a Incoming, name: &'a str) -> impl Iterator<Item = &'a str> {
    let said = incoming.query.iter().filter(move |(known, _)| {
        known == name || known.strip_suffix("[]").is_some_and(|known| known == name)
    });
    let words = said.flat_map(|(_, value)| value.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty())
}

/// Whether calls are asked for.
fn read_types(incoming: &Incoming, problems: &mut Problems) -> bool {
    let (mut any, mut calls) = (false, false);
    for word in values(incoming, "transaction_type") {
        any = true;
        calls |= word == TYPES[0];
        if !TYPES.contains(&word) {
            problems.at("transaction_type").add(NOT_LISTED);
        }
    }
    calls || !any
}

/// `include_columns` less `exclude_columns`, each column once, in the order they are asked for.
fn read_columns(incoming: &Incoming, eyes: Eyes, problems: &mut Problems) -> Vec<&'static Column> {
    let mut read = |name: &str| -> Option<Vec<&'static Column>> {
        let mut found: Option<Vec<&'static Column>> = None;
        let mut unknown = 0;
        for word in values(incoming, name) {
            let found = found.get_or_insert_default();
            match word {
                "$default" | "$invoca_default_columns" => found.extend(columns::defaults(eyes)),
                _ => match columns::find(eyes, word) {
                    Some(column) => found.push(column),
                    None if unknown < NAMED => {
                        unknown += 1;
                        problems.at(name).add(format!("has an unknown column: {word}"));
                    }
                    None => {}
                },
            }
            once(found);
        }
        found
    };
    let included = read("include_columns");
    let excluded = read("exclude_columns").unwrap_or_default();
    let mut columns = included.unwrap_or_else(|| columns::defaults(eyes).collect());
    columns.retain(|(name, ..)| !excluded.iter().any(|(other, ..)| other == name));
    if columns.is_empty() && !problems.has("include_columns") && !problems.has("exclude_columns") {
        problems.at("exclude_columns").add("leaves no columns");
    }
    columns
}

/// Leaves each column once, so that a list of columns is never longer than there are columns.
fn once(columns: &mut Vec<&'static Column>) {
    let mut seen: Vec<&str> = Vec::with_capacity(columns.len());
    columns.retain(|(name, ..)| {
        let new = !seen.contains(name);
        seen.push(name);
        new
    });
}

fn read_csv(incoming: &Incoming, problems: &mut Problems) -> CsvStyle {
    let mut csv = CsvStyle::default();
    if let Some(said) = incoming.parameter("column_separator") {
        match said.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => {
                csv.column_separator = *byte;
            }
            _ => {
                let message = "must be one ASCII character, neither a quote nor a line break";
                problems.at("column_separator").add(message);
            }
        }
    }
    match incoming.parameter("row_separator") {
        None | Some("\n") => {}
        Some("\r\n") => csv.crlf = true,
        Some(_) => problems
            .at("row_separator")
            .add("must be a line feed, with or without a carriage return before it"),
    }
    let mut flag = |name: &str, place: &mut bool| match incoming.parameter(name) {
        None => {}
        Some("1" | "true") => *place = true,
        Some("0" | "false") => *place = false,
        Some(_) => problems.at(name).add(NOT_LISTED),
    };
    flag("include_header", &mut csv.header);
    flag("force_quotes", &mut csv.force_quotes);
    csv
}
