//! What is known of a call, and how it answers a condition.

use super::{Place, ZipCode, place_of};
use crate::campaign::Terms;
use crate::condition::{Facts, Key, Pressed, TextFact};
use crate::party::CustomData;
use crate::phone::PhoneNumber;
use crate::region::{Region, RegionType, is_same_city, is_same_country, is_same_state};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// What a caller calls from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhoneType {
    /// A mobile phone.
    Mobile,
    /// A landline.
    Landline,
}

/// What is known of a call from outside; `None` is not known. What the tree decides (which menus
/// it meets, whether it connects) is not here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallFacts {
    /// The caller's number; not known when it is withheld.
    pub calling_phone_number: Option<PhoneNumber>,
    /// Whether several callers have this number: a switchboard's, or a relay's.
    #[serde(default)]
    pub shared_caller_id: Option<bool>,
    /// When it came in.
    pub start_time: Option<Timestamp>,
    /// Seconds in all.
    pub duration: Option<u32>,
    /// Seconds connected to a destination.
    pub connect_duration: Option<u32>,
    /// From what.
    pub phone_type: Option<PhoneType>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// State or province, by its code.
    pub region: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub zip: Option<String>,
    /// Whether the caller has called this campaign lately.
    pub repeat: Option<bool>,
    /// Whether a text message was sent.
    pub sms_sent: Option<bool>,
    /// Custom data, cascaded; a field that is not in it is known not to be there.
    pub custom_data: Option<CustomData>,
    /// Whether there may be more custom data than that: then a field that is not in it is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub custom_data_is_partial: bool,
    /// The affiliate's name; `Some(None)` when there is none.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub affiliate_name: Option<Option<String>>,
    /// The promo number's media type.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<Option<String>>,
    /// The promo number's description.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub promo_number_description: Option<Option<String>>,
}

/// In JSON `null` is known not to be there, and what is not known is left out.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl CallFacts {
    /// Whether the caller's number tells one caller from all others, so that a second call from it
    /// is the same caller's: not when it is withheld, nor when several share it.
    pub fn can_repeat(&self) -> bool {
        let number = self.calling_phone_number.as_ref();
        number.is_some_and(|number| !number.is_placeholder()) && self.shared_caller_id != Some(true)
    }

    /// Fills in country and region by the caller's area code, where they are not said.
    pub fn located(mut self) -> Self {
        let place = self.calling_phone_number.as_ref().and_then(place_of);
        if let (None, None, Some(place)) = (&self.country, &self.region, place) {
            self.country = Some(place.country.to_owned());
            self.region = place.region.map(str::to_owned);
        }
        self
    }
}

/// What a call's way through its tree says of it, over what was known before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way<'a> {
    /// What was pressed at the menus passed so far, from the first.
    pub pressed: &'a [Key],
    /// Whether a text message was sent.
    pub sms_sent: bool,
    /// The postal code that the caller gave.
    pub zip: Option<&'a ZipCode>,
    /// Where that is.
    pub place: Option<Place>,
    /// Whether it is over, so that no further menu comes, and if so, whether caller and destination
    /// talked.
    pub over: Option<bool>,
}

/// A call's facts as a campaign's conditions ask for them.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What is known from outside.
    pub facts: &'a CallFacts,
    /// The campaign's regions, hours and zone.
    pub terms: &'a Terms,
    /// What the way said.
    pub way: Way<'a>,
}

impl<'a> Known<'a> {
    /// The caller's postal code, as given on the way or else known before.
    pub fn zip(&self) -> Option<&'a str> {
        self.way.zip.map(ZipCode::as_str).or(self.facts.zip.as_deref())
    }

    /// The caller's country. That of a postal code given on the way counts, so that it never
    /// stands beside a state of another country.
    pub fn country(&self) -> Option<&'a str> {
        self.way.place.map(|place| place.country).or(self.facts.country.as_deref())
    }

    /// The caller's state or province. The way asks for it only where it is not known.
    pub fn region(&self) -> Option<&'a str> {
        let given = self.way.place.and_then(|place| place.region);
        self.facts.region.as_deref().or(given)
    }

    /// Whether the caller is in a region; `None` when the facts don't say.
    fn is_in(&self, region: &Region) -> Option<bool> {
        let asked = region.value.as_str();
        match region.region_type {
            RegionType::Country => Some(is_same_country(self.country()?, asked)),
            RegionType::State => Some(is_same_state(self.region()?, asked)),
            RegionType::City => {
                let (city, state) = asked.rsplit_once(',').unwrap_or((asked, ""));
                let in_city = self.facts.city.as_deref().map(|known| is_same_city(known, city));
                let in_state = match state.trim() {
                    "" => Some(true),
                    state => self.region().map(|known| is_same_state(known, state)),
                };
                both(in_city, in_state)
            }
            // What a zone is made of is not said anywhere: nobody is known to be in one.
            RegionType::Zone => None,
        }
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

impl Facts for Known<'_> {
    fn duration(&self) -> Option<u32> {
        self.facts.duration
    }

    fn connect_duration(&self) -> Option<u32> {
        // A call that never connected has no time connected, whatever was said of it.
        match self.way.over {
            Some(false) => Some(0),
            _ => self.facts.connect_duration,
        }
    }

    fn repeat(&self) -> Option<bool> {
        self.facts.repeat
    }

    fn mobile(&self) -> Option<bool> {
        self.facts.phone_type.map(|phone| phone == PhoneType::Mobile)
    }

    fn landline(&self) -> Option<bool> {
        self.facts.phone_type.map(|phone| phone == PhoneType::Landline)
    }

    fn sms_sent(&self) -> Option<bool> {
        if self.way.sms_sent { Some(true) } else { self.facts.sms_sent }
    }

    fn during_hours(&self) -> Option<bool> {
        if self.terms.operating_24_7() {
            return Some(true);
        }
        let Some(hours) = &self.terms.hours else { return Some(false) };
        Some(hours.is_open_at(self.facts.start_time?, self.terms.timezone.rules()))
    }

    fn in_region(&self, name: Option<&str>) -> Option<bool> {
        let mut unknown = false;
        for named in &self.terms.named_regions {
            if name.is_some_and(|name| !named.is_called(name)) {
                continue;
            }
            for region in &named.regions {
                match self.is_in(region) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        (!unknown).then_some(false)
    }

    fn pressed(&self, level: u8) -> Option<Pressed> {
        match self.way.pressed.get(usize::from(level)) {
            Some(key) => Some(Pressed::Key(*key)),
            None => self.way.over.map(|_| Pressed::NeverReached),
        }
    }

    fn text(&self, fact: &TextFact) -> Option<Option<&str>> {
        let facts = self.facts;
        match fact {
            TextFact::CustomData(name) => {
                let known = facts.custom_data.as_ref()?.get(name).map(String::as_str);
                (known.is_some() || !facts.custom_data_is_partial).then_some(known)
            }
            TextFact::AffiliateName => facts.affiliate_name.as_ref().map(Option::as_deref),
            TextFact::MediaType => facts.media_type.as_ref().map(Option::as_deref),
            TextFact::PromoNumberDescription => {
                facts.promo_number_description.as_ref().map(Option::as_deref)
            }
        }
    }
}
