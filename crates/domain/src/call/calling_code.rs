//! Countries of phone numbers outside North America by calling code.

use crate::phone::PhoneNumber;
use std::sync::LazyLock;

/// Table of calling codes. Line format: `country codes…`. The source is named in the file.
const TABLE: &str = include_str!("../../data/calling_codes.txt");

/// Maximum number of digits of a calling code.
const MAX_CALLING_CODE_DIGITS: usize = 3;

static COUNTRIES_BY_CALLING_CODE: LazyLock<Vec<Option<&str>>> = LazyLock::new(|| {
    let mut countries = vec![None; 1_000];
    for (country, codes) in table_lines() {
        for code in codes {
            let code = code.parse().ok();
            if let Some(slot) = code.and_then(|code: usize| countries.get_mut(code)) {
                *slot = Some(country);
            }
        }
    }
    countries
});

/// Returns the country of a number by its calling code, as an ISO 3166-1 alpha-2 code. A calling
/// code of several countries has its main one: `GB` for 44. `None` for code 1, whose countries are
/// told apart by area code, and for codes of global services.
pub fn country_of_number(number: &PhoneNumber) -> Option<&'static str> {
    let digits = number.e164().trim_start_matches('+');
    // No calling code is the beginning of another one.
    (1..=MAX_CALLING_CODE_DIGITS).find_map(|length| {
        let code: usize = digits.get(..length)?.parse().ok()?;
        *COUNTRIES_BY_CALLING_CODE.get(code)?
    })
}

/// Splits a number into its calling code and the national number. `None` if the calling code is not
/// known.
pub fn split_calling_code(number: &PhoneNumber) -> Option<(&str, &str)> {
    let digits = number.e164().trim_start_matches('+');
    if let Some(national) = digits.strip_prefix('1') {
        return Some(("1", national));
    }
    (1..=MAX_CALLING_CODE_DIGITS).find_map(|length| {
        let code: usize = digits.get(..length)?.parse().ok()?;
        COUNTRIES_BY_CALLING_CODE.get(code).copied().flatten().map(|_| digits.split_at(length))
    })
}

/// Parses the table. Yields each country with its calling codes.
fn table_lines() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::find_country;

    #[test]
    fn numbers_have_the_main_country_of_their_calling_code() {
        for (number, country) in [
            ("+442071838750", Some("GB")),
            ("+441481960194", Some("GB")),
            ("+33123456789", Some("FR")),
            ("+79161234567", Some("RU")),
            ("+35812345678", Some("FI")),
            ("+38344123456", Some("XK")),
            ("+247628890", Some("SH")),
            ("+390612345678", Some("IT")),
            ("+8835100123456", None),
            ("+18057089876", None),
        ] {
            let number = PhoneNumber::parse(number);
            assert_eq!(number.as_ref().and_then(country_of_number), country, "{number:?}");
        }
    }

    #[test]
    fn calling_codes_are_distinct_and_their_countries_known() {
        let mut codes: Vec<&str> = Vec::new();
        for (country, country_codes) in table_lines() {
            assert_eq!(find_country(country).map(|known| known.code), Some(country));
            codes.extend(country_codes);
        }
        assert!(codes.len() > 200);
        for (index, code) in codes.iter().enumerate() {
            let others = codes.iter().enumerate().filter(|(other, _)| *other != index);
            for (_, other) in others {
                assert!(!other.starts_with(code), "{code} begins {other}");
            }
        }
    }
}
