//! A request's problems, by path, all at once.
//!
//! The shape follows the request's: messages sit in arrays at the property they are about, an
//! array of hashes has `{}` for a hash that is in order and ends with the last one that is not.
//! `{"users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]}`

use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `can't be blank`: a required property is absent, null or empty.
pub const BLANK: &str = "can't be blank";
/// `is invalid`: the value has the wrong type or form.
pub const INVALID: &str = "is invalid";
/// `has already been taken`: another object of the scope has this value.
pub const TAKEN: &str = "has already been taken";
/// `is not included in the list`: not one of the allowed words.
pub const NOT_LISTED: &str = "is not included in the list";
/// `is not a number`: a number was asked for.
pub const NOT_A_NUMBER: &str = "is not a number";
/// `cannot be empty`: a required parameter of an IVR node is missing.
pub const EMPTY: &str = "cannot be empty";

/// A tree of messages in the shape of the request. Empty means: nothing to complain about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    messages: Vec<String>,
    fields: IndexMap<String, Problems>,
    items: BTreeMap<usize, Problems>,
    keyed: BTreeMap<usize, Problems>,
}

impl Problems {
    /// No problems yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when there is no message anywhere below.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.fields.values().all(Problems::is_empty)
            && self.items.values().all(Problems::is_empty)
            && self.keyed.values().all(Problems::is_empty)
    }

    /// The place of a property.
    pub fn at(&mut self, property: &str) -> &mut Problems {
        self.fields.entry(property.to_owned()).or_default()
    }

    /// The place of an array's item (0-based), reported as `[{}, {…}]`.
    pub fn item(&mut self, index: usize) -> &mut Problems {
        self.items.entry(index).or_default()
    }

    /// The place of an IVR node's child (0-based), reported as `[{"<index>": {…}}]`, the way the
    /// field's platforms report problems inside a tree.
    pub fn child(&mut self, index: usize) -> &mut Problems {
        self.keyed.entry(index).or_default()
    }

    /// Adds a message here, once.
    pub fn add(&mut self, message: impl Into<String>) {
        let message = message.into();
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// Every message with the path of its place, parents first: `policies[1].condition`,
    /// `ivr_tree.children[0].prompt`. The path is empty for messages of this very place.
    pub fn list(&self) -> Vec<(String, String)> {
        let mut listed = Vec::new();
        self.list_below("", &mut listed);
        listed
    }

    fn list_below(&self, path: &str, listed: &mut Vec<(String, String)>) {
        listed.extend(self.messages.iter().map(|message| (path.to_owned(), message.clone())));
        for (property, at) in &self.fields {
            let dot = if path.is_empty() { "" } else { "." };
            at.list_below(&format!("{path}{dot}{property}"), listed);
        }
        for (index, at) in self.items.iter().chain(&self.keyed) {
            at.list_below(&format!("{path}[{index}]"), listed);
        }
    }

    /// Whether anything is wrong at or below a property.
    pub fn has(&self, property: &str) -> bool {
        self.fields.get(property).is_some_and(|at| !at.is_empty())
    }

    /// Takes over another tree's messages, each at its place.
    pub fn merge(&mut self, other: Problems) {
        for message in other.messages {
            self.add(message);
        }
        for (property, below) in other.fields {
            self.at(&property).merge(below);
        }
        for (index, below) in other.items {
            self.item(index).merge(below);
        }
        for (index, below) in other.keyed {
            self.child(index).merge(below);
        }
    }

    /// `Ok(value)` if nothing is wrong, else the problems.
    pub fn or<T>(self, value: T) -> Result<T, Problems> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The JSON of this place: an array of messages, an array of hashes, or a hash.
    pub fn to_json(&self) -> Value {
        let bad_children = self.keyed.iter().filter(|(_, at)| !at.is_empty());
        let children = bad_children
            .map(|(index, at)| Value::Object(Map::from_iter([(index.to_string(), at.to_json())])));
        // Children are named, so that messages about all of them can stand before them.
        let messages = self.messages.iter().map(|message| Value::from(message.as_str()));
        let array: Vec<Value> = messages.chain(children).collect();
        if !array.is_empty() {
            return Value::Array(array);
        }
        if let Some(last) = self.items.iter().rev().find(|(_, at)| !at.is_empty()) {
            let empty = || Value::Object(Map::new());
            return (0..=*last.0)
                .map(|index| self.items.get(&index).map_or_else(empty, Problems::to_json))
                .collect();
        }
        let bad_fields = self.fields.iter().filter(|(_, at)| !at.is_empty());
        Value::Object(bad_fields.map(|(name, at)| (name.clone(), at.to_json())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_item_in_order_is_an_empty_hash_and_the_last_bad_one_ends_the_array() {
        let mut problems = Problems::new();
        problems.at("name").add(BLANK);
        problems.at("users").item(1).at("email_settings").item(0).at("email_address").add(INVALID);
        problems.at("users").item(4);
        assert_eq!(
            problems.to_json(),
            json!({"name": ["can't be blank"],
                   "users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]})
        );
    }

    #[test]
    fn a_child_of_a_node_is_named_by_its_index() {
        let mut problems = Problems::new();
        problems.at("ivr_tree").at("children").child(0).at("prompt").add(EMPTY);
        assert_eq!(
            problems.to_json(),
            json!({"ivr_tree": {"children": [{"0": {"prompt": ["cannot be empty"]}}]}})
        );
    }

    #[test]
    fn the_list_names_each_place_by_its_path() {
        let mut problems = Problems::new();
        problems.add("is odd");
        problems.at("payin").at("policies").item(1).at("condition").add(INVALID);
        problems.at("payin").at("policies").add("must have exactly one Base");
        problems.at("ivr_tree").at("children").child(0).at("children").child(2).add(BLANK);
        problems.at("name");
        let listed = problems.list();
        let listed: Vec<_> = listed.iter().map(|(at, message)| (&**at, &**message)).collect();
        assert_eq!(
            listed,
            [
                ("", "is odd"),
                ("payin.policies", "must have exactly one Base"),
                ("payin.policies[1].condition", INVALID),
                ("ivr_tree.children[0].children[2]", BLANK),
            ]
        );
    }

    #[test]
    fn a_message_about_all_children_does_not_hide_what_is_wrong_with_each() {
        let mut problems = Problems::new();
        let children = problems.at("children");
        children.child(1).at("prompt").add(EMPTY);
        children.add("must have exactly 1 child");
        assert_eq!(
            problems.to_json(),
            json!({"children": ["must have exactly 1 child", {"1": {"prompt": [EMPTY]}}]})
        );
    }

    #[test]
    fn merging_keeps_every_message_once() {
        let mut left = Problems::new();
        left.at("name").add(BLANK);
        let mut right = left.clone();
        right.at("status").add(NOT_LISTED);
        left.merge(right);
        assert_eq!(left.to_json(), json!({"name": [BLANK], "status": [NOT_LISTED]}));
        assert!(left.has("name") && !left.has("sites"));
    }
}
