//! Custom data: the fields of a network, and the values on its objects.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, name, request, word, word_or_default};
use serde_json::{Value, json};
use trunkline_domain::party::NAME_LIMIT;

const TYPES: [&str; 3] = ["category", "short_text", "date"];

fn field() -> Value {
    json!({
        "partner_name": "channel",
        "friendly_name": "Channel",
        "data_type": "category",
        "field_values": ["Online lead", "Offline lead"],
    })
}

pub(super) fn schemas() -> Schemas {
    let properties = json!({
        "partner_name": name("The key in `custom_data`, unique in the network."),
        "friendly_name": name("What people see; the partner name until it is said."),
        "data_type": word_or_default(&TYPES, "short_text", "What values look like: one of `field_values`, any text up to 255 characters, or a date such as 2015-05-13."),
        "field_values": {
            "type": "array",
            "description": "The values of a category, which needs at least one.",
            "minItems": 1,
            "maxItems": 1000,
            "items": {"type": "string", "maxLength": NAME_LIMIT},
        },
    });
    let category = json!({
        "if": {"properties": {"data_type": {"const": "category"}}, "required": ["data_type"]},
        "then": {"required": ["field_values"]},
    });
    let mut create =
        request("A custom data field to create", properties.clone(), &["partner_name"]);
    let mut write = request("A custom data field to write", properties, &[]);
    for schema in [&mut create, &mut write] {
        schema["allOf"] = json!([category]);
    }
    let shown = answer(
        "Custom data field",
        json!({
            "partner_name": {"type": "string", "description": "The key in `custom_data`."},
            "friendly_name": {"type": "string", "description": "What people see."},
            "data_type": word(&TYPES, "What values look like."),
            "field_values": {"type": "array", "items": {"type": "string"}},
        }),
        &[],
    );
    vec![
        ("CustomDataFieldCreate", example(create, field())),
        ("CustomDataFieldRequest", example(write, field())),
        ("CustomDataField", example(shown, field())),
        ("CustomDataRequest", data_request()),
        ("CustomData", data()),
    ]
}

/// Values, as a request may say them.
fn data_request() -> Value {
    json!({
        "title": "Custom data to write",
        "description": "Partner name → value; whole. A name must be one of the network's custom data fields (`channel` is one from the start). Values come back as strings; null leaves a name out.",
        "type": ["object", "null"],
        "maxProperties": 200,
        "propertyNames": {"format": "partner-name", "minLength": 1, "maxLength": NAME_LIMIT},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"], "maxLength": NAME_LIMIT},
        "examples": [{"channel": "Offline newspaper"}],
    })
}

/// Values, as answers say them.
fn data() -> Value {
    json!({
        "title": "Custom data",
        "description": "Partner name → value. On a call, values cascade: promo number over affiliate campaign over affiliate over advertiser campaign over advertiser.",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "examples": [{"channel": "Online lead"}],
    })
}

pub(super) fn operations() -> Vec<Operation> {
    const COLLECTION: &str = "/api/custom_data_fields";
    const MEMBER: &str = "/api/custom_data_fields/{partner_name}";
    let values = || json!({"friendly_name": "Channel", "data_type": "category", "field_values": ["Online lead"]});
    vec![
        Operation::get(COLLECTION, "listCustomDataFields", "List custom data fields")
            .lists("CustomDataField"),
        Operation::post(COLLECTION, "createCustomDataField", "Create a custom data field")
            .takes("CustomDataFieldCreate", field())
            .writes("CustomDataField")
            .leads_to(
                "201",
                "getCustomDataField",
                json!({"partner_name": "$response.body#/partner_name"}),
            ),
        Operation::get(MEMBER, "getCustomDataField", "Read a custom data field").answers(
            "200",
            "The field.",
            "CustomDataField",
        ),
        Operation::post(
            MEMBER,
            "postCustomDataField",
            "Create or update a custom data field by name",
        )
        .about("A `partner_name` in the body takes precedence over the path's.")
        .takes("CustomDataFieldRequest", values())
        .writes("CustomDataField"),
        Operation::put(
            MEMBER,
            "putCustomDataField",
            "Update or create a custom data field by name",
        )
        .about("A `partner_name` in the body takes precedence over the path's.")
        .takes("CustomDataFieldRequest", values())
        .writes("CustomDataField"),
        Operation::delete(MEMBER, "deleteCustomDataField", "Delete a custom data field")
            .about("Values that objects have stay. Does nothing when there is no such field.")
            .answers("200", "Gone.", "Empty"),
    ]
}
