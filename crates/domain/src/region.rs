//! Named regions: lists of places to which a campaign gives a name.

mod countries;
mod states;

use crate::text;
use countries::COUNTRIES;
use serde::{Deserialize, Serialize};
use states::STATES;
use std::borrow::Cow;

/// Kind of a region (`region_type` in the advertiser campaigns document of 2015-05-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RegionType {
    /// A place that only the network can resolve, such as a sales territory.
    Zone,
    /// A city with its state: `Sacramento, CA`.
    City,
    /// A state or territory of the United States, or a province or territory of Canada.
    State,
    /// A country of ISO 3166-1.
    Country,
}

impl RegionType {
    /// Parses the wire value. Case-sensitive.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Zone" => Some(Self::Zone),
            "City" => Some(Self::City),
            "State" => Some(Self::State),
            "Country" => Some(Self::Country),
            _ => None,
        }
    }

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zone => "Zone",
            Self::City => "City",
            Self::State => "State",
            Self::Country => "Country",
        }
    }
}

/// One place of a named region, as sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Region {
    /// Kind of the place.
    pub region_type: RegionType,
    /// The place: `CA`, `US`, `Sacramento, CA`. States and countries by code or English name.
    pub value: String,
}

impl Region {
    /// The full name, which is the `text` of a response: `California` for `CA`, `Sacramento,
    /// California` for `Sacramento, CA`. An unrecognized value is returned as it is.
    pub fn display_name(&self) -> String {
        self.full_name().map_or_else(|| self.value.clone(), Cow::into_owned)
    }

    /// Returns true if the value is recognized: a state or country of the tables, a city with such
    /// a state, or a zone that is not blank.
    pub fn is_recognized(&self) -> bool {
        self.full_name().is_some()
    }

    fn full_name(&self) -> Option<Cow<'_, str>> {
        match self.region_type {
            RegionType::Zone => (!text::is_blank(&self.value)).then(|| self.value.as_str().into()),
            RegionType::City => full_city_name(&self.value).map(Cow::from),
            RegionType::State => name_by_code_or_name(&STATES, &self.value).map(Cow::from),
            RegionType::Country => name_by_code_or_name(&COUNTRIES, &self.value).map(Cow::from),
        }
    }
}

/// List of places with a name that conditions refer to: `in_region[West Coast]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamedRegion {
    /// Name, unique in the campaign.
    pub name: String,
    /// Places. A caller in any of them is in the region.
    pub regions: Vec<Region>,
}

impl NamedRegion {
    /// Returns true if `name`, taken from a condition, is the name of this region. The parser
    /// normalizes and trims the names in a condition ([`text::normalize_plain_text`]), so this comparison does the
    /// same to the region's name.
    pub fn has_name(&self, name: &str) -> bool {
        // Runs for every call. Most names are equal byte by byte or differ in the first one.
        let first_byte = |name: &str| name.bytes().next().filter(u8::is_ascii_graphic);
        if let (Some(this), Some(other)) = (first_byte(&self.name), first_byte(name))
            && this != other
        {
            return false;
        }
        if self.name == name {
            return true;
        }
        let normalize =
            |name| text::trim_plain_text(name).chars().filter_map(text::normalize_plain_char);
        normalize(&self.name).eq(normalize(name))
    }
}

/// Returns the English name of a state, province or territory of the United States or Canada:
/// `California` for `CA`. The argument is a two-letter postal code, in any case.
pub fn state_name(code: &str) -> Option<&'static str> {
    name_by_code(&STATES, code)
}

/// Returns the English name of a country: `United States` for `US`. The argument is an ISO 3166-1
/// alpha-2 code, in any case.
pub fn country_name(code: &str) -> Option<&'static str> {
    name_by_code(&COUNTRIES, code)
}

/// Returns true if two texts denote the same state, each by code or English name, in any case.
pub fn is_same_state(one: &str, other: &str) -> bool {
    is_same_place(&STATES, one, other)
}

/// Returns true if two texts denote the same country, each by code or English name, in any case.
pub fn is_same_country(one: &str, other: &str) -> bool {
    is_same_place(&COUNTRIES, one, other)
}

/// Returns true if two city names are equal, in any case.
pub fn is_same_city(one: &str, other: &str) -> bool {
    is_same_place(&[], one, other)
}

/// Table of (code, English name) pairs.
type PlaceTable = [(&'static str, &'static str)];

fn name_by_code(places: &PlaceTable, code: &str) -> Option<&'static str> {
    places.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, name)| *name)
}

/// Compares two places. Runs for every call and every place of a region, so it allocates nothing
/// and compares two codes, the usual case, as integers.
fn is_same_place(places: &PlaceTable, one: &str, other: &str) -> bool {
    if let (Some(one), Some(other)) = (packed_code(one), packed_code(other))
        && (one == other || one | CASE_BITS != other | CASE_BITS)
    {
        return one == other;
    }
    let full_name = |text| {
        let text = text::trim_plain_text(text);
        text::case_folded(name_by_code(places, text).unwrap_or(text))
    };
    full_name(one).eq(full_name(other))
}

/// Bits that distinguish upper and lower case, in both bytes of a packed code.
const CASE_BITS: u16 = 0x2020;

/// Packs a text of two bytes in the range 0x40–0x7F into an integer. The range has all ASCII letters
/// and neither white space nor parts of multi-byte characters.
fn packed_code(text: &str) -> Option<u16> {
    let bytes = text.as_bytes().try_into().ok()?;
    Some(u16::from_ne_bytes(bytes)).filter(|code| code & 0xc0c0 == 0x4040)
}

fn name_by_code_or_name(places: &PlaceTable, value: &str) -> Option<&'static str> {
    let value = text::normalize_plain_text(value);
    let value = value.trim();
    let by_name = || places.iter().find(|(_, name)| name.eq_ignore_ascii_case(value));
    name_by_code(places, value).or_else(|| by_name().map(|(_, name)| *name))
}

/// Converts `Sacramento, CA` to `Sacramento, California`. Returns `None` if the city is blank or
/// the state is unknown.
fn full_city_name(value: &str) -> Option<String> {
    let (city, state) = value.rsplit_once(',')?;
    let state = name_by_code_or_name(&STATES, state)?;
    let city = city.trim();
    (!city.is_empty()).then(|| format!("{city}, {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn region(region_type: RegionType, value: &str) -> Region {
        Region { region_type, value: value.to_owned() }
    }

    #[test]
    fn region_is_displayed_with_its_full_name() {
        use RegionType::{City, Country, State, Zone};
        for (region_type, value, text, known) in [
            (State, "CA", "California", true),
            (State, " ca ", "California", true),
            (State, "California", "California", true),
            (State, "DC", "District of Columbia", true),
            (State, "PR", "Puerto Rico", true),
            (State, "QC", "Quebec", true),
            (State, "ZZ", "ZZ", false),
            (State, "", "", false),
            (Country, "US", "United States", true),
            (Country, "United States", "United States", true),
            (Country, "GB", "United Kingdom", true),
            (Country, "Atlantis", "Atlantis", false),
            (City, "Sacramento, CA", "Sacramento, California", true),
            (City, "Sacramento,CA", "Sacramento, California", true),
            (City, "Sacramento, California", "Sacramento, California", true),
            (City, "Sacramento", "Sacramento", false),
            (City, ", CA", ", CA", false),
            (City, "Paris, ZZ", "Paris, ZZ", false),
            (Zone, "West", "West", true),
            (Zone, " ", " ", false),
        ] {
            let region = region(region_type, value);
            assert_eq!(region.display_name(), text, "{region:?}");
            assert_eq!(region.is_recognized(), known, "{region:?}");
        }
    }

    #[test]
    fn codes_and_names_are_unique_in_each_table() {
        for places in [&STATES[..], &COUNTRIES[..]] {
            let codes: HashSet<_> = places.iter().map(|(code, _)| code).collect();
            let names: HashSet<_> = places.iter().map(|(_, name)| name).collect();
            assert_eq!((codes.len(), names.len()), (places.len(), places.len()));
            for (code, name) in places {
                assert!(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()), "{code}");
                assert_eq!(name.trim(), *name);
            }
        }
    }

    #[test]
    fn names_are_found_by_code() {
        assert_eq!(state_name("NY"), Some("New York"));
        assert_eq!(state_name("New York"), None);
        assert_eq!(country_name("CI"), Some("Côte d'Ivoire"));
        assert_eq!(country_name("XX"), None);
    }

    #[test]
    fn places_are_compared_by_code_or_name() {
        for (one, other, same) in [
            ("CA", "ca", true),
            ("CA", " California\u{a0}", true),
            ("new\u{a0}york", "NY", true),
            ("QC", "Qu\u{e9}bec", false),
            ("CA", "CO", false),
            ("California", "CO", false),
            ("Zz", "ZZ", true),
            ("é", "É", true),
            ("ā", "Ā", true),
            ("@A", "`A", false),
            (" A", "A ", true),
            ("Elsewhere", "ELSEWHERE", true),
        ] {
            assert_eq!(is_same_state(one, other), same, "{one:?} {other:?}");
            assert_eq!(is_same_state(other, one), same, "{other:?} {one:?}");
        }
        assert!(
            is_same_country("CI", "C\u{d4}TE D'IVOIRE") && is_same_country("us", "United States")
        );
        assert!(!is_same_country("US", "CA") && !is_same_country("US", "California"));
        assert!(
            is_same_city("S\u{c3}O Paulo", "s\u{e3}o paulo ") && !is_same_city("CA", "California")
        );
    }

    #[test]
    fn region_types_round_trip_through_the_wire() {
        for word in ["Zone", "City", "State", "Country"] {
            let region_type = RegionType::parse(word).unwrap();
            assert_eq!(region_type.as_str(), word);
            assert_eq!(serde_json::to_value(region_type).unwrap(), word);
        }
        assert_eq!(RegionType::parse("state"), None);
    }

    #[test]
    fn named_region_round_trips_through_json() {
        let regions = vec![region(RegionType::State, "CA"), region(RegionType::Zone, "West")];
        let named = NamedRegion { name: "West Coast".to_owned(), regions };
        let json = serde_json::to_value(&named).unwrap();
        assert_eq!(json["regions"][0], serde_json::json!({"region_type": "State", "value": "CA"}));
        assert_eq!(serde_json::from_value::<NamedRegion>(json).unwrap(), named);
    }
}
