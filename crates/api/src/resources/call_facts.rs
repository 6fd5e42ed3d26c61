//! Properties that real calls, live calls and dry runs have in common.

use crate::App;
use crate::object_reader::{ObjectReader, TEXT_LIMIT};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_domain::call::{CallFacts, PhoneType};
use trunkline_domain::ivr::run::Event;
use trunkline_domain::party::Network;
use trunkline_domain::phone::CallerId;
use trunkline_domain::problem::{INVALID, NOT_LISTED};
use trunkline_domain::timezone::{self, TimeZoneName};

/// Maximum number of keypresses of a call.
const MAX_KEYPRESSES: usize = 1_000;
/// Maximum number of digits of one input, with the finishing key.
const MAX_DIGITS: usize = 33;
/// Number of digits of `YYYYMMDDhhmmssSSS`.
const TIMESTAMP_DIGITS: usize = 17;
/// Maximum duration of a call, in seconds.
pub(super) const MAX_CALL_SECONDS: u32 = 31 * 86_400;

/// Reads `keypresses`: an array of keys, in order.
pub(super) fn read_keypresses(reader: &mut ObjectReader<'_>) -> Vec<char> {
    let keys = reader.array("keypresses", MAX_KEYPRESSES, |value, read_context| {
        let key = parse_key(value);
        if key.is_none() {
            read_context.problems.add(INVALID);
        }
        key
    });
    keys.unwrap_or_default()
}

/// Reads the answers to NumberQuestions, in order.
pub(super) fn read_digit_answers(reader: &mut ObjectReader<'_>) -> Vec<String> {
    let answers = reader.array("digits", MAX_KEYPRESSES, |value, read_context| {
        let digits = parse_digits(value);
        if digits.is_none() {
            read_context.problems.add(INVALID);
        }
        digits
    });
    answers.unwrap_or_default()
}

/// Parses digits that the caller entered, with `*` and the finishing key `#`.
pub(super) fn parse_digits(value: &Value) -> Option<String> {
    let digits = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_key = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
    let is_valid = (1..=MAX_DIGITS).contains(&digits.len()) && digits.chars().all(is_key);
    is_valid.then_some(digits)
}

/// Reads the results of dialling, in order.
pub(super) fn read_dial_results(reader: &mut ObjectReader<'_>) -> Vec<Event> {
    let results = reader.array("dials", MAX_KEYPRESSES, |value, read_context| {
        let result = match value.as_str() {
            Some("connected") => Some(Event::Connected),
            Some("busy") => Some(Event::Busy),
            Some("no_answer") => Some(Event::NoAnswer),
            Some("failed") => Some(Event::Failed),
            _ => None,
        };
        if result.is_none() {
            read_context.problems.add(NOT_LISTED);
        }
        result
    });
    results.unwrap_or_default()
}

/// Parses a key: a digit, `*` or `#`. A digit may be a number.
pub(super) fn parse_key(value: &Value) -> Option<char> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (Some(key), None) if key.is_ascii_digit() || key == '*' || key == '#' => Some(key),
        _ => None,
    }
}

/// Generates the `complete_call_id` of a new call: unique and not guessable. Its first eight digits
/// are the time in seconds, so that calls of the same time are close to each other in the index.
pub(super) fn generate_call_id(app: &App) -> String {
    let seconds = (app.clock)().as_second() as u32;
    let random = (app.random)();
    let random = random.iter().take(8).map(|byte| format!("{byte:02X}"));
    std::iter::once(format!("{seconds:08X}")).chain(random).collect()
}

/// Reads the properties of the caller that every kind of call has: phone number, phone type,
/// location, and repeat caller.
pub(super) fn read_caller_facts(reader: &mut ObjectReader<'_>) -> CallFacts {
    let mut text = |name| reader.text(name, TEXT_LIMIT).flatten().filter(|text| !text.is_empty());
    let country = text("country");
    let region = text("region");
    let city = text("city");
    let zip = text("zip");
    let caller_id = reader.caller_id("calling_phone_number").flatten();
    let (calling_phone_number, calling_phone_number_text) = match caller_id {
        Some(CallerId::Number(number)) => (Some(number), None),
        Some(CallerId::Text(text)) => (None, Some(text)),
        None => (None, None),
    };
    CallFacts {
        calling_phone_number,
        calling_phone_number_text,
        phone_type: read_phone_type(reader),
        shared_caller_id: reader.boolean("shared_caller_id").flatten(),
        country,
        region,
        city,
        zip,
        repeat: reader.boolean("repeat").flatten(),
        ..CallFacts::default()
    }
}

/// Reads `phone_type`: `mobile`, `landline` or `voip`, in any case. An empty string is unknown.
pub(super) fn read_phone_type(reader: &mut ObjectReader<'_>) -> Option<PhoneType> {
    let parse = |word: &str| match word.trim().to_ascii_lowercase().as_str() {
        "mobile" => Some(Some(PhoneType::Mobile)),
        "landline" => Some(Some(PhoneType::Landline)),
        "voip" => Some(Some(PhoneType::Voip)),
        "" => Some(None),
        _ => None,
    };
    reader.enum_value_or_default("phone_type", parse).flatten()
}

/// Reads a time. A time without a zone is in `time_zone`. A number, also as a string, is in seconds
/// since 1970, or in milliseconds if it is large: see [`parse_epoch`].
pub(super) fn read_timestamp(
    reader: &mut ObjectReader<'_>,
    name: &'static str,
    time_zone: TimeZoneName,
) -> Option<Timestamp> {
    let timestamp = match reader.value(name)? {
        Value::Null => return None,
        Value::Number(number) => parse_epoch(&number.to_string()),
        Value::String(text) if is_digits(text.trim()) => parse_epoch(text.trim()),
        Value::String(text) => timezone::parse_timestamp(text, time_zone, false),
        _ => None,
    };
    if timestamp.is_none() {
        reader.error(name, INVALID);
    }
    timestamp
}

/// Latest time that a report may name now: the time of the network's clock and a tolerance.
pub(super) fn latest_time(app: &App, network: &Network) -> Timestamp {
    let now = network.now((app.clock)());
    let tolerance = SignedDuration::try_from(app.limits.clock_tolerance);
    now.saturating_add(tolerance.unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

/// Reads a time that must not be after `latest`.
pub(super) fn read_past_timestamp(
    reader: &mut ObjectReader<'_>,
    name: &'static str,
    time_zone: TimeZoneName,
    latest: Timestamp,
) -> Option<Timestamp> {
    let timestamp = read_timestamp(reader, name, time_zone);
    if timestamp.is_some_and(|timestamp| timestamp > latest) {
        reader.error(name, "can't be in the future");
    }
    timestamp
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses seconds since 1970 (from 1973 to 5138), milliseconds where seconds would be later, or the 17
/// digits `YYYYMMDDhhmmssSSS`. Decimals are dropped.
fn parse_epoch(text: &str) -> Option<Timestamp> {
    const MIN_SECONDS: i64 = 100_000_000;
    const MIN_MILLISECONDS: i64 = 1_000 * MIN_SECONDS;
    let (integer, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if !is_digits(integer) || !is_digits(decimals) {
        return None;
    }
    if integer.len() == TIMESTAMP_DIGITS {
        return timezone::parse_timestamp_digits(integer);
    }
    match integer.parse::<i64>().ok()? {
        number if number < MIN_SECONDS => None,
        number if number < MIN_MILLISECONDS => Timestamp::from_second(number).ok(),
        number if number < 1_000 * MIN_MILLISECONDS => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

/// Reads `end_time` and returns the duration of the call in seconds: `duration` if it was given,
/// else the time from `start` to the end. An end before the start, and an end that contradicts
/// `duration`, are problems.
pub(super) fn read_duration(
    reader: &mut ObjectReader<'_>,
    time_zone: TimeZoneName,
    start: Option<Timestamp>,
    duration: Option<u32>,
) -> Option<u32> {
    let end = read_timestamp(reader, "end_time", time_zone);
    let (Some(start), Some(end)) = (start, end) else { return duration };
    let elapsed = end.duration_since(start);
    let seconds = u32::try_from(elapsed.as_secs()).ok().filter(|_| !elapsed.is_negative());
    let Some(seconds) = seconds else {
        reader.error("end_time", "must not be before start_time");
        return duration;
    };
    // Times with fractions of a second may differ from the rounded duration by less than a second.
    let is_consistent = |duration: u32| {
        let difference = elapsed - SignedDuration::from_secs(i64::from(duration));
        difference.abs() < SignedDuration::from_secs(1)
    };
    if seconds > MAX_CALL_SECONDS {
        reader.error("end_time", "must be within 31 days of start_time");
    } else if duration.is_some_and(|duration| !is_consistent(duration)) {
        reader.error("end_time", "must be start_time and duration_in_seconds together");
    }
    Some(duration.unwrap_or(seconds))
}
