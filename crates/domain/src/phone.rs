//! Phone numbers of callers and users, and destinations of calls.

mod caller_id;
mod destination;

pub use caller_id::CallerId;
pub use destination::{DestinationNumber, normalize_destination};

use crate::text;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Maximum length of a phone number text, in characters, with punctuation.
const MAX_TEXT_CHARS: usize = 40;

/// Numbers that carriers send instead of a withheld caller number: words spelled on a telephone
/// keypad, with `+` or `+1`. Words of other lengths (`8656696` for UNKNOWN, `2562533` for BLOCKED,
/// `7748248` for PRIVATE) never parse as phone numbers.
const PLACEHOLDERS: [&str; 5] = [
    "+266696687",   // ANONYMOUS
    "+11266696687", // ANONYMOUS after 1
    "+7378742833",  // RESTRICTED
    "+17378742833", // RESTRICTED
    "+86282452253", // UNAVAILABLE
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
    /// Parses a phone number of at most 40 characters, or the user part of a `tel:` or `sip:` URI.
    ///
    /// Punctuation is removed first: spaces, `-`, `(`, `)`, `.`, `/` and typographic hyphens. The
    /// rest must be 10 digits or 11 digits that start with 1 (country code 1), or a number with its
    /// country code after `+`, `00` or `011`: 8–15 digits (any country). `(0)` in such a number is
    /// the trunk prefix of its country and is removed. Ten digits that start with 0 are not a North
    /// American number.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = without_punctuation(uri_user_part(text))?;
        let digits = match bare.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None if bare.len() == 10 && !bare.starts_with('0') => format!("1{bare}"),
            None if bare.len() == 11 && bare.starts_with('1') => bare,
            None => international_digits(&bare)?.to_owned(),
        };
        Self::from_digits(&digits)
    }

    /// Checks digits with a country code.
    fn from_digits(digits: &str) -> Option<Self> {
        let is_valid_length = match digits.chars().next()? {
            '0' => false,
            '1' => digits.len() == 11,
            _ => (8..=15).contains(&digits.len()),
        };
        (is_valid_length && all_digits(digits)).then(|| Self { e164: format!("+{digits}") })
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

    /// The number as promo numbers and call logs show it: 10 digits for country code 1
    /// (`8057089876`), otherwise E.164 (`+442071838750`). Parses to the same number.
    pub fn compact(&self) -> &str {
        self.nanp_digits().unwrap_or(&self.e164)
    }

    /// The area code (`805`). `None` if the country code is not 1.
    pub fn area_code(&self) -> Option<&str> {
        self.nanp_digits().map(|digits| &digits[..3])
    }

    /// Returns true if a carrier sends this number instead of a withheld one: a known placeholder,
    /// or a single digit repeated.
    pub fn is_placeholder(&self) -> bool {
        let digits = self.compact().trim_start_matches('+').as_bytes();
        let is_repeated = digits.iter().all(|digit| Some(digit) == digits.first());
        is_repeated || PLACEHOLDERS.contains(&self.e164.as_str())
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

/// Returns the user part of a `tel:`, `sip:` or `sips:` URI, also in angle brackets, without
/// parameters. Other text is returned as it is.
fn uri_user_part(text: &str) -> &str {
    let text = text.trim();
    let bracketed = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let uri = bracketed.map_or(text, |(uri, _)| uri.trim());
    let Some((scheme, rest)) = uri.split_once(':') else { return text };
    let is_scheme = ["tel", "sip", "sips"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !is_scheme {
        return text;
    }
    let user = rest.split_once('@').map_or(rest, |(user, _)| user);
    user.split([';', ':', '?']).next().unwrap_or(user)
}

/// Removes the international prefix `00` or `011`. Returns `None` if there is none.
fn international_digits(bare: &str) -> Option<&str> {
    bare.strip_prefix("011").or_else(|| bare.strip_prefix("00"))
}

/// Removes punctuation, and `(0)` from a number with an international prefix. Returns `None` if the
/// text has more than [`MAX_TEXT_CHARS`] characters.
fn without_punctuation(text: &str) -> Option<String> {
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        return None;
    }
    let is_punctuation = |c: &char| matches!(c, '-' | '(' | ')' | '.' | '/') || c.is_whitespace();
    let strip = |text: &str| text.chars().filter(|c| !is_punctuation(c)).collect::<String>();
    let plain = text::normalize_plain_text(text);
    let bare = strip(&plain);
    if bare.starts_with('+') || international_digits(&bare).is_some() {
        return Some(strip(&plain.replacen("(0)", "", 1)));
    }
    Some(bare)
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
            ("+44 (20) 7183 8750", "+442071838750", "+442071838750", "+442071838750"),
            ("+44 (0)20 7183 8750", "+442071838750", "+442071838750", "+442071838750"),
            ("00442071838750", "+442071838750", "+442071838750", "+442071838750"),
            ("00 44 (0) 20 7183 8750", "+442071838750", "+442071838750", "+442071838750"),
            ("011 44 20 7183 8750", "+442071838750", "+442071838750", "+442071838750"),
            ("0018057089876", "+18057089876", "805-708-9876", "8057089876"),
            ("01118057089876", "+18057089876", "805-708-9876", "8057089876"),
            ("tel:+1-805-708-9876", "+18057089876", "805-708-9876", "8057089876"),
            ("TEL:8057089876;ext=12", "+18057089876", "805-708-9876", "8057089876"),
            ("sip:+442071838750@pbx.example", "+442071838750", "+442071838750", "+442071838750"),
            ("sips:8057089876:secret@[::1]:5061", "+18057089876", "805-708-9876", "8057089876"),
            ("sip:8057089876;user=phone@x", "+18057089876", "805-708-9876", "8057089876"),
            ("\"Ann\" <sip:+18057089876@x>;tag=1", "+18057089876", "805-708-9876", "8057089876"),
            ("+29012345", "+29012345", "+29012345", "+29012345"),
            ("+491234567890123", "+491234567890123", "+491234567890123", "+491234567890123"),
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert_eq!(number.e164(), e164, "{text}");
            assert_eq!((number.display().as_str(), number.compact()), (display, digits), "{text}");
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
            "0207183875",
            "0000000000",
            "00442071",
            "011442071",
            "00011442071838750",
            "sip:anonymous@anonymous.invalid",
            "tel:",
            "mailto:8057089876",
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
            |hyphens: usize| PhoneNumber::parse(&format!("{}8057089876", "-".repeat(hyphens)));
        assert!(padded(30).is_some());
        assert_eq!(padded(31), None);
    }

    #[test]
    fn placeholders_of_withheld_numbers_are_recognized() {
        for text in [
            "+266696687",
            "+7378742833",
            "7378742833",
            "+86282452253",
            "+10000000000",
            "1111111111",
            "999-999-9999",
            "+1 555 555 5555",
            "+99999999",
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert!(number.is_placeholder(), "{text}");
        }
        for text in
            ["8057089876", "+442071838750", "5555555556", "1211111111", "+26669668", "8566696687"]
        {
            let number = PhoneNumber::parse(text).unwrap();
            assert!(!number.is_placeholder(), "{text}");
        }
    }

    #[test]
    fn numbers_round_trip_through_json_and_are_validated() {
        let number = PhoneNumber::parse("8057089876").unwrap();
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(json, r#""+18057089876""#);
        assert_eq!(serde_json::from_str::<PhoneNumber>(&json).unwrap(), number);
        assert!(serde_json::from_str::<PhoneNumber>(r#""12""#).is_err());
    }

    proptest! {
        #[test]
        fn formatted_number_parses_to_itself(text in "\\+?[0-9 ().-]{8,22}") {
            if let Some(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(PhoneNumber::parse(number.e164()), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::parse(number.compact()), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::parse(&number.display()), Some(number));
            }
        }

        #[test]
        fn parse_never_panics(number in "\\PC{0,45}", code in "\\PC{0,5}") {
            PhoneNumber::parse(&number);
            PhoneNumber::parse(&format!("sip:{number}@{code}"));
            DestinationNumber::parse(&number, &code);
        }
    }
}
