//! Phone numbers: of people and callers, and as an IVR tree dials them.

use crate::text;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The longest text that is read as a number, in characters, punctuation and all.
const LONGEST: usize = 40;

/// What carriers send in the place of a number that is withheld: words, spelt on a telephone's
/// keys. One of ten digits, sent without `+`, reads as a number of country code 1. The shorter ones
/// (`2562533` for BLOCKED) are no numbers to begin with.
const PLACEHOLDERS: [&str; 4] = [
    "266696687",   // ANONYMOUS
    "7378742833",  // RESTRICTED
    "8566696687",  // UNKNOWN, more or less
    "86282452253", // UNAVAILABLE
];

/// A phone number of ITU E.164, with its country code.
///
/// A number of country code 1 has exactly 10 more digits. Which of these are in service is not
/// asked: the source documents' own examples are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// `+` and 8–15 ASCII digits, the first no zero.
    e164: String,
}

impl PhoneNumber {
    /// Reads a number as people write it, at most 40 characters.
    ///
    /// Punctuation is dropped: spaces, `-`, `(`, `)`, `.`, `/` and the typographic hyphens of the
    /// source documents. Then 10 digits, or 11 that start with 1, are a number of the United
    /// States; `+` and 8–15 digits are one of any country.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = without_punctuation(text)?;
        let digits = match bare.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None if bare.len() == 10 => format!("1{bare}"),
            None if bare.len() == 11 && bare.starts_with('1') => bare,
            None => return None,
        };
        let right_length = match digits.chars().next()? {
            '0' => false,
            '1' => digits.len() == 11,
            _ => (8..=15).contains(&digits.len()),
        };
        (right_length && all_digits(&digits)).then(|| Self { e164: format!("+{digits}") })
    }

    /// `+18057089876`.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// As responses have it: `805-708-9876` for country code 1, else `+442071838750`.
    pub fn display(&self) -> String {
        match self.national() {
            Some(digits) => format!("{}-{}-{}", &digits[..3], &digits[3..6], &digits[6..]),
            None => self.e164.clone(),
        }
    }

    /// Digits alone: `8057089876` for country code 1, else `442071838750`.
    pub fn digits(&self) -> &str {
        self.national().unwrap_or(&self.e164[1..])
    }

    /// The area code, for country code 1: `805`.
    pub fn area_code(&self) -> Option<&str> {
        self.national().map(|digits| &digits[..3])
    }

    /// Whether it stands for a number that is withheld: one of the words that carriers send
    /// instead, or a single digit over and over.
    pub fn is_placeholder(&self) -> bool {
        let digits = self.digits();
        let first = digits.as_bytes().first();
        PLACEHOLDERS.contains(&digits) || digits.bytes().all(|digit| Some(&digit) == first)
    }

    /// The 10 digits after country code 1, which the North American Numbering Plan shares out.
    fn national(&self) -> Option<&str> {
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

/// The destination of a Connect node: a national number, and the country code to dial before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenDestination")]
pub struct DialledNumber {
    number: String,
    country_code: String,
}

impl DialledNumber {
    /// Reads a destination: a country code of 1–3 digits (a leading `+` is forgiven, blank is
    /// `1`), and a number of 10 digits for country code 1 (or 11, the first of them that 1, which
    /// is dropped), of 4–14 digits for any other.
    ///
    /// Punctuation is dropped as in [`PhoneNumber::parse`]. A number in E.164 form is taken when
    /// its country code is the one given.
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
        let right_length = match code {
            "1" => national.len() == 10,
            _ => (4..=14).contains(&national.len()),
        };
        (right_length && all_digits(national))
            .then(|| Self { number: national.to_owned(), country_code: code.to_owned() })
    }

    /// The national number, in digits: `8004377950`.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The country code, in digits: `1`.
    pub fn country_code(&self) -> &str {
        &self.country_code
    }
}

/// A destination before anyone has checked it.
#[derive(Deserialize)]
struct WrittenDestination {
    number: String,
    country_code: String,
}

impl TryFrom<WrittenDestination> for DialledNumber {
    type Error = &'static str;

    fn try_from(written: WrittenDestination) -> Result<Self, Self::Error> {
        Self::parse(&written.number, &written.country_code).ok_or("is not a destination")
    }
}

/// The text without punctuation; `None` if it is too long to be a number at all.
fn without_punctuation(text: &str) -> Option<String> {
    if text.chars().nth(LONGEST).is_some() {
        return None;
    }
    let punctuation = |c: char| matches!(c, '-' | '(' | ')' | '.' | '/') || c.is_whitespace();
    Some(text::plain(text).chars().filter(|c| !punctuation(*c)).collect())
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
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
    fn anything_else_is_refused() {
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
    fn what_carriers_send_for_a_withheld_number_is_known() {
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
    fn destinations_are_read_by_their_country() {
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
            let read = DialledNumber::parse(number, code);
            let parts = read.as_ref().map(|it| (it.number(), it.country_code()));
            assert_eq!(parts, expected, "{number:?} {code:?}");
        }
    }

    #[test]
    fn numbers_read_back_from_json_and_are_checked() {
        let number = PhoneNumber::parse("8057089876").unwrap();
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(json, r#""+18057089876""#);
        assert_eq!(serde_json::from_str::<PhoneNumber>(&json).unwrap(), number);
        assert!(serde_json::from_str::<PhoneNumber>(r#""12""#).is_err());
        let destination = DialledNumber::parse("2071838750", "44").unwrap();
        let json = serde_json::to_string(&destination).unwrap();
        assert_eq!(json, r#"{"number":"2071838750","country_code":"44"}"#);
        assert_eq!(serde_json::from_str::<DialledNumber>(&json).unwrap(), destination);
        let wrong = r#"{"number":"1","country_code":"44"}"#;
        assert!(serde_json::from_str::<DialledNumber>(wrong).is_err());
    }

    proptest! {
        #[test]
        fn what_was_read_reads_back(text in "\\+?[0-9 ().-]{8,22}") {
            if let Some(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(PhoneNumber::parse(number.e164()), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::parse(&number.display()), Some(number));
            }
        }

        #[test]
        fn no_text_is_a_crash(number in "\\PC{0,45}", code in "\\PC{0,5}") {
            PhoneNumber::parse(&number);
            DialledNumber::parse(&number, &code);
        }
    }
}
