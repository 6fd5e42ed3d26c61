//! Destinations of calls: numbers with a country code, and texts such as extensions.

use super::{PhoneNumber, all_digits, without_punctuation};
use serde::{Deserialize, Serialize};

/// Country codes with the trunk prefix 0 and no national number that begins with 0. Source:
/// libphonenumber 9.0.43.
#[rustfmt::skip]
const TRUNK_PREFIX_0_CODES: [&str; 102] = [
    "20", "27", "31", "32", "33", "40", "41", "43", "44", "46", "49", "51", "53", "54",
    "55", "57", "58", "60", "61", "62", "63", "64", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98", "211", "212", "213", "218", "231", "232", "233", "234",
    "243", "249", "251", "252", "254", "255", "256", "260", "261", "262", "263", "264", "265", "291",
    "353", "355", "358", "359", "370", "373", "374", "377", "380", "381", "382", "383", "385", "386",
    "387", "389", "421", "423", "508", "590", "591", "593", "594", "595", "596", "598", "686", "850",
    "855", "856", "880", "886", "961", "962", "963", "964", "966", "967", "970", "971", "972", "976",
    "977", "994", "995", "996",
];

/// Returns a reported destination in its stored form: a phone number as by
/// [`PhoneNumber::compact`], any other text, such as an extension or a SIP user, as it is.
pub fn normalize_destination(text: &str) -> String {
    PhoneNumber::parse(text)
        .map_or_else(|| text.trim().to_owned(), |number| number.compact().to_owned())
}

/// Destination of a Connect node: a country code and a national number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedDestination")]
pub struct DestinationNumber {
    number: String,
    country_code: String,
}

impl DestinationNumber {
    /// Parses a destination.
    ///
    /// The country code has 1–3 digits, optionally after `+`; blank means `1`. The number has 10
    /// digits for country code 1 (or 11 of which the first is 1, which is removed) and 4–14 digits
    /// for other country codes. A number in E.164 form is accepted if it has the given country
    /// code. Punctuation is removed as by [`PhoneNumber::parse`].
    pub fn parse(number: &str, country_code: &str) -> Option<Self> {
        let code = without_punctuation(country_code)?;
        let code = match code.strip_prefix('+').unwrap_or(&code) {
            "" if code.is_empty() => "1",
            digits => digits,
        };
        if !(1..=3).contains(&code.len()) || code.starts_with('0') || !all_digits(code) {
            return None;
        }
        let bare = without_punctuation(number)?;
        let international = bare.strip_prefix('+').or_else(|| match code {
            "1" => bare.strip_prefix("011"),
            _ => bare.strip_prefix("00"),
        });
        let national = match international {
            Some(digits) => digits.strip_prefix(code)?,
            None if TRUNK_PREFIX_0_CODES.contains(&code) => bare.strip_prefix('0').unwrap_or(&bare),
            None if code == "1" && bare.len() == 11 => bare.strip_prefix('1')?,
            None => &bare,
        };
        let is_valid_length = match code {
            "1" => national.len() == 10,
            _ => (4..=14).contains(&national.len()),
        };
        (is_valid_length && all_digits(national))
            .then(|| Self { number: national.to_owned(), country_code: code.to_owned() })
    }

    /// The digits of the national number: `8004377950`.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The digits of the country code: `1`.
    pub fn country_code(&self) -> &str {
        &self.country_code
    }
}

/// Deserialized destination before its validation.
#[derive(Deserialize)]
struct UncheckedDestination {
    number: String,
    country_code: String,
}

impl TryFrom<UncheckedDestination> for DestinationNumber {
    type Error = &'static str;

    fn try_from(unchecked: UncheckedDestination) -> Result<Self, Self::Error> {
        Self::parse(&unchecked.number, &unchecked.country_code).ok_or("is not a destination")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_destinations_are_normalized() {
        for (text, expected) in [
            ("800-437-7950", "8004377950"),
            ("+44 20 7183 8750", "+442071838750"),
            ("sip:+18004377950@pbx.example", "8004377950"),
            ("1001", "1001"),
            (" sales ", "sales"),
            ("sip:alice@example.com", "sip:alice@example.com"),
        ] {
            assert_eq!(normalize_destination(text), expected, "{text:?}");
        }
    }

    #[test]
    fn destinations_are_parsed_by_country_code() {
        for (number, code, expected) in [
            ("8004377950", "1", Some(("8004377950", "1"))),
            ("800‐437‐7950", "", Some(("8004377950", "1"))),
            ("1 (800) 437-7950", " +1 ", Some(("8004377950", "1"))),
            ("+18004377950", "1", Some(("8004377950", "1"))),
            ("20 7183 8750", "44", Some(("2071838750", "44"))),
            ("+44 20 7183 8750", "+44", Some(("2071838750", "44"))),
            ("+44 (0)20 7183 8750", "44", Some(("2071838750", "44"))),
            ("0044 20 7183 8750", "44", Some(("2071838750", "44"))),
            ("020 7183 8750", "44", Some(("2071838750", "44"))),
            ("0113 496 0000", "44", Some(("1134960000", "44"))),
            ("06 1234 5678", "39", Some(("0612345678", "39"))),
            ("011 1 800 437 7950", "1", Some(("8004377950", "1"))),
            ("1234", "290", Some(("1234", "290"))),
            ("12345678901234", "49", Some(("12345678901234", "49"))),
            ("+442071838750", "1", None),
            ("28004377950", "1", None),
            ("800437795", "1", None),
            ("123", "49", None),
            ("123456789012345", "49", None),
            ("", "1", None),
            ("800437795x", "1", None),
            ("1234+5678", "49", None),
            ("8004377950", "0", None),
            ("8004377950", "01", None),
            ("8004377950", "1234", None),
            ("8004377950", "+", None),
            ("8004377950", "++1", None),
            ("8004377950", "US", None),
        ] {
            let parsed = DestinationNumber::parse(number, code);
            let parts = parsed
                .as_ref()
                .map(|destination| (destination.number(), destination.country_code()));
            assert_eq!(parts, expected, "{number:?} {code:?}");
        }
    }

    #[test]
    fn destination_round_trips_through_json_and_is_validated() {
        let destination = DestinationNumber::parse("2071838750", "44").unwrap();
        let json = serde_json::to_string(&destination).unwrap();
        assert_eq!(json, r#"{"number":"2071838750","country_code":"44"}"#);
        assert_eq!(serde_json::from_str::<DestinationNumber>(&json).unwrap(), destination);
        let invalid = r#"{"number":"1","country_code":"44"}"#;
        assert!(serde_json::from_str::<DestinationNumber>(invalid).is_err());
    }
}
