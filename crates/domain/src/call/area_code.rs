//! Where a North American number is from, by its area code.

use crate::phone::PhoneNumber;
use std::sync::LazyLock;

/// `country state codes…` a line; the file says where it comes from.
const TABLE: &str = include_str!("../../data/area_codes.txt");

/// A country and, where the code says it, a state or province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// As the postal services write it: `CA`, `ON`.
    pub region: Option<&'static str>,
}

/// Where a number is from; `None` for toll-free numbers and for those of other countries.
pub fn place_of(number: &PhoneNumber) -> Option<Place> {
    static PLACES: LazyLock<Vec<Option<Place>>> = LazyLock::new(|| {
        let mut places = vec![None; 1_000];
        for (place, codes) in lines() {
            for code in codes {
                if let Some(known) = code.parse().ok().and_then(|code: usize| places.get_mut(code))
                {
                    *known = known.or(Some(place));
                }
            }
        }
        places
    });
    let code: usize = number.area_code()?.parse().ok()?;
    *PLACES.get(code)?
}

/// The area codes of a state or province; without one, those that several share. None where there is
/// no such place.
pub fn area_codes(country: &str, region: Option<&str>) -> Vec<&'static str> {
    let of = lines().filter(|(place, _)| place.country == country && place.region == region);
    of.flat_map(|(_, codes)| codes).collect()
}

/// The table's lines: a place and its area codes.
pub(super) fn lines() -> impl Iterator<Item = (Place, impl Iterator<Item = &'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        let country = words.next()?;
        let region = Some(words.next()?).filter(|region| *region != "-");
        Some((Place { country, region }, words))
    })
}
