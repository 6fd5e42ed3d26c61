//! Validation errors of a request, collected by path.
//!
//! The JSON form mirrors the request. The messages about a property are an array in the place of
//! the property's value. An array of objects has one element per object, `{}` for an object
//! without errors, and ends at the last object with an error:
//! `{"users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]}`

use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Message for a required property that is absent, null or empty.
pub const BLANK: &str = "can't be blank";
/// Message for a value of the wrong type or form.
pub const INVALID: &str = "is invalid";
/// Message for a value that must be unique and that another object of the same scope has.
pub const TAKEN: &str = "has already been taken";
/// Message for a value that is not one of the allowed values.
pub const NOT_LISTED: &str = "is not included in the list";
/// Message for a value that must be a number and is none.
pub const NOT_A_NUMBER: &str = "is not a number";
/// Message for a value that must be a whole number and is none.
pub const NOT_AN_INTEGER: &str = "must be an integer";
/// Message for a missing parameter of an IVR node.
pub const EMPTY: &str = "cannot be empty";

/// Tree of validation messages in the shape of the request. An empty tree means that the request
/// is valid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    messages: Vec<String>,
    fields: IndexMap<String, Problems>,
    items: BTreeMap<usize, Problems>,
    children: BTreeMap<usize, Problems>,
}

impl Problems {
    /// Creates an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns true if neither this node nor any node below it has a message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.fields.values().all(Problems::is_empty)
            && self.items.values().all(Problems::is_empty)
            && self.children.values().all(Problems::is_empty)
    }

    /// Returns the node of a property, created if absent.
    pub fn property(&mut self, property: &str) -> &mut Problems {
        self.fields.entry(property.to_owned()).or_default()
    }

    /// Returns the node of an array element (0-based), created if absent. Its JSON form is
    /// positional: `[{}, {…}]`.
    pub fn item(&mut self, index: usize) -> &mut Problems {
        self.items.entry(index).or_default()
    }

    /// Returns the node of a child of an IVR node (0-based), created if absent. Its JSON form is
    /// `[{"<index>": {…}}]`, which is the form that clients of this API expect for IVR trees.
    pub fn child(&mut self, index: usize) -> &mut Problems {
        self.children.entry(index).or_default()
    }

    /// Adds a message to this node. A message that the node already has is not added again.
    pub fn add(&mut self, message: impl Into<String>) {
        let message = message.into();
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// Lists all messages as (path, message) pairs, parents before children. Example paths:
    /// `policies[1].condition`, `ivr_tree.children[0].prompt`. The path of this node is empty.
    pub fn messages_with_paths(&self) -> Vec<(String, String)> {
        let mut messages = Vec::new();
        self.collect_messages("", &mut messages);
        messages
    }

    fn collect_messages(&self, path: &str, messages: &mut Vec<(String, String)>) {
        messages.extend(self.messages.iter().map(|message| (path.to_owned(), message.clone())));
        for (property, node) in &self.fields {
            let dot = if path.is_empty() { "" } else { "." };
            node.collect_messages(&format!("{path}{dot}{property}"), messages);
        }
        for (index, node) in self.items.iter().chain(&self.children) {
            node.collect_messages(&format!("{path}[{index}]"), messages);
        }
    }

    /// Returns true if there is a message at a property or below it.
    pub fn has_problem(&self, property: &str) -> bool {
        self.fields.get(property).is_some_and(|node| !node.is_empty())
    }

    /// Moves the messages of another tree into this one, each to the same path.
    pub fn merge(&mut self, other: Problems) {
        for message in other.messages {
            self.add(message);
        }
        for (property, node) in other.fields {
            self.property(&property).merge(node);
        }
        for (index, node) in other.items {
            self.item(index).merge(node);
        }
        for (index, node) in other.children {
            self.child(index).merge(node);
        }
    }

    /// Returns `Ok(value)` if the tree is empty, otherwise the tree as an error.
    pub fn into_result<T>(self, value: T) -> Result<T, Problems> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns the JSON form of this node: an array of messages and children, an array of objects,
    /// or an object with one entry for each property.
    pub fn to_json(&self) -> Value {
        let invalid_children = self.children.iter().filter(|(_, node)| !node.is_empty());
        let children = invalid_children.map(|(index, node)| {
            Value::Object(Map::from_iter([(index.to_string(), node.to_json())]))
        });
        // A child carries its index as a key, so messages about all children may precede it.
        let messages = self.messages.iter().map(|message| Value::from(message.as_str()));
        let array: Vec<Value> = messages.chain(children).collect();
        if !array.is_empty() {
            return Value::Array(array);
        }
        let last_invalid = self.items.iter().rev().find(|(_, node)| !node.is_empty());
        if let Some((last_index, _)) = last_invalid {
            let empty_object = || Value::Object(Map::new());
            return (0..=*last_index)
                .map(|index| self.items.get(&index).map_or_else(empty_object, Problems::to_json))
                .collect();
        }
        let invalid_fields = self.fields.iter().filter(|(_, node)| !node.is_empty());
        Value::Object(invalid_fields.map(|(name, node)| (name.clone(), node.to_json())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn array_has_empty_objects_for_valid_items_and_ends_at_last_invalid_one() {
        let mut problems = Problems::new();
        problems.property("name").add(BLANK);
        problems
            .property("users")
            .item(1)
            .property("email_settings")
            .item(0)
            .property("email_address")
            .add(INVALID);
        problems.property("users").item(4);
        assert_eq!(
            problems.to_json(),
            json!({"name": ["can't be blank"],
                   "users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]})
        );
    }

    #[test]
    fn ivr_child_is_keyed_by_its_index() {
        let mut problems = Problems::new();
        problems.property("ivr_tree").property("children").child(0).property("prompt").add(EMPTY);
        assert_eq!(
            problems.to_json(),
            json!({"ivr_tree": {"children": [{"0": {"prompt": ["cannot be empty"]}}]}})
        );
    }

    #[test]
    fn list_contains_each_message_with_its_path() {
        let mut problems = Problems::new();
        problems.add("is odd");
        problems.property("payin").property("policies").item(1).property("condition").add(INVALID);
        problems.property("payin").property("policies").add("must have exactly one Base");
        problems
            .property("ivr_tree")
            .property("children")
            .child(0)
            .property("children")
            .child(2)
            .add(BLANK);
        problems.property("name");
        let listed = problems.messages_with_paths();
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
    fn message_about_all_children_precedes_messages_of_each_child() {
        let mut problems = Problems::new();
        let children = problems.property("children");
        children.child(1).property("prompt").add(EMPTY);
        children.add("must have exactly 1 child");
        assert_eq!(
            problems.to_json(),
            json!({"children": ["must have exactly 1 child", {"1": {"prompt": [EMPTY]}}]})
        );
    }

    #[test]
    fn merge_deduplicates_messages() {
        let mut left = Problems::new();
        left.property("name").add(BLANK);
        let mut right = left.clone();
        right.property("status").add(NOT_LISTED);
        left.merge(right);
        assert_eq!(left.to_json(), json!({"name": [BLANK], "status": [NOT_LISTED]}));
        assert!(left.has_problem("name") && !left.has_problem("sites"));
    }
}
