//! Time zones by their Rails names, and moments as the wire writes them.

mod moment;
mod names;

pub use moment::{iso, parse_moment, stamp};

use crate::text;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use names::NAMES;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::OnceLock;

/// The rules of the zones used so far, in the order of [`NAMES`]: finding them costs more than all
/// else that a call's condition asks.
static RULES: [OnceLock<TimeZone>; NAMES.len()] = [const { OnceLock::new() }; NAMES.len()];

/// A time zone by its `ActiveSupport::TimeZone` name, which is what the wire and the store hold.
///
/// The source documents name six ("Supported Time Zones", `seeds/004`); every other Rails name is
/// taken too. IANA names are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ZoneName {
    /// In [`NAMES`].
    index: usize,
    name: &'static str,
    iana: &'static str,
}

impl ZoneName {
    /// `Pacific Time (US & Canada)`, the zone of a network or campaign that names none.
    pub const PACIFIC: Self = Self::at(5);

    /// `UTC`.
    pub const UTC: Self = Self::at(42);

    const fn at(index: usize) -> Self {
        let (name, iana) = NAMES[index];
        Self { index, name, iana }
    }

    /// Reads a Rails name, case-sensitively.
    ///
    /// White space is not compared: an example of `seeds/004` sends `PacificTime(US&Canada)`. No
    /// two names differ in white space alone.
    pub fn parse(text: &str) -> Option<Self> {
        let asked = text::plain(text);
        Self::all().find(|zone| solid(zone.name).eq(solid(&asked)))
    }

    /// The Rails name: `Eastern Time (US & Canada)`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The IANA name that Rails maps it to: `America/New_York`. A few are the older of two names
    /// for the same rules (`Europe/Kiev`).
    pub fn iana(self) -> &'static str {
        self.iana
    }

    /// The zone's rules, from the tz database in the binary and not the machine's, so that every
    /// server counts the same days.
    pub fn zone(self) -> TimeZone {
        self.rules().clone()
    }

    /// The zone's rules, in place.
    pub fn rules(self) -> &'static TimeZone {
        RULES[self.index].get_or_init(|| {
            TimeZoneDatabase::bundled()
                .get(self.iana)
                .expect("the bundled tz database has every zone of the table; a test walks it")
        })
    }

    /// Every zone, from west to east by standard time.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len()).map(Self::at)
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self::PACIFIC
    }
}

impl Serialize for ZoneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for ZoneName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("is not the name of a time zone"))
    }
}

/// The characters that are not white space.
fn solid(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_six_of_the_documents_are_known() {
        for (name, iana) in [
            ("Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("Mountain Time (US & Canada)", "America/Denver"),
            ("Central Time (US & Canada)", "America/Chicago"),
            ("Eastern Time (US & Canada)", "America/New_York"),
            ("London", "Europe/London"),
            ("UTC", "Etc/UTC"),
        ] {
            let zone = ZoneName::parse(name).unwrap();
            assert_eq!((zone.name(), zone.iana()), (name, iana));
        }
    }

    #[test]
    fn every_name_is_its_own_and_has_rules() {
        let mut seen = HashSet::new();
        for zone in ZoneName::all() {
            assert!(seen.insert(solid(zone.name).collect::<String>()), "{} twice", zone.name);
            assert_eq!(ZoneName::parse(zone.name), Some(zone));
            assert!(TimeZoneDatabase::bundled().get(zone.iana).is_ok(), "{}", zone.iana);
            zone.zone();
        }
        assert_eq!(seen.len(), 153);
    }

    #[test]
    fn the_constants_are_of_the_table() {
        assert_eq!(ZoneName::parse("Pacific Time (US & Canada)"), Some(ZoneName::PACIFIC));
        assert_eq!(ZoneName::parse("UTC"), Some(ZoneName::UTC));
        assert_eq!(ZoneName::default(), ZoneName::PACIFIC);
    }

    #[test]
    fn white_space_and_hyphens_are_forgiven_and_nothing_else() {
        assert_eq!(ZoneName::parse("PacificTime(US&Canada)"), Some(ZoneName::PACIFIC));
        assert_eq!(ZoneName::parse(" Pacific Time (US\u{a0}& Canada)\n"), Some(ZoneName::PACIFIC));
        assert_eq!(
            ZoneName::parse("Mid\u{2010}Atlantic").unwrap().iana(),
            "Atlantic/South_Georgia"
        );
        for wrong in ["", " ", "pacific time (us & canada)", "America/Los_Angeles", "PST", "UTC+1"]
        {
            assert_eq!(ZoneName::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn json_holds_the_rails_name() {
        let json = serde_json::to_string(&ZoneName::PACIFIC).unwrap();
        assert_eq!(json, r#""Pacific Time (US & Canada)""#);
        assert_eq!(serde_json::from_str::<ZoneName>(&json).unwrap(), ZoneName::PACIFIC);
        assert!(serde_json::from_str::<ZoneName>(r#""Mars""#).is_err());
    }
}
