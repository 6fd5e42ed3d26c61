//! Builders of JSON schemas that several resources use.

use serde_json::{Map, Value, json};
use trunkline_domain::party::MAX_NAME_CHARS;

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
        "maxLength": MAX_NAME_CHARS,
        "pattern": r"^\s*\S",
        "description": description,
    })
}

/// Text that `null` clears. `limit` is in characters.
pub(super) fn nullable_text(limit: usize, description: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": limit, "description": description})
}

/// External id in a request; `null` counts as absent.
pub(super) fn external_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": MAX_NAME_CHARS,
        "pattern": r"^\s*\S",
        "description": description,
    })
}

/// External id that a request must give.
pub(super) fn required_external_id(description: &str) -> Value {
    let mut schema = external_id(description);
    schema["type"] = json!(["string", "integer"]);
    schema
}

/// External id in a request; `null` clears it.
pub(super) fn nullable_external_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": MAX_NAME_CHARS,
        "description": description,
    })
}

/// External id in a response.
pub(super) fn response_external_id(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": description})
}

/// Boolean in a request, as such or as text; `null` is the default.
pub(super) fn request_boolean(description: &str) -> Value {
    json!({
        "type": ["boolean", "string", "null"],
        "pattern": "^(true|false)$",
        "description": description,
    })
}

/// Integer in a request, as such or as text; `null` is the default. The limits are inclusive.
pub(super) fn request_integer(minimum: u32, maximum: u32, description: &str) -> Value {
    json!({
        "type": ["integer", "string", "null"],
        "minimum": minimum,
        "maximum": maximum,
        "pattern": r"^\s*[+-]?[0-9]+(\.0)?\s*$",
        "description": description,
    })
}

/// Array of a request; `null` is the empty one.
pub(super) fn request_array(items: Value, max_items: usize, description: &str) -> Value {
    json!({
        "type": ["array", "null"],
        "maxItems": max_items,
        "items": items,
        "description": description,
    })
}

/// Boolean in a response.
pub(super) fn boolean(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// One of several strings.
pub(super) fn enumeration(values: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}

/// One of several strings, or `null` for the default. The schema has no `default`: an absent property
/// keeps its value on an update, and client generators send a `default` by themselves.
pub(super) fn enumeration_with_default(values: &[&str], default: &str, description: &str) -> Value {
    let description =
        format!("{description} `null` means `{default}`, as does absence for a new object.");
    enumeration_or_null(values, &description)
}

/// Id that the server assigned. `object` is a noun with its article.
pub(super) fn object_id(object: &str) -> Value {
    json!({
        "type": "integer",
        "format": "int64",
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

/// One of several strings, or `null`.
pub(super) fn enumeration_or_null(values: &[&str], description: &str) -> Value {
    nullable(json!({"type": "string", "enum": values}), description)
}

/// Longest duration of a call in seconds: 31 days.
pub(super) const MAX_CALL_SECONDS: u32 = 31 * 86_400;

/// Keys that a caller pressed, one per item.
pub(super) fn keypresses(description: &str) -> Value {
    let key =
        json!({"type": ["string", "integer"], "pattern": "^[0-9*#]$", "minimum": 0, "maximum": 9});
    request_array(key, 1_000, description)
}

/// Request timestamp: a date, or a date and a time.
pub(super) fn request_timestamp(description: &str) -> Value {
    json!({
        "type": "string",
        "format": "moment",
        "maxLength": 128,
        "description": description,
        "examples": ["2015-05-18", "2015-05-18T23:59:59-08:00", "2015-05-18 23:59:59"],
    })
}

/// Request timestamp; `null` or an empty text clears it.
pub(super) fn nullable_timestamp(description: &str) -> Value {
    let mut schema = request_timestamp(description);
    schema["type"] = json!(["string", "null"]);
    schema
}

/// Start time of a call, which a request must give.
pub(super) fn required_call_time(description: &str) -> Value {
    let mut schema = request_call_time(description);
    schema["type"] = json!(["string", "number"]);
    schema
}

/// Request timestamp of a call: as [`request_timestamp`], or seconds or milliseconds since 1970.
pub(super) fn request_call_time(description: &str) -> Value {
    json!({
        "type": ["string", "number", "null"],
        "format": "moment",
        "maxLength": 128,
        "minimum": 100_000_000,
        "description": format!("{description} `2015-05-13 07:45:08 -0800`, ISO 8601, or a date; in the network's time zone if it has no offset. Digits alone, as a number or as text, are seconds or milliseconds since 1970."),
        "examples": ["2015-05-13 07:45:08 -0800", "2015-05-13T15:45:08Z", 1_431_531_908],
    })
}

/// Phone number in a request; `null` or a blank text clears it.
pub(super) fn nullable_caller_id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": 255,
        "description": description,
        "examples": ["805-708-9876", "+442071838750", "anonymous"],
    })
}

/// Schema of a number, an extension or a SIP user that a call was routed to.
pub(super) fn nullable_destination(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": 255,
        "description": description,
        "examples": ["800-437-7950", "+442071838750", "1001"],
    })
}

/// Schema of the type of a caller's phone in a request, in any case.
pub(super) fn nullable_phone_type() -> Value {
    let word = |word: &str| -> String {
        word.chars().map(|c| format!("[{}{c}]", c.to_ascii_uppercase())).collect()
    };
    let words = ["mobile", "landline", "voip"].map(word).join("|");
    json!({
        "type": ["string", "null"],
        "pattern": format!(r"^\s*({words})?\s*$"),
        "description": "Type of the caller's phone: `mobile`, `landline` or `voip`, in any case. Empty if it is unknown.",
        "examples": ["mobile"],
    })
}

pub(super) fn nullable_phone_number(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "format": "phone-number",
        "maxLength": 40,
        "description": description,
        "examples": ["805-708-9876", "+442071838750"],
    })
}
