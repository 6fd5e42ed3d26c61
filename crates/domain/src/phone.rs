//! Phone numbers of callers and users, and destination numbers of IVR trees.

use crate::text;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Maximum length of a phone number text, in characters, with punctuation.
const MAX_TEXT_CHARS: usize = 40;

/// Numbers that carriers send instead of a withheld caller number: words spelled on a telephone
/// keypad. A placeholder of ten digits without `+` parses as a number of country code 1. Shorter
/// ones (`2562533` for BLOCKED) do not parse as phone numbers.
const PLACEHOLDERS: [&str; 4] = [
    "266696687",   // ANONYMOUS
    "7378742833",  // RESTRICTED
    "8566696687",  // UNKNOWN, approximately
    "86282452253", // UNAVAILABLE
];

/// Phone number of ITU E.164, with its country code.
///
/// A number of country code 1 has exactly 10 further digits. The numbering plan is not checked: the
/// examples of the source documents are not assigned numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// `+` and 8–15 ASCII digits, the first of which is not 0.
    e164: String,
}

impl PhoneNumber {
    /// Parses a phone number of at most 40 characters.
    ///
    /// Punctuation is removed first: spaces, `-`, `(`, `)`, `.`, `/` and typographic hyphens. The
    /// rest must be 10 digits or 11 digits that start with 1 (country code 1), or `+` and 8–15
    /// digits (any country).
    pub fn parse(text: &str) -> Option<Self> {
        let bare = without_punctuation(text)?;
        let digits = match bare.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None if bare.len() == 10 => format!("1{bare}"),
            None if bare.len() == 11 && bare.starts_with('1') => bare,
            None => return None,
        };
        let is_valid_length = match digits.chars().next()? {
            '0' => false,
            '1' => digits.len() == 11,
            _ => (8..=15).contains(&digits.len()),
        };
        (is_valid_length && all_digits(&digits)).then(|| Self { e164: format!("+{digits}") })
    }

    /// The number in E.164 form: `+18057089876`.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The number as responses show it: `805-708-9876` for country code 1, otherwise E.164
    /// (`+442071838750`).
    pub fn display(&self) -> String {
        match self.nanp_digits() {
            Some(digits) => format!("{}-{}-{}", &digits[..3], &digits[3..6], &digits[6..]),
            None => self.e164.clone(),
        }
    }

    /// The digits: without the country code for country code 1 (`8057089876`), otherwise with it
    /// (`442071838750`).
    pub fn digits(&self) -> &str {
        self.nanp_digits().unwrap_or(&self.e164[1..])
    }

    /// The area code (`805`). `None` if the country code is not 1.
    pub fn area_code(&self) -> Option<&str> {
        self.nanp_digits().map(|digits| &digits[..3])
    }

    /// Returns true if a carrier sends this number instead of a withheld one: a known placeholder,
    /// or a single digit repeated.
    pub fn is_placeholder(&self) -> bool {
        let digits = self.digits();
        let first = digits.as_bytes().first();
        PLACEHOLDERS.contains(&digits) || digits.bytes().all(|digit| Some(&digit) == first)
    }

    /// The 10 digits of a number of the North American Numbering Plan (country code 1).
    fn nanp_digits(&self) -> Option<&str> {
        self.e164.strip_prefix("+1")
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.display())
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.e164)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("is not a phone number"))
    }
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
        let national = match bare.strip_prefix('+') {
            Some(digits) => digits.strip_prefix(code)?,
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

/// Removes punctuation. Returns `None` if the text has more than [`MAX_TEXT_CHARS`] characters.
fn without_punctuation(text: &str) -> Option<String> {
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        return None;
    }
    let is_punctuation = |c: char| matches!(c, '-' | '(' | ')' | '.' | '/') || c.is_whitespace();
    Some(text::normalize_plain_text(text).chars().filter(|c| !is_punctuation(*c)).collect())
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_parsed_with_punctuation() {
        for (text, e164, display, digits) in [
            ("8057089876", "+18057089876", "805-708-9876", "8057089876"),
            ("805‐708‐9876", "+18057089876", "805-708-9876", "8057089876"),
            ("(805) 708-9876", "+18057089876", "805-708-9876", "8057089876"),
            ("805.708.9876", "+18057089876", "805-708-9876", "8057089876"),
            ("805/708 9876", "+18057089876", "805-708-9876", "8057089876"),
            ("1-805-708-9876", "+18057089876", "805-708-9876", "8057089876"),
            ("+1 805 708 9876", "+18057089876", "805-708-9876", "8057089876"),
            ("\u{a0}+1\u{ad}8057089876", "+18057089876", "805-708-9876", "8057089876"),
            ("+44 (20) 7183 8750", "+442071838750", "+442071838750", "442071838750"),
            ("+29012345", "+29012345", "+29012345", "29012345"),
            ("+491234567890123", "+491234567890123", "+491234567890123", "491234567890123"),
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert_eq!(number.e164(), e164, "{text}");
            assert_eq!((number.display().as_str(), number.digits()), (display, digits), "{text}");
            assert_eq!(number.area_code().is_some(), e164.starts_with("+1"), "{text}");
        }
        assert_eq!(PhoneNumber::parse("8057089876").unwrap().area_code(), Some("805"));
    }

    #[test]
    fn malformed_numbers_are_rejected() {
        for text in [
            "",
            " ",
            "+",
            "-",
            "805708987",
            "28057089876",
            "118057089876",
            "805-708-987x",
            "8057089876 x12",
            "800-FLOWERS",
            "+1805708987",
            "+180570898766",
            "+0123456789",
            "+1234567",
            "+2345678",
            "+4912345678901234",
            "++442071838750",
            "44+2071838750",
            "٨٠٥٧٠٨٩٨٧٦",
            "８０５７０８９８７６",
            "805,708,9876",
            "805_708_9876",
            "805\u{0}7089876",
        ] {
            assert_eq!(PhoneNumber::parse(text), None, "{text:?}");
        }
        let padded =
            |spaces: usize| PhoneNumber::parse(&format!("{}8057089876", " ".repeat(spaces)));
        assert!(padded(30).is_some());
        assert_eq!(padded(31), None);
    }

    #[test]
    fn placeholders_of_withheld_numbers_are_recognized() {
        for text in [
            "+266696687",
            "+7378742833",
            "7378742833",
            "+8566696687",
            "8566696687",
            "+86282452253",
            "0000000000",
            "1111111111",
            "999-999-9999",
            "+1 555 555 5555",
            "+99999999",
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert!(number.is_placeholder(), "{text}");
        }
        for text in ["8057089876", "+442071838750", "5555555556", "1211111111", "+26669668"] {
            let number = PhoneNumber::parse(text).unwrap();
            assert!(!number.is_placeholder(), "{text}");
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
    fn numbers_round_trip_through_json_and_are_validated() {
        let number = PhoneNumber::parse("8057089876").unwrap();
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(json, r#""+18057089876""#);
        assert_eq!(serde_json::from_str::<PhoneNumber>(&json).unwrap(), number);
        assert!(serde_json::from_str::<PhoneNumber>(r#""12""#).is_err());
        let destination = DestinationNumber::parse("2071838750", "44").unwrap();
        let json = serde_json::to_string(&destination).unwrap();
        assert_eq!(json, r#"{"number":"2071838750","country_code":"44"}"#);
        assert_eq!(serde_json::from_str::<DestinationNumber>(&json).unwrap(), destination);
        let invalid = r#"{"number":"1","country_code":"44"}"#;
        assert!(serde_json::from_str::<DestinationNumber>(invalid).is_err());
    }

    proptest! {
        #[test]
        fn formatted_number_parses_to_itself(text in "\\+?[0-9 ().-]{8,22}") {
            if let Some(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(PhoneNumber::parse(number.e164()), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::parse(&number.display()), Some(number));
            }
        }

        #[test]
        fn parse_never_panics(number in "\\PC{0,45}", code in "\\PC{0,5}") {
            PhoneNumber::parse(&number);
            DestinationNumber::parse(&number, &code);
        }
    }
}
