//! Locations of North American phone numbers by area code.

use crate::phone::PhoneNumber;
use std::sync::LazyLock;

/// Table of area codes. Line format: `country state codes…`. The source is named in the file.
const TABLE: &str = include_str!("../../data/area_codes.txt");

/// Country and, if known, state or province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'static str,
    /// Postal abbreviation: `CA`, `ON`.
    pub region: Option<&'static str>,
}

/// Returns the location of a number by its area code; `None` for toll-free numbers and numbers
/// outside North America.
pub fn locate_number(number: &PhoneNumber) -> Option<Location> {
    static LOCATIONS_BY_CODE: LazyLock<Vec<Option<Location>>> = LazyLock::new(|| {
        let mut locations = vec![None; 1_000];
        for (location, codes) in table_lines() {
            for code in codes {
                let code = code.parse().ok();
                if let Some(slot) = code.and_then(|code: usize| locations.get_mut(code)) {
                    *slot = slot.or(Some(location));
                }
            }
        }
        locations
    });
    let code: usize = number.area_code()?.parse().ok()?;
    *LOCATIONS_BY_CODE.get(code)?
}

/// Returns the area codes of a state or province; without a region, the codes that several regions
/// of the country share. Empty for an unknown location.
pub fn area_codes_of(country: &str, region: Option<&str>) -> Vec<&'static str> {
    let matching = table_lines()
        .filter(|(location, _)| location.country == country && location.region == region);
    matching.flat_map(|(_, codes)| codes).collect()
}

/// Parses the table. Yields each location with its area codes.
pub(super) fn table_lines() -> impl Iterator<Item = (Location, impl Iterator<Item = &'static str>)>
{
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        let country = words.next()?;
        let region = Some(words.next()?).filter(|region| *region != "-");
        Some((Location { country, region }, words))
    })
}
