//! Named regions: the places a campaign calls by a name of its own.

mod countries;
mod states;

use crate::text;
use countries::COUNTRIES;
use serde::{Deserialize, Serialize};
use states::STATES;
use std::borrow::Cow;

/// What kind of place a region is (`seeds/004`, `region_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RegionType {
    /// A place with a name that only the network knows.
    Zone,
    /// A city and its state: `Sacramento, CA`.
    City,
    /// A state or territory of the United States, or a province or territory of Canada.
    State,
    /// A country of ISO 3166-1.
    Country,
}

impl RegionType {
    /// Reads the wire's word, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Zone" => Some(Self::Zone),
            "City" => Some(Self::City),
            "State" => Some(Self::State),
            "Country" => Some(Self::Country),
            _ => None,
        }
    }

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zone => "Zone",
            Self::City => "City",
            Self::State => "State",
            Self::Country => "Country",
        }
    }
}

/// One place of a named region, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Region {
    /// What kind of place it is.
    pub region_type: RegionType,
    /// The place: `CA`, `US`, `Sacramento, CA`; states and countries by code or English name.
    pub value: String,
}

impl Region {
    /// The region in words, the `text` of a response: `CA` is `California`, `Sacramento, CA` is
    /// `Sacramento, California`. A value that is not known is its own text.
    pub fn text(&self) -> String {
        self.words().map_or_else(|| self.value.clone(), Cow::into_owned)
    }

    /// Whether the value means a place: a state or country of the tables, a city with such a
    /// state, or for a zone, anything but blank.
    pub fn is_known(&self) -> bool {
        self.words().is_some()
    }

    fn words(&self) -> Option<Cow<'_, str>> {
        match self.region_type {
            RegionType::Zone => (!text::is_blank(&self.value)).then(|| self.value.as_str().into()),
            RegionType::City => city_name(&self.value).map(Cow::from),
            RegionType::State => by_code_or_name(&STATES, &self.value).map(Cow::from),
            RegionType::Country => by_code_or_name(&COUNTRIES, &self.value).map(Cow::from),
        }
    }
}

/// Places under one name, which conditions use: `in_region[West Coast]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamedRegion {
    /// The name, unique in its campaign.
    pub name: String,
    /// The places; a caller in any one of them is in the region.
    pub regions: Vec<Region>,
}

impl NamedRegion {
    /// Whether a condition's name means this region. Conditions are read as plain text
    /// ([`text::plain`]) and their names trimmed, so the region's own name is read so too.
    pub fn is_called(&self, name: &str) -> bool {
        // Asked for every call: most names are the same to the byte, or differ at once.
        let first = |name: &str| name.bytes().next().filter(u8::is_ascii_graphic);
        if let (Some(this), Some(other)) = (first(&self.name), first(name))
            && this != other
        {
            return false;
        }
        if self.name == name {
            return true;
        }
        let plain = |name| text::trimmed(name).chars().filter_map(text::plain_char);
        plain(&self.name).eq(plain(name))
    }
}

/// The English name of a state, province or territory of the United States or Canada by its
/// two-letter postal code, in any case: `CA` is `California`.
pub fn state_name(code: &str) -> Option<&'static str> {
    by_code(&STATES, code)
}

/// The English name of a country by its ISO 3166-1 alpha-2 code, in any case: `US` is
/// `United States`.
pub fn country_name(code: &str) -> Option<&'static str> {
    by_code(&COUNTRIES, code)
}

/// Whether two words mean the same state, each by its code or its English name, in any case.
pub fn is_same_state(one: &str, other: &str) -> bool {
    is_same(&STATES, one, other)
}

/// Whether two words mean the same country, each by its code or its English name, in any case.
pub fn is_same_country(one: &str, other: &str) -> bool {
    is_same(&COUNTRIES, one, other)
}

/// Whether two words are the same, in any case.
pub fn is_same_city(one: &str, other: &str) -> bool {
    is_same(&[], one, other)
}

type Places = [(&'static str, &'static str)];

fn by_code(places: &Places, code: &str) -> Option<&'static str> {
    places.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, name)| *name)
}

/// Asked for every call, place by place: most are two codes, and nothing is allocated.
fn is_same(places: &Places, one: &str, other: &str) -> bool {
    if let (Some(this), Some(that)) = (code(one), code(other))
        && (this == that || this | CASE != that | CASE)
    {
        return this == that;
    }
    let (one, other) = (text::trimmed(one), text::trimmed(other));
    let in_full = |word| text::folded(by_code(places, word).unwrap_or(word));
    in_full(one).eq(in_full(other))
}

/// What a letter's case is, in both bytes of a code.
const CASE: u16 = 0x2020;

/// Two bytes that are letters, or at least no blanks and not part of any other character.
fn code(word: &str) -> Option<u16> {
    let bytes = word.as_bytes().try_into().ok()?;
    Some(u16::from_ne_bytes(bytes)).filter(|code| code & 0xc0c0 == 0x4040)
}

fn by_code_or_name(places: &Places, value: &str) -> Option<&'static str> {
    let value = text::plain(value);
    let value = value.trim();
    let by_name = || places.iter().find(|(_, name)| name.eq_ignore_ascii_case(value));
    by_code(places, value).or_else(|| by_name().map(|(_, name)| *name))
}

/// `Sacramento, CA` as `Sacramento, California`; `None` when the city is blank or the state not
/// known.
fn city_name(value: &str) -> Option<String> {
    let (city, state) = value.rsplit_once(',')?;
    let state = by_code_or_name(&STATES, state)?;
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
    fn a_region_reads_in_words() {
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
            assert_eq!(region.text(), text, "{region:?}");
            assert_eq!(region.is_known(), known, "{region:?}");
        }
    }

    #[test]
    fn the_tables_have_each_code_and_name_once() {
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
    fn codes_have_names() {
        assert_eq!(state_name("NY"), Some("New York"));
        assert_eq!(state_name("New York"), None);
        assert_eq!(country_name("CI"), Some("Côte d'Ivoire"));
        assert_eq!(country_name("XX"), None);
    }

    #[test]
    fn places_are_the_same_by_code_or_name() {
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
    fn types_keep_their_words() {
        for word in ["Zone", "City", "State", "Country"] {
            let region_type = RegionType::parse(word).unwrap();
            assert_eq!(region_type.as_str(), word);
            assert_eq!(serde_json::to_value(region_type).unwrap(), word);
        }
        assert_eq!(RegionType::parse("state"), None);
    }

    #[test]
    fn a_named_region_reads_back_from_json() {
        let regions = vec![region(RegionType::State, "CA"), region(RegionType::Zone, "West")];
        let named = NamedRegion { name: "West Coast".to_owned(), regions };
        let json = serde_json::to_value(&named).unwrap();
        assert_eq!(json["regions"][0], serde_json::json!({"region_type": "State", "value": "CA"}));
        assert_eq!(serde_json::from_value::<NamedRegion>(json).unwrap(), named);
    }
}
