//! Builders of JSON schemas that several resources use.

use serde_json::{Map, Value, json};
use trunkline_domain::party::NAME_LIMIT;

/// Schema components: name and schema.
pub(super) type NamedSchemas = Vec<(&'static str, Value)>;

/// References a schema component.
pub(super) fn schema_reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Sets the description of a schema.
pub(super) fn with_description(mut schema: Value, description: &str) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), description.into());
    }
    schema
}

/// Sets the example of a schema.
pub(super) fn with_example(mut schema: Value, example: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("examples".to_owned(), Value::Array(vec![example]));
    }
    schema
}

/// Allows `null` besides a schema.
pub(super) fn nullable(schema: Value, description: &str) -> Value {
    json!({"anyOf": [schema, {"type": "null"}], "description": description})
}

/// Object of a request. The server ignores further properties and names them in a header.
pub(super) fn request_object(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

/// Object of a response. It has exactly these properties; only `optional` ones may be absent.
pub(super) fn response_object(properties: Value, optional: &[&str]) -> Value {
    let names = properties.as_object().map(Map::keys).into_iter().flatten();
    let required: Vec<&String> = names.filter(|name| !optional.contains(&name.as_str())).collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Text of up to 255 characters that is not blank.
pub(super) fn required_text(description: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_LIMIT,
        "pattern": r"\S",
        "description": description,
    })
}

/// Text that `null` clears. `limit` is in characters.
pub(super) fn nullable_text(limit: usize, description: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": limit, "description": description})
}

/// External id in a request.
pub(super) fn external_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer"],
        "minLength": 1,
        "maxLength": NAME_LIMIT,
        "description": description,
    })
}

/// External id in a request; `null` clears it.
pub(super) fn nullable_external_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": NAME_LIMIT,
        "description": description,
    })
}

/// External id in a response.
pub(super) fn response_external_id(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": description})
}

/// Boolean.
pub(super) fn boolean(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// One of several strings.
pub(super) fn enumeration(values: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}

/// One of several strings, or `null` for the default.
pub(super) fn enumeration_with_default(values: &[&str], default: &str, description: &str) -> Value {
    let values = values.iter().map(|value| json!(value)).chain([Value::Null]);
    json!({
        "type": ["string", "null"],
        "enum": values.collect::<Vec<_>>(),
        "default": default,
        "description": description,
    })
}

/// Id that the server assigned. `object` is a noun with its article.
pub(super) fn object_id(object: &str) -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "readOnly": true,
        "description": format!("Id of {object}, assigned by Trunkline. Stable, read-only."),
    })
}

/// Address of an object's page in the console. `object` is a noun with its article.
pub(super) fn object_url(object: &str) -> Value {
    json!({
        "type": "string",
        "readOnly": true,
        "description": format!("Console page of {object}; viewing it needs a sign-in. Read-only."),
    })
}

/// Response timestamp in the documents' format, in the network's time zone, or `null`.
pub(super) fn legacy_timestamp(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$",
        "description": description,
        "examples": ["2015-05-13 07:45:08 -0800"],
    })
}

/// Response timestamp in ISO 8601, or `null`.
pub(super) fn iso_timestamp(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$",
        "description": description,
        "examples": ["2015-05-18T23:59:59-08:00"],
    })
}

/// Request timestamp: a date, or a date and a time, or `null`.
pub(super) fn request_timestamp(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "moment",
        "maxLength": 128,
        "description": description,
        "examples": ["2015-05-18", "2015-05-18T23:59:59-08:00"],
    })
}

/// Phone number in a request; `null` clears it.
pub(super) fn nullable_phone_number(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "phone-number",
        "maxLength": 40,
        "description": description,
        "examples": ["805-708-9876", "+442071838750"],
    })
}
