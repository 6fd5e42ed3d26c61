//! Where a caller is, by the postal code they give.

use super::Place;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::LazyLock;

/// `country state prefixes…` a line; the file says where it comes from.
const TABLE: &str = include_str!("../../data/zip_codes.txt");

/// A postal code of the United States (`93101`) or of Canada (`K1A 0B1`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ZipCode {
    code: String,
}

impl ZipCode {
    /// Reads exactly 5 digits, or letters and digits as Canada has them, in any case and with or
    /// without the space.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let american = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if american {
            return Some(Self { code: text.to_owned() });
        }
        let solid = text.bytes().filter(|byte| *byte != b' ');
        let code: String = solid.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        let pattern = |(at, byte): (usize, u8)| match at % 2 {
            0 => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit(),
        };
        let canadian = code.len() == 6 && code.bytes().enumerate().all(pattern);
        canadian.then(|| Self { code: format!("{} {}", &code[..3], &code[3..]) })
    }

    /// `93101`, `K1A 0B1`.
    pub fn as_str(&self) -> &str {
        &self.code
    }

    /// Where it is; `None` for one that is nobody's.
    pub fn place(&self) -> Option<Place> {
        let fits = |span: &&Span| {
            let start = self.code.get(..span.from.len());
            start.is_some_and(|start| (span.from..=span.to).contains(&start))
        };
        SPANS.iter().filter(fits).max_by_key(|span| span.from.len())?.place
    }
}

impl<'de> Deserialize<'de> for ZipCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("is not a postal code"))
    }
}

/// Prefixes of one length that follow one another, and where they are.
struct Span {
    from: &'static str,
    to: &'static str,
    place: Option<Place>,
}

static SPANS: LazyLock<Vec<Span>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(spans_of).collect()
});

/// The spans of one line.
fn spans_of(line: &'static str) -> impl Iterator<Item = Span> {
    let known = |word: &&'static str| *word != "-";
    let mut words = line.split(' ');
    let country = words.next().filter(known);
    let region = words.next().filter(known);
    let place = country.map(|country| Place { country, region });
    words.map(move |word| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        Span { from, to, place }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::{country_name, state_name};
    use std::collections::BTreeSet;

    fn place(code: &str) -> Option<(&'static str, Option<&'static str>)> {
        let place = ZipCode::parse(code).unwrap().place()?;
        Some((place.country, place.region))
    }

    #[test]
    fn codes_are_read_as_callers_and_letters_have_them() {
        for (text, code) in [
            ("93101", Some("93101")),
            (" 00501 ", Some("00501")),
            ("k1a0b1", Some("K1A 0B1")),
            ("K1A 0B1", Some("K1A 0B1")),
            ("9310", None),
            ("931011", None),
            ("93101-1234", None),
            ("9310a", None),
            ("K1A", None),
            ("K1A 0BB", None),
            ("1K1 A0B", None),
            ("٩٣١٠١", None),
            ("é1a0b", None),
            ("", None),
        ] {
            let read = ZipCode::parse(text);
            assert_eq!(read.as_ref().map(ZipCode::as_str), code, "{text:?}");
        }
    }

    #[test]
    fn a_code_says_where_it_is() {
        for (code, expected) in [
            ("93101", Some(("US", Some("CA")))),
            ("10001", Some(("US", Some("NY")))),
            ("06390", Some(("US", Some("NY")))),
            ("06391", Some(("US", Some("CT")))),
            ("00901", Some(("US", Some("PR")))),
            ("96799", Some(("US", Some("AS")))),
            ("96798", Some(("US", Some("HI")))),
            ("96951", Some(("US", Some("MP")))),
            ("96910", Some(("US", Some("GU")))),
            ("96940", Some(("PW", None))),
            ("09012", Some(("US", Some("AE")))),
            ("00000", None),
            ("88888", None),
            ("K1A 0B1", Some(("CA", Some("ON")))),
            ("X0A 0H0", Some(("CA", Some("NU")))),
            ("X1A 1A1", Some(("CA", Some("NT")))),
            ("X9X 9X9", None),
            ("Z1A 1A1", None),
        ] {
            assert_eq!(place(code), expected, "{code}");
        }
    }

    #[test]
    fn every_prefix_of_three_digits_is_in_one_place_or_in_none() {
        for number in 0..1_000 {
            let prefix = format!("{number:03}");
            let here = |span: &&Span| {
                span.from.len() == 3 && (span.from..=span.to).contains(&prefix.as_str())
            };
            assert_eq!(SPANS.iter().filter(here).count(), 1, "{prefix}");
        }
        for span in SPANS.iter() {
            assert!(span.from.len() == span.to.len() && span.from <= span.to, "{}", span.from);
        }
    }

    #[test]
    fn every_state_has_a_prefix_and_every_place_a_name() {
        let places = || SPANS.iter().filter_map(|span| span.place);
        let of = |country: &str| -> BTreeSet<&str> {
            places().filter(|it| it.country == country).filter_map(|it| it.region).collect()
        };
        // 50 states, the District of Columbia, 5 territories, 3 armed forces; 13 provinces and
        // territories.
        assert_eq!((of("US").len(), of("CA").len()), (59, 13));
        for place in places() {
            assert!(country_name(place.country).is_some(), "{place:?}");
            assert!(place.region.is_none_or(|region| state_name(region).is_some()), "{place:?}");
        }
    }

    #[test]
    fn codes_read_back_from_json_and_are_checked() {
        let code = ZipCode::parse("93101").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), r#""93101""#);
        assert_eq!(serde_json::from_str::<ZipCode>(r#""93101""#).unwrap(), code);
        assert!(serde_json::from_str::<ZipCode>(r#""931""#).is_err());
    }
}
