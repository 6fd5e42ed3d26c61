//! Facts of a call that imagined and real ones spell alike.

use crate::App;
use crate::fields::{Fields, TEXT_LIMIT};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_domain::call::{CallFacts, PhoneType};
use trunkline_domain::problem::INVALID;
use trunkline_domain::timezone::{self, ZoneName};

/// Keys that a call can press.
const KEYS: usize = 1_000;
/// Seconds that a call can last.
pub(super) const SECONDS: u32 = 31 * 86_400;

/// `keypresses`: one key each, in order.
pub(super) fn read_keys(fields: &mut Fields<'_>) -> Vec<char> {
    let keys = fields.array("keypresses", KEYS, |value, reading| {
        let key = read_one_key(value);
        if key.is_none() {
            reading.problems.add(INVALID);
        }
        key
    });
    keys.unwrap_or_default()
}

/// One key: a digit, `*` or `#`.
pub(super) fn read_one_key(value: &Value) -> Option<char> {
    let said = match value {
        Value::String(said) => said.clone(),
        Value::Number(said) => said.to_string(),
        _ => String::new(),
    };
    let mut keys = said.chars();
    match (keys.next(), keys.next()) {
        (Some(key), None) if key.is_ascii_digit() || key == '*' || key == '#' => Some(key),
        _ => None,
    }
}

/// A new call's complete_call_id: nobody else's, and not to be guessed. Its first eight digits are the
/// second, so that calls that come together are near each other where they are looked up by it.
pub(super) fn name_of_call(app: &App) -> String {
    let second = (app.clock)().as_second() as u32;
    let random = (app.random)();
    let random = random.iter().take(8).map(|byte| format!("{byte:02X}"));
    std::iter::once(format!("{second:08X}")).chain(random).collect()
}

/// Who calls, from where and from what, and whether they have called before: what is said of every
/// call in the same words.
pub(super) fn read_caller(fields: &mut Fields<'_>) -> CallFacts {
    let mut text = |name| fields.text(name, TEXT_LIMIT).flatten().filter(|said| !said.is_empty());
    let (country, region, city, zip) = (text("country"), text("region"), text("city"), text("zip"));
    CallFacts {
        calling_phone_number: fields.phone("calling_phone_number").flatten(),
        phone_type: read_phone_type(fields),
        shared_caller_id: fields.boolean("shared_caller_id").flatten(),
        country,
        region,
        city,
        zip,
        repeat: fields.boolean("repeat").flatten(),
        ..CallFacts::default()
    }
}

/// `phone_type`: `mobile` or `landline`.
pub(super) fn read_phone_type(fields: &mut Fields<'_>) -> Option<PhoneType> {
    let read = |word: &str| match word {
        "mobile" => Some(Some(PhoneType::Mobile)),
        "landline" => Some(Some(PhoneType::Landline)),
        _ => None,
    };
    fields.word_or_default("phone_type", read).flatten()
}

/// A moment; one that names no zone is in the network's. Digits alone, as a number or as text, are
/// seconds since 1970, or milliseconds where they would be seconds past the year 5000.
pub(super) fn read_time(
    fields: &mut Fields<'_>,
    name: &'static str,
    zone: ZoneName,
) -> Option<Timestamp> {
    let moment = match fields.value(name)? {
        Value::Null => return None,
        Value::Number(said) => since_1970(&said.to_string()),
        Value::String(said) if is_digits(said.trim()) => since_1970(said.trim()),
        Value::String(said) => timezone::parse_moment(said, zone, false),
        _ => None,
    };
    if moment.is_none() {
        fields.wrong(name, INVALID);
    }
    moment
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds or milliseconds since 1970, from 1973 on; what stands behind a point is dropped.
fn since_1970(said: &str) -> Option<Timestamp> {
    const LEAST: i64 = 100_000_000;
    const MILLIS: i64 = 1_000 * LEAST;
    let (whole, rest) = said.split_once('.').unwrap_or((said, "0"));
    if !is_digits(whole) || !is_digits(rest) {
        return None;
    }
    match whole.parse::<i64>().ok()? {
        number if number < LEAST => None,
        number if number < MILLIS => Timestamp::from_second(number).ok(),
        number if number < 1_000 * MILLIS => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

/// How long a call took that is said to have ended: seconds, as far as they are not said
/// otherwise. An end before the start, or one that does not fit what is said, is a problem.
pub(super) fn read_end(
    fields: &mut Fields<'_>,
    zone: ZoneName,
    start: Option<Timestamp>,
    said: Option<u32>,
) -> Option<u32> {
    let end = read_time(fields, "end_time", zone);
    let (Some(start), Some(end)) = (start, end) else { return said };
    let took = end.duration_since(start);
    let seconds = u32::try_from(took.as_secs()).ok().filter(|_| !took.is_negative());
    let Some(seconds) = seconds else {
        fields.wrong("end_time", "must not be before start_time");
        return said;
    };
    // Times of parts of a second may be a rounded second away from what is said.
    let fits = |said: u32| {
        let difference = took - SignedDuration::from_secs(i64::from(said));
        difference.abs() < SignedDuration::from_secs(1)
    };
    if seconds > SECONDS {
        fields.wrong("end_time", "must be within 31 days of start_time");
    } else if said.is_some_and(|said| !fits(said)) {
        fields.wrong("end_time", "must be start_time and duration_in_seconds together");
    }
    Some(said.unwrap_or(seconds))
}
