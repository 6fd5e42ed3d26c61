//! CallerLocation of a caller: the sources that it is known from, and its comparison with regions.

use super::{Location, ZipCode, country_of_number, locate_area_code};
use crate::phone::PhoneNumber;
use crate::region::{
    Country, Region, RegionType, find_country, find_state, find_us_territory, is_same_place_name,
};
use serde::{Deserialize, Serialize};

/// Returns the location of a number: by area code in North America, elsewhere the country of its
/// calling code. `None` for numbers that identify no caller ([`PhoneNumber::is_placeholder`]).
pub fn locate_number(number: &PhoneNumber) -> Option<Location> {
    if number.is_placeholder() {
        return None;
    }
    let country = || country_of_number(number).map(|country| Location { country, region: None });
    locate_area_code(number).or_else(country)
}

/// Country and state as texts, stored with a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLocation {
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<String>,
    /// Postal abbreviation of the state or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl From<Location> for StoredLocation {
    fn from(location: Location) -> Self {
        Self {
            country: Some(location.country.to_owned()),
            region: location.region.map(str::to_owned),
        }
    }
}

/// Locations derived from the facts of a call by the tables of the server at its start. They are
/// stored with the call, so that a later change of a table does not change its decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivedLocations {
    /// Location of a reported postal code; without a country if the code is not assigned. `None`
    /// if no postal code was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<StoredLocation>,
    /// Location of the calling number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<StoredLocation>,
}

impl DerivedLocations {
    /// Derives the locations from the calling number and the reported postal code.
    pub(super) fn derive(number: Option<&PhoneNumber>, zip: Option<&str>) -> Self {
        let zip = zip.and_then(ZipCode::parse);
        Self {
            zip: zip.map(|zip| zip.location().map(StoredLocation::from).unwrap_or_default()),
            number: number.and_then(locate_number).map(StoredLocation::from),
        }
    }
}

/// Sources of a caller's location among the facts of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocationSources<'a> {
    pub(super) country: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) city: Option<&'a str>,
    pub(super) derived: Option<&'a DerivedLocations>,
}

/// Known place of a caller, by code or, if no table has it, as reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallerLocation<'a> {
    /// Country.
    pub country: Option<&'a str>,
    /// State or province.
    pub region: Option<&'a str>,
    /// City.
    pub city: Option<&'a str>,
}

impl<'a> CallerLocation<'a> {
    /// Returns the place of a caller from the best source: the reported region, the reported or
    /// entered postal code, the calling number. A reported country that contradicts the source
    /// takes precedence, and no region is known then.
    pub(super) fn resolve(sources: LocationSources<'a>, entered: Option<Location>) -> Self {
        let city = sources.city;
        let Some(derived) = sources.derived else {
            return Self { city, ..Self::resolve_early(sources, entered) };
        };
        let stored = |location: &'a StoredLocation| Self {
            country: location.country.as_deref(),
            region: location.region.as_deref(),
            city,
        };
        let zip = || derived.zip.as_ref().filter(|zip| zip.country.is_some()).map(stored);
        let number = || derived.number.as_ref().map(stored);
        let reported = sources.region.map(|region| match find_state(region) {
            Some(state) => Self { country: Some(state.country), region: Some(state.code), city },
            // No table has the region: only the other sources determine the country.
            None => {
                let other = || zip().or_else(number).and_then(|place| place.country);
                let country = if sources.country.is_none() { other() } else { None };
                Self { country, region: Some(region), city }
            }
        });
        let entered =
            || entered.map(|at| Self { country: Some(at.country), region: at.region, city });
        let best = reported.or_else(zip).or_else(entered).or_else(number);
        let best = best.unwrap_or(Self { city, ..Self::default() });
        match sources.country {
            Some(country) => best.with_reported_country(country),
            None => best,
        }
    }

    /// Returns the place of a caller whose call was stored before locations were stored apart from
    /// the reported facts. The region was then merged into the facts at the start of the call.
    fn resolve_early(sources: LocationSources<'a>, entered: Option<Location>) -> Self {
        let entered_region = entered.and_then(|location| location.region);
        Self {
            country: entered.map(|location| location.country).or(sources.country),
            region: sources.region.or(entered_region),
            city: None,
        }
    }

    /// Applies a reported country. It only has to agree with the country known; otherwise it takes
    /// precedence and no region is known.
    fn with_reported_country(self, text: &'a str) -> Self {
        let known = find_country(text);
        let territory = known.and_then(find_us_territory);
        let (country, territory) = match (territory, known) {
            (Some(territory), _) => (territory.country, Some(territory.code)),
            (None, Some(known)) => (known.code, None),
            (None, None) => (text, None),
        };
        let agrees = self.country.is_none_or(|known| known == country)
            && (territory.is_none() || self.region.is_none() || self.region == territory);
        let region = territory.or(self.region.filter(|_| agrees));
        Self { country: Some(country), region, ..self }
    }

    /// Returns true if the place is in a region; `None` if it is not known well enough.
    pub(super) fn is_in(&self, region: &Region) -> Option<bool> {
        let value = region.value.as_str();
        match region.region_type {
            RegionType::Country => self.is_in_country(value),
            RegionType::State => self.is_in_state(value),
            RegionType::City => {
                let (city, state) = value.rsplit_once(',').unwrap_or((value, ""));
                let in_city = self.city.map(|known| is_same_place_name(known, city));
                let in_state = match state.trim() {
                    "" => Some(true),
                    state => self.is_in_state(state),
                };
                and(in_city, in_state)
            }
            // The source documents do not define the contents of a zone, so membership is unknown.
            RegionType::Zone => None,
        }
    }

    fn is_in_country(&self, value: &str) -> Option<bool> {
        let own = match self.country {
            Some(country) => country,
            None => find_state(self.region?)?.country,
        };
        let (Some(known), Some(named)) = (find_country(own), find_country(value)) else {
            // A country that no table has equals itself. Nothing else is known about it.
            return is_same_place_name(own, value).then_some(true);
        };
        if known == named {
            return Some(true);
        }
        // A territory of the United States is a part of it, and a country in its own right.
        let is_part = |whole: Country, part: Country| {
            find_us_territory(part).filter(|territory| territory.country == whole.code)
        };
        match (is_part(known, named), is_part(named, known)) {
            (Some(territory), _) => find_state(self.region?).map(|state| state == territory),
            (None, Some(_)) => Some(true),
            (None, None) => Some(false),
        }
    }

    fn is_in_state(&self, value: &str) -> Option<bool> {
        let named = find_state(value);
        let known = self.region.and_then(find_state);
        match (known, named) {
            (Some(known), Some(named)) => Some(known == named),
            (None, Some(named)) => {
                // A caller in another country is in no state of this one.
                let country = find_country(self.country?)?;
                let is_elsewhere =
                    country.code != named.country && find_us_territory(country).is_none();
                is_elsewhere.then_some(false)
            }
            (_, None) => is_same_place_name(self.region?, value).then_some(true),
        }
    }
}

/// Kleene conjunction of two values.
fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
