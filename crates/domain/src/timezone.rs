//! Time zones by their Rails and IANA names, and the timestamp formats of the wire.

mod names;
mod timestamp;

pub use timestamp::{format_iso8601, format_legacy, parse_timestamp, parse_timestamp_digits};

use crate::text;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use names::NAMES;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::{LazyLock, OnceLock};

/// Cache of the time zones used so far, indexed as [`NAMES`]. A lookup in the tz database costs more
/// than the rest of a condition's evaluation.
static TIME_ZONES: [OnceLock<TimeZone>; NAMES.len()] = [const { OnceLock::new() }; NAMES.len()];

/// Zone of the tz database that is named by its IANA name.
#[derive(Debug)]
struct IanaZone {
    name: String,
    time_zone: OnceLock<TimeZone>,
}

/// Zones of the bundled tz database, in the order of their names.
static IANA_ZONES: LazyLock<Vec<IanaZone>> = LazyLock::new(|| {
    let database = TimeZoneDatabase::bundled();
    let mut names: Vec<String> =
        database.available().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    let zone = |name| IanaZone { name, time_zone: OnceLock::new() };
    names.into_iter().map(zone).collect()
});

/// Time zone, named as in Rails' `ActiveSupport::TimeZone` or as in the tz database. The wire and the
/// database use the name that was given.
///
/// The advertiser campaigns document of 2015-05-01 lists six ("Supported Time Zones"). All other
/// Rails names and all IANA names are accepted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZoneName {
    /// Index in [`NAMES`] and [`TIME_ZONES`]; behind them, in [`IANA_ZONES`].
    index: usize,
    name: &'static str,
    iana: &'static str,
}

impl TimeZoneName {
    /// `Pacific Time (US & Canada)`, the default of networks and campaigns.
    pub const PACIFIC: Self = Self::from_index(5);

    /// `UTC`.
    pub const UTC: Self = Self::from_index(42);

    const fn from_index(index: usize) -> Self {
        let (name, iana) = NAMES[index];
        Self { index, name, iana }
    }

    /// Parses a Rails name, else an IANA name. Case-sensitive; white space is ignored.
    ///
    /// An example in the advertiser campaigns document of 2015-05-01 sends `PacificTime(US&Canada)`.
    /// No two names differ in white space alone.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text::normalize_plain_text(text);
        let rails = Self::all().find(|zone| without_spaces(zone.name).eq(without_spaces(&text)));
        rails.or_else(|| Self::parse_iana(&without_spaces(&text).collect::<String>()))
    }

    fn parse_iana(name: &str) -> Option<Self> {
        let found = IANA_ZONES.binary_search_by(|zone| zone.name.as_str().cmp(name)).ok()?;
        let zone = IANA_ZONES.get(found)?;
        Some(Self { index: NAMES.len() + found, name: &zone.name, iana: &zone.name })
    }

    /// The name that was given, such as `Eastern Time (US & Canada)` or `America/New_York`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The IANA name that Rails maps it to, such as `America/New_York`. A few are obsolete aliases
    /// (`Europe/Kiev`).
    pub fn iana(self) -> &'static str {
        self.iana
    }

    /// Returns a copy of the [`TimeZone`]. It comes from the tz database that is compiled into the
    /// binary, so that all servers use the same rules whatever the host has installed.
    pub fn to_time_zone(self) -> TimeZone {
        self.time_zone().clone()
    }

    /// Returns a reference to the cached [`TimeZone`].
    pub fn time_zone(self) -> &'static TimeZone {
        let iana_zone = || &IANA_ZONES[self.index - NAMES.len()].time_zone;
        TIME_ZONES.get(self.index).unwrap_or_else(iana_zone).get_or_init(|| {
            TimeZoneDatabase::bundled()
                .get(self.iana)
                .expect("the bundled tz database has every zone of NAMES; a test checks all")
        })
    }

    /// Iterates over the zones with Rails names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len()).map(Self::from_index)
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self::PACIFIC
    }
}

impl Serialize for TimeZoneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for TimeZoneName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("is not the name of a time zone"))
    }
}

/// Iterates over the characters that are not white space.
fn without_spaces(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn documented_zone_names_are_parsed() {
        for (name, iana) in [
            ("Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("Mountain Time (US & Canada)", "America/Denver"),
            ("Central Time (US & Canada)", "America/Chicago"),
            ("Eastern Time (US & Canada)", "America/New_York"),
            ("London", "Europe/London"),
            ("UTC", "Etc/UTC"),
        ] {
            let zone = TimeZoneName::parse(name).unwrap();
            assert_eq!((zone.name(), zone.iana()), (name, iana));
        }
    }

    #[test]
    fn zone_names_are_unique_and_in_the_tz_database() {
        let mut seen = HashSet::new();
        for zone in TimeZoneName::all() {
            assert!(
                seen.insert(without_spaces(zone.name).collect::<String>()),
                "{} twice",
                zone.name
            );
            assert_eq!(TimeZoneName::parse(zone.name), Some(zone));
            assert!(TimeZoneDatabase::bundled().get(zone.iana).is_ok(), "{}", zone.iana);
            zone.to_time_zone();
        }
        assert_eq!(seen.len(), NAMES.len());
    }

    #[test]
    fn constants_match_the_name_table() {
        assert_eq!(TimeZoneName::parse("Pacific Time (US & Canada)"), Some(TimeZoneName::PACIFIC));
        assert_eq!(TimeZoneName::parse("UTC"), Some(TimeZoneName::UTC));
        assert_eq!(TimeZoneName::default(), TimeZoneName::PACIFIC);
    }

    #[test]
    fn parse_ignores_white_space_and_hyphen_variants_only() {
        assert_eq!(TimeZoneName::parse("PacificTime(US&Canada)"), Some(TimeZoneName::PACIFIC));
        assert_eq!(
            TimeZoneName::parse(" Pacific Time (US\u{a0}& Canada)\n"),
            Some(TimeZoneName::PACIFIC)
        );
        assert_eq!(
            TimeZoneName::parse("Mid\u{2010}Atlantic").unwrap().iana(),
            "Atlantic/South_Georgia"
        );
        for wrong in ["", " ", "pacific time (us & canada)", "america/los_angeles", "PST", "UTC+1"]
        {
            assert_eq!(TimeZoneName::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn newest_rails_names_and_iana_names_are_parsed() {
        for (name, iana) in [
            ("Pacific Time (Canada)", "America/Vancouver"),
            ("Alberta", "America/Edmonton"),
            ("America/Los_Angeles", "America/Los_Angeles"),
            ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
            ("Etc/GMT+12", "Etc/GMT+12"),
            (" Europe/Kyiv ", "Europe/Kyiv"),
            ("London", "Europe/London"),
        ] {
            let zone = TimeZoneName::parse(name).unwrap();
            assert_eq!((zone.name(), zone.iana()), (name.trim(), iana));
            assert_eq!(zone.time_zone().iana_name(), Some(iana));
            let json = serde_json::to_string(&zone).unwrap();
            assert_eq!(serde_json::from_str::<TimeZoneName>(&json).unwrap(), zone);
        }
        for zone in IANA_ZONES.iter() {
            TimeZoneName::parse(&zone.name).unwrap().time_zone();
        }
        for wrong in ["America/Atlantis", "Mars/Phobos", "/etc/localtime", "../UTC"] {
            assert_eq!(TimeZoneName::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn zone_is_serialized_as_its_rails_name() {
        let json = serde_json::to_string(&TimeZoneName::PACIFIC).unwrap();
        assert_eq!(json, r#""Pacific Time (US & Canada)""#);
        assert_eq!(serde_json::from_str::<TimeZoneName>(&json).unwrap(), TimeZoneName::PACIFIC);
        assert!(serde_json::from_str::<TimeZoneName>(r#""Mars""#).is_err());
    }
}
