//! Facts of a call, and their use in the evaluation of conditions.

use super::area_code::geographic_area_code;
use super::place::LocationSources;
use super::{CallerLocation, DerivedLocations, Location, ZipCode};
use crate::campaign::Terms;
use crate::condition::{Facts, Key, MenuInput, TextFact};
use crate::party::{CustomData, CustomDataSource, CustomDataSources};
use crate::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// Type of the caller's phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhoneType {
    /// Mobile phone.
    Mobile,
    /// Landline.
    Landline,
    /// Voice over IP: neither mobile nor landline.
    Voip,
}

/// Facts of a call that do not depend on its IVR tree. `None` is unknown. Facts that the execution
/// of the tree determines, such as the menus passed, are in [`IvrFacts`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallFacts {
    /// Number of the caller; `None` if it is withheld.
    pub calling_phone_number: Option<PhoneNumber>,
    /// Reported caller id that is no phone number: `anonymous`, a short code, a keypad word. The
    /// caller is not known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calling_phone_number_text: Option<String>,
    /// True if several callers share the number, as with a switchboard or a relay service.
    #[serde(default)]
    pub shared_caller_id: Option<bool>,
    /// Start of the call.
    pub start_time: Option<Timestamp>,
    /// Total duration in seconds.
    pub duration: Option<u32>,
    /// Connect duration in seconds.
    pub connect_duration: Option<u32>,
    /// Type of the caller's phone.
    pub phone_type: Option<PhoneType>,
    /// Reported country of the caller, by code or English name.
    pub country: Option<String>,
    /// Reported state or province of the caller, by code or English name.
    pub region: Option<String>,
    /// City of the caller.
    pub city: Option<String>,
    /// Reported postal code of the caller.
    pub zip: Option<String>,
    /// Locations derived from the postal code and the number. `None` for a call that was stored
    /// before they were: its country and region include the location of the area code, and its
    /// VerifyLocation nodes follow the earlier rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_locations: Option<DerivedLocations>,
    /// True if the caller has called this campaign recently.
    pub repeat: Option<bool>,
    /// True if `repeat` was reported. Otherwise it was looked up, by the terms of the call's start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat_is_reported: bool,
    /// True if a text message was sent.
    pub sms_sent: Option<bool>,
    /// Custom data after cascading. A missing field is known to be absent.
    pub custom_data: Option<CustomData>,
    /// Sources of the values that the call inherited; the other values came with the call. `None`
    /// without custom data, and for calls that were stored before sources were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited_custom_data: Option<CustomDataSources>,
    /// True if the custom data may be incomplete. A missing field is then unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub custom_data_is_partial: bool,
    /// Name of the affiliate; `Some(None)` if there is none.
    #[serde(
        default,
        deserialize_with = "deserialize_present",
        skip_serializing_if = "Option::is_none"
    )]
    pub affiliate_name: Option<Option<String>>,
    /// Media type of the promo number; `Some(None)` if there is none.
    #[serde(
        default,
        deserialize_with = "deserialize_present",
        skip_serializing_if = "Option::is_none"
    )]
    pub media_type: Option<Option<String>>,
    /// Description of the promo number; `Some(None)` if there is none.
    #[serde(
        default,
        deserialize_with = "deserialize_present",
        skip_serializing_if = "Option::is_none"
    )]
    pub promo_number_description: Option<Option<String>>,
    /// Number derived from the id of the call, which determines the random orders of ring groups.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub order_seed: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Deserializes a present property: `null` is known to be absent. An unknown property is omitted.
fn deserialize_present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl CallFacts {
    /// Returns true if the number identifies one caller, so that a second call from it is a repeat
    /// call. False if the number is withheld or shared.
    pub fn identifies_caller(&self) -> bool {
        let number = self.calling_phone_number.as_ref();
        number.is_some_and(|number| !number.is_placeholder()) && self.shared_caller_id != Some(true)
    }

    /// Returns the source of a value of the custom data; `None` if it is not known.
    pub fn custom_data_source(&self, name: &str) -> Option<CustomDataSource> {
        let inherited = self.inherited_custom_data.as_ref()?;
        Some(inherited.get(name).copied().unwrap_or(CustomDataSource::Api))
    }

    /// Replaces values of the custom data. A value that differs came with the replacement.
    pub fn replace_custom_data(&mut self, data: &CustomData) {
        let values = self.custom_data.get_or_insert_default();
        if values.is_empty() {
            self.inherited_custom_data = Some(CustomDataSources::new());
        }
        for (name, value) in data {
            if values.get(name) == Some(value) {
                continue;
            }
            values.insert(name.clone(), value.clone());
            if let Some(inherited) = &mut self.inherited_custom_data {
                inherited.shift_remove(name);
            }
        }
    }

    /// Derives the seed of random orders from the complete id of the call (FNV-1a).
    pub fn with_order_seed(mut self, complete_call_id: &str) -> Self {
        let hash = complete_call_id
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        self.order_seed = hash.max(1);
        self
    }

    /// Derives the locations of the reported postal code and of the number from the tables of this
    /// server.
    pub fn with_derived_locations(mut self) -> Self {
        let number = self.calling_phone_number.as_ref();
        self.derived_locations = Some(DerivedLocations::derive(number, self.zip.as_deref()));
        self
    }

    /// Returns the area code of the number if its location was unknown at the start of the call
    /// although the code can be a geographic one. `None` for calls that were stored before
    /// locations were derived.
    pub fn unknown_area_code(&self) -> Option<&str> {
        let number = self.calling_phone_number.as_ref()?;
        let derived = self.derived_locations.as_ref()?;
        geographic_area_code(number).filter(|_| derived.number.is_none())
    }

    /// Returns the location of the caller from the best source. `entered` is the location of a postal
    /// code that the caller entered during the call.
    pub fn caller_location(&self, entered: Option<Location>) -> CallerLocation<'_> {
        let sources = LocationSources {
            country: self.country.as_deref(),
            region: self.region.as_deref(),
            city: self.city.as_deref(),
            derived: self.derived_locations.as_ref(),
        };
        CallerLocation::resolve(sources, entered)
    }

    /// Returns true if the caller's region or a valid postal code was reported, so that a
    /// VerifyLocation node has nothing to ask.
    pub fn reports_location(&self) -> bool {
        let reports_zip = |derived: &DerivedLocations| derived.zip.is_some();
        self.region.is_some() || self.derived_locations.as_ref().is_some_and(reports_zip)
    }
}

/// Facts determined by the execution of the IVR tree. Except for the location they take precedence
/// over [`CallFacts`].
#[derive(Debug, Clone, Copy, Default)]
pub struct IvrFacts<'a> {
    /// Final input at each menu passed so far, in order.
    pub pressed_keys: &'a [Key],
    /// True if a text message was sent.
    pub sms_sent: bool,
    /// Answers to NumberQuestions: partner name of a custom data field and answer, in order.
    pub answers: &'a [(String, String)],
    /// Postal code that the caller entered.
    pub zip: Option<&'a ZipCode>,
    /// Location of that postal code.
    pub location: Option<Location>,
    /// True if the call passed a node that offers a text message, other than on a landline.
    pub passed_sms_promo: bool,
    /// `None` while the call runs. After its end (no further menus follow), true if caller and
    /// destination were connected.
    pub connected: Option<bool>,
    /// True after the end of a call that was routed elsewhere: its reported facts stand.
    pub is_reported: bool,
    /// True if the reported keys of such a call lead to no end of the tree.
    pub is_incomplete: bool,
}

/// Evaluation context: all facts of a call in relation to the terms of a campaign.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationContext<'a> {
    /// Facts that do not depend on the tree.
    pub facts: &'a CallFacts,
    /// Terms with the named regions, hours and time zone of the campaign.
    pub terms: &'a Terms,
    /// Facts determined by the tree.
    pub ivr_facts: IvrFacts<'a>,
}

impl<'a> EvaluationContext<'a> {
    /// Returns the postal code entered during the call, or else the one known before.
    pub fn zip(&self) -> Option<&'a str> {
        self.ivr_facts.zip.map(ZipCode::as_str).or(self.facts.zip.as_deref())
    }

    /// Returns the location of the caller from the best source.
    pub fn caller_location(&self) -> CallerLocation<'a> {
        self.facts.caller_location(self.ivr_facts.location)
    }

    /// Returns the country of the caller.
    pub fn country(&self) -> Option<&'a str> {
        self.caller_location().country
    }

    /// Returns the state or province of the caller.
    pub fn region(&self) -> Option<&'a str> {
        self.caller_location().region
    }
}

impl Facts for EvaluationContext<'_> {
    fn duration(&self) -> Option<u32> {
        self.facts.duration
    }

    fn connect_duration(&self) -> Option<u32> {
        // A call that was never connected has no connect duration, even if one was reported.
        match self.ivr_facts.connected {
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
        let IvrFacts { passed_sms_promo, is_reported, is_incomplete, .. } = self.ivr_facts;
        match self.facts.sms_sent {
            Some(false) if is_reported => Some(false),
            _ if self.ivr_facts.sms_sent => Some(true),
            // No text message can be sent before it is offered.
            Some(true) => Some(passed_sms_promo || is_incomplete),
            known => known,
        }
    }

    fn during_hours(&self) -> Option<bool> {
        if self.terms.operating_24_7() {
            return Some(true);
        }
        let Some(hours) = &self.terms.hours else { return Some(false) };
        Some(hours.is_open_at(self.facts.start_time?, self.terms.timezone.time_zone()))
    }

    fn in_region(&self, name: Option<&str>) -> Option<bool> {
        let location = self.caller_location();
        let mut unknown = false;
        for named in &self.terms.named_regions {
            if name.is_some_and(|name| !named.has_name(name)) {
                continue;
            }
            for region in &named.regions {
                match location.is_in(region) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        (!unknown).then_some(false)
    }

    fn pressed(&self, level: u8) -> Option<MenuInput> {
        match self.ivr_facts.pressed_keys.get(usize::from(level)) {
            Some(key) => Some(MenuInput::Key(*key)),
            // The reported keys end before the call was connected, so others are not known.
            None if self.ivr_facts.is_incomplete && self.ivr_facts.connected == Some(true) => None,
            None => self.ivr_facts.connected.map(|_| MenuInput::NeverReached),
        }
    }

    fn text(&self, fact: &TextFact) -> Option<Option<&str>> {
        let facts = self.facts;
        match fact {
            TextFact::CustomData(name) => {
                let reported = facts.custom_data.as_ref().and_then(|data| data.get(name));
                let is_reported = reported.is_some()
                    && facts.custom_data_source(name) == Some(CustomDataSource::Api);
                let mut answers = self.ivr_facts.answers.iter().rev();
                if let Some((_, answer)) = answers.find(|(field, _)| field == name)
                    && !is_reported
                {
                    return Some(Some(answer));
                }
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
