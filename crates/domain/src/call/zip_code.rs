//! Postal codes of the United States and Canada, and their locations.

use super::Location;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::LazyLock;

/// Table of prefixes. Line format: `country state prefixes…`. The source is named in the file.
const TABLE: &str = include_str!("../../data/zip_codes.txt");

/// Postal code of the United States (`93101`) or Canada (`K1A 0B1`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ZipCode {
    code: String,
}

impl ZipCode {
    /// Parses exactly 5 digits, or a Canadian code in any case, with or without the space. Returns
    /// `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_us_code = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_us_code {
            return Some(Self { code: text.to_owned() });
        }
        let without_spaces = text.bytes().filter(|byte| *byte != b' ');
        let code: String =
            without_spaces.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        let matches_pattern = |(index, byte): (usize, u8)| match index % 2 {
            0 => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit(),
        };
        let is_canadian_code = code.len() == 6 && code.bytes().enumerate().all(matches_pattern);
        is_canadian_code.then(|| Self { code: format!("{} {}", &code[..3], &code[3..]) })
    }

    /// Returns the normalized code: `93101`, `K1A 0B1`.
    pub fn as_str(&self) -> &str {
        &self.code
    }

    /// Returns the location of the code; `None` if the code is not assigned.
    pub fn location(&self) -> Option<Location> {
        let contains_code = |range: &&PrefixRange| {
            let prefix = self.code.get(..range.from.len());
            prefix.is_some_and(|prefix| (range.from..=range.to).contains(&prefix))
        };
        PREFIX_RANGES.iter().filter(contains_code).max_by_key(|range| range.from.len())?.location
    }
}

impl<'de> Deserialize<'de> for ZipCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("is not a postal code"))
    }
}

/// Inclusive range of prefixes of equal length with their location.
struct PrefixRange {
    from: &'static str,
    to: &'static str,
    location: Option<Location>,
}

static PREFIX_RANGES: LazyLock<Vec<PrefixRange>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(parse_line).collect()
});

/// Parses the prefix ranges of one line.
fn parse_line(line: &'static str) -> impl Iterator<Item = PrefixRange> {
    let is_given = |word: &&'static str| *word != "-";
    let mut words = line.split(' ');
    let country = words.next().filter(is_given);
    let region = words.next().filter(is_given);
    let location = country.map(|country| Location { country, region });
    words.map(move |word| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        PrefixRange { from, to, location }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::{find_country, find_state};
    use std::collections::BTreeSet;

    fn location(code: &str) -> Option<(&'static str, Option<&'static str>)> {
        let location = ZipCode::parse(code).unwrap().location()?;
        Some((location.country, location.region))
    }

    #[test]
    fn us_and_canadian_codes_are_parsed_in_any_spelling() {
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
            let parsed = ZipCode::parse(text);
            assert_eq!(parsed.as_ref().map(ZipCode::as_str), code, "{text:?}");
        }
    }

    #[test]
    fn codes_have_locations() {
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
            assert_eq!(location(code), expected, "{code}");
        }
    }

    #[test]
    fn every_three_digit_prefix_is_in_exactly_one_range() {
        for number in 0..1_000 {
            let prefix = format!("{number:03}");
            let contains_prefix = |range: &&PrefixRange| {
                range.from.len() == 3 && (range.from..=range.to).contains(&prefix.as_str())
            };
            assert_eq!(PREFIX_RANGES.iter().filter(contains_prefix).count(), 1, "{prefix}");
        }
        for range in PREFIX_RANGES.iter() {
            assert!(range.from.len() == range.to.len() && range.from <= range.to, "{}", range.from);
        }
    }

    #[test]
    fn every_state_has_a_prefix_and_every_location_a_name() {
        let locations = || PREFIX_RANGES.iter().filter_map(|range| range.location);
        let regions_of = |country: &str| -> BTreeSet<&str> {
            locations()
                .filter(|location| location.country == country)
                .filter_map(|location| location.region)
                .collect()
        };
        // 50 states, the District of Columbia, 5 territories, 3 armed forces; 13 provinces and
        // territories.
        assert_eq!((regions_of("US").len(), regions_of("CA").len()), (59, 13));
        for location in locations() {
            assert!(find_country(location.country).is_some(), "{location:?}");
            let has_name = location.region.is_none_or(|region| find_state(region).is_some());
            assert!(has_name, "{location:?}");
        }
    }

    #[test]
    fn code_round_trips_through_json_and_is_validated() {
        let code = ZipCode::parse("93101").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), r#""93101""#);
        assert_eq!(serde_json::from_str::<ZipCode>(r#""93101""#).unwrap(), code);
        assert!(serde_json::from_str::<ZipCode>(r#""931""#).is_err());
    }
}
