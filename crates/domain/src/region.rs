//! Named regions: lists of places to which a campaign gives a name.

mod countries;
mod lookup;
mod states;

pub use lookup::{Country, State, find_country, find_state, find_us_territory};

use crate::text;
use serde::{Deserialize, Serialize};
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
            RegionType::State => find_state(&self.value).map(|state| state.name.into()),
            RegionType::Country => find_country(&self.value).map(|country| country.name.into()),
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

/// Returns true if two names of places are equal, in any case. White space around them is ignored.
pub fn is_same_place_name(one: &str, other: &str) -> bool {
    lookup::is_same_name(text::trim_plain_text(one), text::trim_plain_text(other))
}

/// Converts `Sacramento, CA` to `Sacramento, California`. Returns `None` if the city is blank or
/// the state is unknown.
fn full_city_name(value: &str) -> Option<String> {
    let (city, state) = value.rsplit_once(',')?;
    let state = find_state(state)?.name;
    let city = city.trim();
    (!city.is_empty()).then(|| format!("{city}, {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (Country, "UK", "United Kingdom", true),
            (Country, "USA", "United States", true),
            (Country, "PR", "Puerto Rico", true),
            (State, "US-NY", "New York", true),
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
    fn names_of_places_are_compared_in_any_case() {
        assert!(is_same_place_name("S\u{c3}O Paulo", "s\u{e3}o paulo "));
        assert!(is_same_place_name("new\u{a0}york", "New York"));
        assert!(!is_same_place_name("CA", "California"));
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
