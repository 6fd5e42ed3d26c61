//! Reads a JSON object of a request property by property, and collects problems and ignored
//! properties.

use axum::body::Body;
use axum::http::{HeaderValue, Response};
use serde_json::{Map, Value};
use trunkline_domain::money::Money;
use trunkline_domain::party::{CustomData, MAX_NAME_CHARS};
use trunkline_domain::phone::{CallerId, PhoneNumber};
use trunkline_domain::problem::{BLANK, INVALID, NOT_A_NUMBER, NOT_LISTED, Problems};
use trunkline_domain::text;

/// Maximum length of descriptions, prompts and URLs, in characters.
pub(crate) const TEXT_LIMIT: usize = 10_000;

/// Maximum number of names in the response's `Trunkline-Ignored` header.
const MAX_IGNORED_NAMES: usize = 100;

/// Maximum length of the header, in bytes of names.
const MAX_IGNORED_BYTES: usize = 4 * 1024;
/// Header that names the properties of the request that were ignored.
const IGNORED_HEADER: &str = "trunkline-ignored";

/// Names of the properties of a request that were not read, in order and without duplicates.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    names: Vec<String>,
    /// True if names were dropped because of their number or length.
    is_truncated: bool,
}

impl Ignored {
    /// Adds a name.
    pub(crate) fn add(&mut self, name: &str) {
        if self.names.iter().any(|listed| listed == name) {
            return;
        }
        if self.names.len() < MAX_IGNORED_NAMES && name.len() <= MAX_NAME_CHARS {
            self.names.push(name.to_owned());
        } else {
            self.is_truncated = true;
        }
    }

    /// Returns the header's value: comma-separated names, percent-encoded except for printable
    /// ASCII; `None` if there are none.
    pub(crate) fn header_value(&self) -> Option<String> {
        const ESCAPED: percent_encoding::AsciiSet =
            percent_encoding::CONTROLS.add(b'%').add(b',').add(b' ').add(b'"');
        let encode =
            |name: &String| percent_encoding::utf8_percent_encode(name, &ESCAPED).to_string();
        let mut bytes = 0;
        let fitting = self.names.iter().map(encode).take_while(|name| {
            bytes += name.len();
            bytes <= MAX_IGNORED_BYTES
        });
        let mut names: Vec<String> = fitting.collect();
        if self.is_truncated || names.len() < self.names.len() {
            names.push("...".to_owned());
        }
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Adds the header to a response, if there are names.
    pub(crate) fn add_header(&self, mut response: Response<Body>) -> Response<Body> {
        let names = self.header_value();
        if let Some(names) = names.and_then(|names| HeaderValue::from_str(&names).ok()) {
            response.headers_mut().insert(IGNORED_HEADER, names);
        }
        response
    }
}

/// Destinations of problems and ignored properties.
pub(crate) struct ReadContext<'a> {
    /// Problems of the value that is read.
    pub(crate) problems: &'a mut Problems,
    /// Ignored properties of the whole request.
    pub(crate) ignored: &'a mut Ignored,
}

/// Reader of a JSON object. A method returns `None` if its property is absent or invalid, and
/// `Some(None)` if it is cleared.
pub(crate) struct ObjectReader<'a> {
    map: &'a Map<String, Value>,
    read_names: Vec<&'static str>,
    pub(crate) problems: &'a mut Problems,
    pub(crate) ignored: &'a mut Ignored,
}

impl<'a> ObjectReader<'a> {
    /// Creates a reader of an object.
    pub(crate) fn new(map: &'a Map<String, Value>, read_context: ReadContext<'a>) -> Self {
        Self {
            map,
            read_names: Vec::new(),
            problems: read_context.problems,
            ignored: read_context.ignored,
        }
    }

    /// Creates a reader of a value that must be an object. Another value is a problem.
    pub(crate) fn from_value(value: &'a Value, read_context: ReadContext<'a>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self::new(map, read_context)),
            _ => {
                read_context.problems.add(INVALID);
                None
            }
        }
    }

    /// Finishes reading: adds the properties that were not read to the ignored ones.
    pub(crate) fn finish(self) {
        for name in self.map.keys() {
            if !self.read_names.contains(&name.as_str()) {
                self.ignored.add(name);
            }
        }
    }

    /// Finishes reading: each property that was not read is a problem.
    pub(crate) fn finish_rejecting(self, message: &str) {
        for name in self.map.keys() {
            if !self.read_names.contains(&name.as_str()) {
                self.problems.property(name).add(message);
            }
        }
    }

    /// Returns the value of any type.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read_names.push(name);
        self.map.get(name)
    }

    /// Returns true if the object contains a property.
    pub(crate) fn is_present(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Adds a problem of a property.
    pub(crate) fn error(&mut self, name: &str, message: impl Into<String>) {
        self.problems.property(name).add(message);
    }

    fn limited_text(&mut self, name: &'static str, limit: usize) -> Option<Option<String>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::String(value) if value.chars().count() > limit => {
                self.error(name, format!("is too long (maximum is {limit} characters)"));
                None
            }
            Value::String(text) => Some(Some(text.clone())),
            _ => {
                self.error(name, INVALID);
                None
            }
        }
    }

    /// Reads a text of up to `limit` characters; null clears it.
    pub(crate) fn text(&mut self, name: &'static str, limit: usize) -> Option<Option<String>> {
        self.limited_text(name, limit)
    }

    /// Reads a text that can be empty but not cleared. Absence and null mean empty.
    pub(crate) fn text_or_empty(&mut self, name: &'static str) -> String {
        self.limited_text(name, TEXT_LIMIT).flatten().unwrap_or_default()
    }

    /// Reads a text of 1 to 255 characters that is not blank.
    pub(crate) fn name(&mut self, name: &'static str) -> Option<String> {
        let name_text = self.limited_text(name, MAX_NAME_CHARS)?;
        let name_text = name_text.filter(|text| !text::is_blank(text));
        if name_text.is_none() {
            self.error(name, BLANK);
        }
        name_text
    }

    /// Reads an external id: a string or an integer. Null counts as absent.
    pub(crate) fn id(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::Null => None,
            Value::Number(number) if number.to_string().parse::<i128>().is_ok() => {
                Some(number.to_string())
            }
            Value::String(value) if text::is_blank(value) => {
                self.error(name, BLANK);
                None
            }
            Value::String(value) if value.chars().count() > MAX_NAME_CHARS => {
                self.error(name, format!("is too long (maximum is {MAX_NAME_CHARS} characters)"));
                None
            }
            Value::String(text) => Some(text.clone()),
            _ => {
                self.error(name, INVALID);
                None
            }
        }
    }

    /// Reads an external id; null or an empty string clears it.
    pub(crate) fn optional_id(&mut self, name: &'static str) -> Option<Option<String>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::String(text) if text.is_empty() => Some(None),
            _ => self.id(name).map(Some),
        }
    }

    /// Reads a phone number: a string or a number; null or a blank string clears it.
    pub(crate) fn phone(&mut self, name: &'static str) -> Option<Option<PhoneNumber>> {
        let value = match self.value(name)? {
            Value::Null => return Some(None),
            Value::String(text) if text::is_blank(text) => return Some(None),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let parsed = PhoneNumber::parse(&value);
        if parsed.is_none() {
            self.error(name, INVALID);
        }
        parsed.map(Some)
    }

    /// Reads a caller id: a phone number, or any other text of up to 255 characters. Null or a blank
    /// string is a withheld number.
    pub(crate) fn caller_id(&mut self, name: &'static str) -> Option<Option<CallerId>> {
        Some(self.phone_text(name)?.and_then(|text| CallerId::parse(&text)))
    }

    /// Reads a text in the place of a phone number: a string of up to 255 characters or a number;
    /// null or a blank string clears it.
    pub(crate) fn phone_text(&mut self, name: &'static str) -> Option<Option<String>> {
        match self.value(name)? {
            Value::Number(number) => Some(Some(number.to_string())),
            _ => {
                let text = self.text(name, MAX_NAME_CHARS)?;
                Some(text.filter(|text| !text::is_blank(text)))
            }
        }
    }

    /// Reads a value of an enumeration.
    pub(crate) fn enum_value<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = self.value(name)?.as_str().and_then(parse);
        if parsed.is_none() {
            self.error(name, NOT_LISTED);
        }
        parsed
    }

    /// Reads a value of an enumeration; null is the default.
    pub(crate) fn enum_value_or_default<T: Default>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self.value(name)? {
            Value::Null => Some(T::default()),
            _ => self.enum_value(name, parse),
        }
    }

    /// Reads a boolean: `true`, `false`, or either as a string; null clears it.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<Option<bool>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::Bool(boolean) => Some(Some(*boolean)),
            Value::String(text) if text == "true" => Some(Some(true)),
            Value::String(text) if text == "false" => Some(Some(false)),
            _ => {
                self.error(name, INVALID);
                None
            }
        }
    }

    /// Reads an integer from `min` to `max`, both included: a number or a string; null clears it.
    pub(crate) fn integer(
        &mut self,
        name: &'static str,
        min: u32,
        max: u32,
    ) -> Option<Option<u32>> {
        let value = match self.value(name)? {
            Value::Null => return Some(None),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => String::new(),
        };
        // 10.0 is an integer, too.
        let digits = value.strip_suffix(".0").unwrap_or(&value);
        let message = match digits.parse::<i64>() {
            Ok(number) if number < i64::from(min) => {
                format!("must be greater than or equal to {min}")
            }
            Ok(number) if number > i64::from(max) => {
                format!("must be less than or equal to {max}")
            }
            Ok(number) => return Some(u32::try_from(number).ok()),
            Err(_) if !digits.is_empty() && value.parse::<f64>().is_ok_and(f64::is_finite) => {
                "must be an integer".to_owned()
            }
            Err(_) => NOT_A_NUMBER.to_owned(),
        };
        self.error(name, message);
        None
    }

    /// Reads an amount of money: a number or a string.
    pub(crate) fn money(&mut self, name: &'static str) -> Option<Money> {
        let parsed = match self.value(name)? {
            Value::Null => Err(BLANK),
            Value::Number(number) => Money::parse(&number.to_string()),
            Value::String(text) => Money::parse(text.trim()),
            _ => Err(NOT_A_NUMBER),
        };
        match parsed {
            Ok(money) => Some(money),
            Err(message) => {
                self.error(name, message);
                None
            }
        }
    }

    /// Reads an object; null clears it.
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Option<&'a Map<String, Value>>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::Object(map) => Some(Some(map)),
            _ => {
                self.error(name, INVALID);
                None
            }
        }
    }

    /// Reads an array of up to `limit` items with a function for each item; null is an empty array.
    /// The problems of an item are at its index.
    pub(crate) fn array<T>(
        &mut self,
        name: &'static str,
        limit: usize,
        read: impl Fn(&Value, ReadContext<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match self.value(name)? {
            Value::Null => return Some(Vec::new()),
            Value::Array(items) if items.len() > limit => {
                self.error(name, format!("is too long (maximum is {limit} items)"));
                return None;
            }
            Value::Array(items) => items,
            _ => {
                self.error(name, INVALID);
                return None;
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let problems = self.problems.property(name).item(index);
            values.extend(read(item, ReadContext { problems, ignored: &mut *self.ignored }));
        }
        Some(values)
    }

    /// Reads custom data: an object of partner names with strings, numbers or booleans, stored as
    /// text. A null value omits its name; null instead of the object empties it.
    pub(crate) fn custom_data(&mut self) -> Option<CustomData> {
        const MAX_NAMES: usize = 200;
        let name = "custom_data";
        let map = self.object(name)?;
        let map = map.cloned().unwrap_or_default();
        if map.len() > MAX_NAMES {
            self.error(name, format!("is too long (maximum is {MAX_NAMES} items)"));
            return None;
        }
        let mut data = CustomData::new();
        for (partner, value) in map {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(boolean) => boolean.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    self.problems.property(name).property(&partner).add(INVALID);
                    continue;
                }
            };
            if value.chars().count() > MAX_NAME_CHARS {
                let message = format!("is too long (maximum is {MAX_NAME_CHARS} characters)");
                self.problems.property(name).property(&partner).add(message);
            }
            data.insert(partner, value);
        }
        Some(data)
    }

    /// Returns the context of this reader, for another reader of the same object. Properties that
    /// this reader did not read are not added to the ignored ones.
    pub(crate) fn into_context(self) -> ReadContext<'a> {
        ReadContext { problems: self.problems, ignored: self.ignored }
    }

    /// Returns the context of a nested value.
    pub(crate) fn child(&mut self, name: &str) -> ReadContext<'_> {
        ReadContext { problems: self.problems.property(name), ignored: &mut *self.ignored }
    }
}
