//! Words for schemas that many resources use.

use serde_json::{Map, Value, json};
use trunkline_domain::party::NAME_LIMIT;

/// Schemas by the name of their component.
pub(super) type Schemas = Vec<(&'static str, Value)>;

/// A schema that is a component of its own.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A schema with a description.
pub(super) fn described(mut schema: Value, description: &str) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), description.into());
    }
    schema
}

/// A schema with an example.
pub(super) fn example(mut schema: Value, example: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("examples".to_owned(), Value::Array(vec![example]));
    }
    schema
}

/// A component, or null.
pub(super) fn or_null(schema: Value, description: &str) -> Value {
    json!({"anyOf": [schema, {"type": "null"}], "description": description})
}

/// A hash of a request: what is not listed is ignored, by name.
pub(super) fn request(title: &str, properties: Value, required: &[&str]) -> Value {
    json!({
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

/// A hash of an answer: exactly these, all of them but the optional ones.
pub(super) fn answer(title: &str, properties: Value, optional: &[&str]) -> Value {
    let names = properties.as_object().map(Map::keys).into_iter().flatten();
    let required: Vec<&String> = names.filter(|name| !optional.contains(&name.as_str())).collect();
    json!({
        "title": title,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A text up to 255 characters that can't be blank.
pub(super) fn name(description: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_LIMIT,
        "pattern": r"\S",
        "description": description,
    })
}

/// A text that null clears.
pub(super) fn text(limit: usize, description: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": limit, "description": description})
}

/// An id of the network's own, as a request may say it.
pub(super) fn network_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer"],
        "minLength": 1,
        "maxLength": NAME_LIMIT,
        "description": description,
    })
}

/// An id of the network's own that null clears.
pub(super) fn optional_network_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": NAME_LIMIT,
        "description": description,
    })
}

/// An id of the network's own, as answers say it.
pub(super) fn shown_network_id(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": description})
}

/// True or false.
pub(super) fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// One of some words.
pub(super) fn word(words: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": words, "description": description})
}

/// One of some words, or null, which means the default.
pub(super) fn word_or_default(words: &[&str], default: &str, description: &str) -> Value {
    let words = words.iter().map(|word| json!(word)).chain([Value::Null]);
    json!({
        "type": ["string", "null"],
        "enum": words.collect::<Vec<_>>(),
        "default": default,
        "description": description,
    })
}

/// Our own id.
pub(super) fn our_id(of: &str) -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "readOnly": true,
        "description": format!("Our own id of {of}: stable, read-only."),
    })
}

/// Where people see an object.
pub(super) fn object_url(of: &str) -> Value {
    json!({
        "type": "string",
        "readOnly": true,
        "description": format!("The page of {of}, for whoever is signed in. Read-only."),
    })
}

/// A time stamp in the network's zone.
pub(super) fn stamp(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$",
        "description": description,
        "examples": ["2015-05-13 07:45:08 -0800"],
    })
}

/// A moment in ISO 8601.
pub(super) fn iso(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$",
        "description": description,
        "examples": ["2015-05-18T23:59:59-08:00"],
    })
}

/// A moment, as a request may say it.
pub(super) fn moment(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "moment",
        "maxLength": 128,
        "description": description,
        "examples": ["2015-05-18", "2015-05-18T23:59:59-08:00"],
    })
}

/// A phone number that null clears.
pub(super) fn phone(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "phone-number",
        "maxLength": 40,
        "description": description,
        "examples": ["805-708-9876", "+442071838750"],
    })
}
