//! Reading a hash of a request property by property: what is said, what is wrong with it, and
//! what was not looked at.

use serde_json::{Map, Value};
use trunkline_domain::money::Money;
use trunkline_domain::party::{CustomData, NAME_LIMIT};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, INVALID, NOT_A_NUMBER, NOT_LISTED, Problems};
use trunkline_domain::text;

/// Longer texts: descriptions, prompts, URLs (characters).
pub(crate) const TEXT_LIMIT: usize = 10_000;

/// Names in the answer's `Trunkline-Ignored` header.
const IGNORED_LIMIT: usize = 100;

/// Names of properties that a request gave and nobody looked at, in order, each once.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    names: Vec<String>,
    /// Whether there were more than fit a header.
    more: bool,
}

impl Ignored {
    /// Takes a name down.
    pub(crate) fn add(&mut self, name: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        if self.names.len() < IGNORED_LIMIT && name.len() <= NAME_LIMIT {
            self.names.push(name.to_owned());
        } else {
            self.more = true;
        }
    }

    /// The header's value: comma-separated, other than printable ASCII percent-encoded.
    pub(crate) fn header(&self) -> Option<String> {
        const ESCAPED: percent_encoding::AsciiSet =
            percent_encoding::CONTROLS.add(b'%').add(b',').add(b' ').add(b'"');
        let encode =
            |name: &String| percent_encoding::utf8_percent_encode(name, &ESCAPED).to_string();
        let mut names: Vec<String> = self.names.iter().map(encode).collect();
        if self.more {
            names.push("...".to_owned());
        }
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// Where things that are wrong, or not looked at, go.
pub(crate) struct Reading<'a> {
    /// The problems of this place.
    pub(crate) problems: &'a mut Problems,
    /// What was not looked at, anywhere.
    pub(crate) ignored: &'a mut Ignored,
}

/// A hash, being read. Each property comes out as `None` when it is not said.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    seen: Vec<&'static str>,
    pub(crate) problems: &'a mut Problems,
    pub(crate) ignored: &'a mut Ignored,
}

impl<'a> Fields<'a> {
    /// Starts reading a hash.
    pub(crate) fn new(map: &'a Map<String, Value>, reading: Reading<'a>) -> Self {
        Self { map, seen: Vec::new(), problems: reading.problems, ignored: reading.ignored }
    }

    /// Reads a value that has to be a hash; says so at its place when it is none.
    pub(crate) fn of(value: &'a Value, reading: Reading<'a>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self::new(map, reading)),
            _ => {
                reading.problems.add(INVALID);
                None
            }
        }
    }

    /// Ends reading: what nobody looked at is ignored, by name.
    pub(crate) fn finish(self) {
        for name in self.map.keys() {
            if !self.seen.contains(&name.as_str()) {
                self.ignored.add(name);
            }
        }
    }

    /// The value, whatever it is.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.seen.push(name);
        self.map.get(name)
    }

    /// Whether a property is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Says that something is wrong with a property.
    pub(crate) fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.problems.at(name).add(message);
    }

    fn text_value(&mut self, name: &'static str, limit: usize) -> Option<Option<String>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::String(said) if said.chars().count() > limit => {
                self.wrong(name, format!("is too long (maximum is {limit} characters)"));
                None
            }
            Value::String(said) => Some(Some(said.clone())),
            _ => {
                self.wrong(name, INVALID);
                None
            }
        }
    }

    /// A text that can be cleared.
    pub(crate) fn text(&mut self, name: &'static str, limit: usize) -> Option<Option<String>> {
        self.text_value(name, limit)
    }

    /// A text that can be empty but not null: null empties it.
    pub(crate) fn plain_text(&mut self, name: &'static str) -> String {
        self.text_value(name, TEXT_LIMIT).flatten().unwrap_or_default()
    }

    /// A text up to 255 characters that can't be blank.
    pub(crate) fn name(&mut self, name: &'static str) -> Option<String> {
        let said = self.text_value(name, NAME_LIMIT)?;
        let said = said.filter(|said| !text::is_blank(said));
        if said.is_none() {
            self.wrong(name, BLANK);
        }
        said
    }

    /// An id of the network's own, a string or a number; null counts as not said.
    pub(crate) fn id(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::Null => None,
            Value::Number(number) if number.to_string().parse::<i128>().is_ok() => {
                Some(number.to_string())
            }
            Value::String(said) if text::is_blank(said) => {
                self.wrong(name, BLANK);
                None
            }
            Value::String(said) if said.chars().count() > NAME_LIMIT => {
                self.wrong(name, format!("is too long (maximum is {NAME_LIMIT} characters)"));
                None
            }
            Value::String(said) => Some(said.clone()),
            _ => {
                self.wrong(name, INVALID);
                None
            }
        }
    }

    /// An id that can be cleared.
    pub(crate) fn optional_id(&mut self, name: &'static str) -> Option<Option<String>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::String(said) if said.is_empty() => Some(None),
            _ => self.id(name).map(Some),
        }
    }

    /// A phone number, as text or as a number; null or blank clears it.
    pub(crate) fn phone(&mut self, name: &'static str) -> Option<Option<PhoneNumber>> {
        let said = match self.value(name)? {
            Value::Null => return Some(None),
            Value::String(said) if text::is_blank(said) => return Some(None),
            Value::String(said) => said.clone(),
            Value::Number(said) => said.to_string(),
            _ => String::new(),
        };
        let parsed = PhoneNumber::parse(&said);
        if parsed.is_none() {
            self.wrong(name, INVALID);
        }
        parsed.map(Some)
    }

    /// One of a list of words.
    pub(crate) fn word<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = self.value(name)?.as_str().and_then(parse);
        if parsed.is_none() {
            self.wrong(name, NOT_LISTED);
        }
        parsed
    }

    /// One of a list of words; null is the default.
    pub(crate) fn word_or_default<T: Default>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self.value(name)? {
            Value::Null => Some(T::default()),
            _ => self.word(name, parse),
        }
    }

    /// True or false, as such or as text; null clears it.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<Option<bool>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::Bool(said) => Some(Some(*said)),
            Value::String(said) if said == "true" => Some(Some(true)),
            Value::String(said) if said == "false" => Some(Some(false)),
            _ => {
                self.wrong(name, INVALID);
                None
            }
        }
    }

    /// A whole number in a range, as such or as text; null clears it.
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        least: u32,
        most: u32,
    ) -> Option<Option<u32>> {
        let said = match self.value(name)? {
            Value::Null => return Some(None),
            Value::Number(number) => number.to_string(),
            Value::String(said) => said.trim().to_owned(),
            _ => String::new(),
        };
        // 10.0 is as whole as 10.
        let digits = said.strip_suffix(".0").unwrap_or(&said);
        let message = match digits.parse::<i64>() {
            Ok(number) if number < i64::from(least) => {
                format!("must be greater than or equal to {least}")
            }
            Ok(number) if number > i64::from(most) => {
                format!("must be less than or equal to {most}")
            }
            Ok(number) => return Some(u32::try_from(number).ok()),
            Err(_) if !digits.is_empty() && said.parse::<f64>().is_ok_and(f64::is_finite) => {
                "must be an integer".to_owned()
            }
            Err(_) => NOT_A_NUMBER.to_owned(),
        };
        self.wrong(name, message);
        None
    }

    /// An amount of money, as a number or as text.
    pub(crate) fn money(&mut self, name: &'static str) -> Option<Money> {
        let parsed = match self.value(name)? {
            Value::Null => Err(BLANK),
            Value::Number(number) => Money::parse(&number.to_string()),
            Value::String(said) => Money::parse(said.trim()),
            _ => Err(NOT_A_NUMBER),
        };
        match parsed {
            Ok(money) => Some(money),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    /// A hash; null clears it.
    pub(crate) fn hash(&mut self, name: &'static str) -> Option<Option<&'a Map<String, Value>>> {
        match self.value(name)? {
            Value::Null => Some(None),
            Value::Object(map) => Some(Some(map)),
            _ => {
                self.wrong(name, INVALID);
                None
            }
        }
    }

    /// An array up to a number of items, each read at its place; null is the empty one.
    pub(crate) fn array<T>(
        &mut self,
        name: &'static str,
        limit: usize,
        read: impl Fn(&Value, Reading<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match self.value(name)? {
            Value::Null => return Some(Vec::new()),
            Value::Array(items) if items.len() > limit => {
                self.wrong(name, format!("is too long (maximum is {limit} items)"));
                return None;
            }
            Value::Array(items) => items,
            _ => {
                self.wrong(name, INVALID);
                return None;
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let problems = self.problems.at(name).item(index);
            values.extend(read(item, Reading { problems, ignored: &mut *self.ignored }));
        }
        Some(values)
    }

    /// A hash of partner name → string, number or boolean, kept as text; null as a value leaves
    /// the name out, null for the hash empties it.
    pub(crate) fn custom_data(&mut self) -> Option<CustomData> {
        const NAMES: usize = 200;
        let name = "custom_data";
        let map = self.hash(name)?;
        let map = map.cloned().unwrap_or_default();
        if map.len() > NAMES {
            self.wrong(name, format!("is too long (maximum is {NAMES} items)"));
            return None;
        }
        let mut data = CustomData::new();
        for (partner, value) in map {
            let said = match value {
                Value::Null => continue,
                Value::String(said) => said,
                Value::Bool(said) => said.to_string(),
                Value::Number(said) => said.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    self.problems.at(name).at(&partner).add(INVALID);
                    continue;
                }
            };
            if said.chars().count() > NAME_LIMIT {
                let message = format!("is too long (maximum is {NAME_LIMIT} characters)");
                self.problems.at(name).at(&partner).add(message);
            }
            data.insert(partner, said);
        }
        Some(data)
    }

    /// Where a nested hash is read.
    pub(crate) fn below(&mut self, name: &str) -> Reading<'_> {
        Reading { problems: self.problems.at(name), ignored: &mut *self.ignored }
    }
}
