//! Custom data: named values that a network attaches to its objects, and the fields that define
//! the allowed names and values.

use crate::problem::{NOT_LISTED, Problems};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Map of partner names to values, in the order of the request. A value that was sent as a number or
/// boolean is stored as text.
pub type CustomData = IndexMap<String, String>;

/// Map of partner names to the sources of their values.
pub type CustomDataSources = IndexMap<String, CustomDataSource>;

/// Source of a call's value of a custom data field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomDataSource {
    /// The request that reported, started or corrected the call.
    Api,
    /// The promo number.
    VirtualLine,
    /// The affiliate campaign.
    AffiliateCampaign,
    /// The affiliate.
    Affiliate,
    /// The advertiser campaign.
    AdvertiserCampaign,
    /// The advertiser.
    Advertiser,
}

impl CustomDataSource {
    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "Api",
            Self::VirtualLine => "VirtualLine",
            Self::AffiliateCampaign => "AffiliateCampaign",
            Self::Affiliate => "Affiliate",
            Self::AdvertiserCampaign => "AdvertiserCampaign",
            Self::Advertiser => "Advertiser",
        }
    }
}

/// Type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// One of [`CustomDataField::field_values`].
    Category,
    /// Any text of at most 255 characters. The default.
    #[default]
    ShortText,
    /// A calendar date in the form `2015-05-13`.
    Date,
}

impl DataType {
    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::ShortText => "short_text",
            Self::Date => "date",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Category, Self::ShortText, Self::Date].into_iter().find(|t| t.as_str() == text)
    }
}

/// Custom data field of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomDataField {
    /// Key in `custom_data`, unique in the network.
    pub partner_name: String,
    /// Name for people.
    pub friendly_name: String,
    /// Type of the values.
    pub data_type: DataType,
    /// Allowed values of a [`DataType::Category`].
    pub field_values: Vec<String>,
}

impl CustomDataField {
    /// The field `channel`, which every new network has.
    pub fn channel() -> Self {
        Self {
            partner_name: "channel".to_owned(),
            friendly_name: "Channel".to_owned(),
            data_type: DataType::ShortText,
            field_values: Vec::new(),
        }
    }

    /// Returns the validation message for a value that the field does not allow.
    fn value_problem(&self, value: &str) -> Option<&'static str> {
        match self.data_type {
            DataType::ShortText => None,
            DataType::Category => {
                (!self.field_values.iter().any(|v| v == value)).then_some(NOT_LISTED)
            }
            DataType::Date => {
                // `Date::from_str` accepts other forms too, such as a date with a time.
                let date = value.parse::<jiff::civil::Date>();
                (!date.is_ok_and(|date| date.to_string() == value)).then_some("is not a date")
            }
        }
    }
}

/// Validates the custom data of a request against the fields of the network.
///
/// A value that the object has already (`stored`) is always valid. So a client can send back what
/// it read after the field was deleted.
pub fn check_custom_data(
    data: &CustomData,
    stored: Option<&CustomData>,
    fields: &[CustomDataField],
) -> Problems {
    let mut problems = Problems::new();
    for (name, value) in data {
        if stored.and_then(|stored| stored.get(name)) == Some(value) {
            continue;
        }
        match fields.iter().find(|field| &field.partner_name == name) {
            None => problems.property(name).add("is not a custom data field of this network"),
            Some(field) => {
                if let Some(message) = field.value_problem(value) {
                    problems.property(name).add(message);
                }
            }
        }
    }
    problems
}
