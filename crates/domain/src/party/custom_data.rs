//! Values that a network hangs on its objects, and the fields it has declared for them.

use crate::problem::{NOT_LISTED, Problems};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Partner name → value, in the order given. Values are text, whatever they came as.
pub type CustomData = IndexMap<String, String>;

/// What a field's values look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// One of `field_values`.
    Category,
    /// Any text up to 255 characters; the default.
    #[default]
    ShortText,
    /// A calendar date, `2015-05-13`.
    Date,
}

impl DataType {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::ShortText => "short_text",
            Self::Date => "date",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Category, Self::ShortText, Self::Date].into_iter().find(|t| t.as_str() == word)
    }
}

/// A Custom Data Field of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomDataField {
    /// The key in `custom_data`, unique in the network.
    pub partner_name: String,
    /// What people see.
    pub friendly_name: String,
    /// What values look like.
    pub data_type: DataType,
    /// The values of a category.
    pub field_values: Vec<String>,
}

impl CustomDataField {
    /// The field every network starts with.
    pub fn channel() -> Self {
        Self {
            partner_name: "channel".to_owned(),
            friendly_name: "Channel".to_owned(),
            data_type: DataType::ShortText,
            field_values: Vec::new(),
        }
    }

    fn complaint(&self, value: &str) -> Option<&'static str> {
        match self.data_type {
            DataType::ShortText => None,
            DataType::Category => {
                (!self.field_values.iter().any(|v| v == value)).then_some(NOT_LISTED)
            }
            DataType::Date => {
                // Parsing takes other forms too, and times after the date.
                let date = value.parse::<jiff::civil::Date>();
                (!date.is_ok_and(|date| date.to_string() == value)).then_some("is not a date")
            }
        }
    }
}

/// What is wrong with new values. A value that the object had before is never wrong: what was
/// read can be sent back even after its field is gone.
pub fn check(
    data: &CustomData,
    before: Option<&CustomData>,
    fields: &[CustomDataField],
) -> Problems {
    let mut problems = Problems::new();
    for (name, value) in data {
        if before.and_then(|had| had.get(name)) == Some(value) {
            continue;
        }
        match fields.iter().find(|field| &field.partner_name == name) {
            None => problems.at(name).add("is not a custom data field of this network"),
            Some(field) => {
                if let Some(message) = field.complaint(value) {
                    problems.at(name).add(message);
                }
            }
        }
    }
    problems
}
