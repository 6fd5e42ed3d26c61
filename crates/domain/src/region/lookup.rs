//! Lookup of countries and states by code or English name. Conditions run these lookups for every
//! call, so they do not allocate, and a two-letter code is an index into a table.

use super::countries::COUNTRIES;
use super::states::{PROVINCES, US_STATES, US_TERRITORIES};
use crate::text::{case_folded, trim_plain_text};
use std::sync::LazyLock;

/// Names of countries besides those of ISO 3166-1, each with its alpha-2 code.
const OTHER_COUNTRY_NAMES: [(&str, &str); 2] =
    [("United States of America", "US"), ("Great Britain", "GB")];

/// State or territory of the United States, or province or territory of Canada.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Two-letter postal code: `CA`, `ON`.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// Alpha-2 code of the country: `US` or `CA`.
    pub country: &'static str,
}

/// Country of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Alpha-2 code.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
}

/// Table with one entry for each pair of letters.
type LetterPairTable<T> = LazyLock<Vec<Option<T>>>;

static STATES_BY_CODE: LetterPairTable<State> = LazyLock::new(|| {
    let states = US_STATES.iter().map(|state| (state, "US"));
    let provinces = PROVINCES.iter().map(|province| (province, "CA"));
    let all = states.chain(provinces);
    letter_pair_table(all.map(|((code, name), country)| (*code, State { code, name, country })))
});

static COUNTRIES_BY_CODE: LetterPairTable<Country> = LazyLock::new(|| {
    let all = COUNTRIES.iter().map(|(code, _, name)| (*code, Country { code, name }));
    let mut table = letter_pair_table(all);
    // The United Kingdom has the code GB. UK is reserved for it and in common use.
    let united_kingdom = pair_index("GB").and_then(|index| *table.get(index)?);
    if let Some(slot) = pair_index("UK").and_then(|index| table.get_mut(index)) {
        *slot = united_kingdom;
    }
    table
});

fn letter_pair_table<T: Clone>(entries: impl Iterator<Item = (&'static str, T)>) -> Vec<Option<T>> {
    let mut table = vec![None; 26 * 26];
    for (code, entry) in entries {
        if let Some(slot) = pair_index(code).and_then(|index| table.get_mut(index)) {
            *slot = Some(entry);
        }
    }
    table
}

/// Returns the index of a two-letter code, in any case, in a table of all pairs of letters.
fn pair_index(code: &str) -> Option<usize> {
    let [first, second] = code.as_bytes() else { return None };
    let letter = |byte: &u8| {
        byte.is_ascii_alphabetic().then(|| usize::from(byte.to_ascii_uppercase() - b'A'))
    };
    Some(letter(first)? * 26 + letter(second)?)
}

/// Finds a state by its postal code (`CA`), its ISO 3166-2 code (`US-CA`) or its English name, in
/// any case. White space around the text is ignored.
pub fn find_state(text: &str) -> Option<State> {
    if let Some(index) = pair_index(text) {
        return *STATES_BY_CODE.get(index)?;
    }
    let text = trim_plain_text(text);
    if let Some((country, code)) = text.split_once('-').filter(|(country, _)| country.len() == 2) {
        return find_state(code).filter(|state| state.country.eq_ignore_ascii_case(country));
    }
    match pair_index(text) {
        Some(index) => *STATES_BY_CODE.get(index)?,
        None => {
            STATES_BY_CODE.iter().flatten().find(|state| is_same_name(state.name, text)).copied()
        }
    }
}

/// Finds a country by its alpha-2 or alpha-3 code, its English name, or `UK`, in any case. White
/// space around the text is ignored.
pub fn find_country(text: &str) -> Option<Country> {
    if let Some(index) = pair_index(text) {
        return *COUNTRIES_BY_CODE.get(index)?;
    }
    let text = trim_plain_text(text);
    if let Some(index) = pair_index(text) {
        return *COUNTRIES_BY_CODE.get(index)?;
    }
    let is_match = |(_, alpha_3, name): &&(&str, &str, &str)| {
        alpha_3.eq_ignore_ascii_case(text) || is_same_name(name, text)
    };
    let other = || OTHER_COUNTRY_NAMES.iter().find(|(name, _)| is_same_name(name, text));
    let listed = COUNTRIES.iter().find(is_match).map(|(code, ..)| *code);
    find_country(listed.or_else(|| other().map(|(_, code)| *code))?)
}

/// Finds a territory of the United States by its country code, such as `PR`. A territory is a state
/// and a country in its own right.
pub fn find_us_territory(country: Country) -> Option<State> {
    US_TERRITORIES.contains(&country.code).then(|| find_state(country.code))?
}

/// Returns true if two names are equal, in any case, after normalization.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    case_folded(one).eq(case_folded(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_found_by_code_and_name() {
        for (text, expected) in [
            ("CA", Some(("CA", "US"))),
            (" ca ", Some(("CA", "US"))),
            ("California", Some(("CA", "US"))),
            ("new\u{a0}york", Some(("NY", "US"))),
            ("US-NY", Some(("NY", "US"))),
            ("us-ny", Some(("NY", "US"))),
            ("CA-ON", Some(("ON", "CA"))),
            ("US-ON", None),
            ("ON", Some(("ON", "CA"))),
            ("Ontario", Some(("ON", "CA"))),
            ("PR", Some(("PR", "US"))),
            ("Puerto Rico", Some(("PR", "US"))),
            ("ZZ", None),
            ("Bavaria", None),
            ("", None),
            ("-", None),
            ("é", None),
        ] {
            let found = find_state(text).map(|state| (state.code, state.country));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn countries_are_found_by_code_and_name() {
        for (text, expected) in [
            ("US", Some("US")),
            ("usa", Some("US")),
            (" USA ", Some("US")),
            ("United States", Some("US")),
            ("united states of america", Some("US")),
            ("UK", Some("GB")),
            ("uk ", Some("GB")),
            ("GBR", Some("GB")),
            ("Great Britain", Some("GB")),
            ("C\u{d4}TE D'IVOIRE", Some("CI")),
            ("DEU", Some("DE")),
            ("XK", Some("XK")),
            ("PR", Some("PR")),
            ("XX", None),
            ("ZZZ", None),
            ("Atlantis", None),
            ("", None),
        ] {
            assert_eq!(find_country(text).map(|country| country.code), expected, "{text:?}");
        }
    }

    #[test]
    fn territories_are_states_of_the_united_states_and_countries() {
        for territory in US_TERRITORIES {
            let country = find_country(territory).unwrap();
            let state = find_us_territory(country).unwrap();
            assert_eq!((state.code, state.country), (territory, "US"));
        }
        assert_eq!(find_us_territory(find_country("US").unwrap()), None);
    }

    #[test]
    fn codes_and_names_are_unique() {
        let codes = |table: &[(&'static str, &'static str)]| -> Vec<[&'static str; 2]> {
            table.iter().map(|(code, name)| [*code, *name]).collect()
        };
        let states = [codes(&US_STATES), codes(&PROVINCES)].concat();
        let countries: Vec<_> = COUNTRIES.iter().map(|(code, _, name)| [*code, *name]).collect();
        let alpha_3: Vec<_> =
            COUNTRIES.iter().map(|(code, alpha_3, _)| [*alpha_3, *code]).collect();
        for table in [states, countries, alpha_3] {
            for column in 0..2 {
                let values: std::collections::HashSet<_> =
                    table.iter().map(|row| row[column]).collect();
                assert_eq!(values.len(), table.len());
            }
            for [code, name] in table {
                assert!((2..=3).contains(&code.len()), "{code}");
                assert!(code.bytes().all(|byte| byte.is_ascii_uppercase()), "{code}");
                assert_eq!(name.trim(), name);
            }
        }
    }
}
