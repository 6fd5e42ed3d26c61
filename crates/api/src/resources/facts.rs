//! Facts of a call that imagined and real ones spell alike.

use crate::fields::{Fields, TEXT_LIMIT};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_domain::call::PhoneType;
use trunkline_domain::problem::INVALID;
use trunkline_domain::timezone::{self, ZoneName};

/// Keys that a call can press.
const KEYS: usize = 1_000;
/// Seconds that a call can last.
pub(super) const SECONDS: u32 = 31 * 86_400;

/// `keypresses`: one key each, in order.
pub(super) fn read_keys(fields: &mut Fields<'_>) -> Vec<char> {
    let keys = fields.array("keypresses", KEYS, |value, reading| {
        let said = match value {
            Value::String(said) => said.clone(),
            Value::Number(said) => said.to_string(),
            _ => String::new(),
        };
        let mut keys = said.chars();
        match (keys.next(), keys.next()) {
            (Some(key), None) if key.is_ascii_digit() || key == '*' || key == '#' => Some(key),
            _ => {
                reading.problems.add(INVALID);
                None
            }
        }
    });
    keys.unwrap_or_default()
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

/// A moment; one that names no zone is in the network's.
pub(super) fn read_time(
    fields: &mut Fields<'_>,
    name: &'static str,
    zone: ZoneName,
) -> Option<Timestamp> {
    let said = fields.text(name, TEXT_LIMIT)??;
    let moment = timezone::parse_moment(&said, zone, false);
    if moment.is_none() {
        fields.wrong(name, INVALID);
    }
    moment
}
