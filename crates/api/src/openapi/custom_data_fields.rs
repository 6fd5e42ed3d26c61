//! Custom data: field definitions of a network, and values of its objects.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, enumeration_with_default, request_object, required_text,
    response_object, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::party::MAX_NAME_CHARS;

const TYPES: [&str; 3] = ["category", "short_text", "date"];

fn field_example() -> Value {
    json!({
        "partner_name": "channel",
        "friendly_name": "Channel",
        "data_type": "category",
        "field_values": ["Online lead", "Offline lead"],
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let properties = json!({
        "partner_name": required_text("Key in `custom_data`, unique in the network."),
        "friendly_name": required_text("Display name. Default: the partner name."),
        "data_type": enumeration_with_default(&TYPES, "short_text", "Type of the values: one of `field_values`, any text of up to 255 characters, or a date such as 2015-05-13."),
        "field_values": {
            "type": ["array", "null"],
            "description": "Values of a category, which needs at least one. Other types have none.",
            "maxItems": 1000,
            "items": {"type": "string", "maxLength": MAX_NAME_CHARS},
        },
    });
    let create = request_object(properties.clone(), &["partner_name"]);
    let update = request_object(properties, &[]);
    let field = response_object(
        json!({
            "partner_name": {"type": "string", "description": "Key in `custom_data`."},
            "friendly_name": {"type": "string", "description": "Display name."},
            "data_type": enumeration(&TYPES, "Type of the values."),
            "field_values": {"type": "array", "items": {"type": "string"}},
        }),
        &[],
    );
    vec![
        ("CustomDataFieldCreate", with_example(create, field_example())),
        ("CustomDataFieldRequest", with_example(update, field_example())),
        ("CustomDataField", with_example(field, field_example())),
        ("CustomDataRequest", custom_data_request()),
        ("CustomData", custom_data()),
    ]
}

/// Custom data of an object in a request.
fn custom_data_request() -> Value {
    json!({
        "description": "Partner name → value. Replaces all values. A name must be one of the network's custom data fields (`channel` exists from the start). Values are returned as strings; `null` removes a name.",
        "type": ["object", "null"],
        "maxProperties": 200,
        "propertyNames": {"format": "partner-name", "minLength": 1, "maxLength": MAX_NAME_CHARS},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"], "maxLength": MAX_NAME_CHARS},
        "examples": [{"channel": "Offline newspaper"}],
    })
}

/// Custom data of an object in a response.
fn custom_data() -> Value {
    json!({
        "description": "Partner name → value. On a call, the values of its parties are merged; in order of precedence: promo number, affiliate campaign, affiliate, advertiser campaign, advertiser.",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "examples": [{"channel": "Online lead"}],
    })
}

pub(super) fn operations() -> Vec<Operation> {
    const COLLECTION: &str = "/api/custom_data_fields";
    const MEMBER: &str = "/api/custom_data_fields/{partner_name}";
    let update_example = || json!({"friendly_name": "Channel", "data_type": "category", "field_values": ["Online lead"]});
    vec![
        Operation::get(COLLECTION, "listCustomDataFields", "List custom data fields")
            .paged_list_response("CustomDataField"),
        Operation::post(COLLECTION, "createCustomDataField", "Create a custom data field")
            .request_body("CustomDataFieldCreate", field_example())
            .write_response("CustomDataField")
            .link(
                "201",
                "getCustomDataField",
                json!({"partner_name": "$response.body#/partner_name"}),
            ),
        Operation::get(MEMBER, "getCustomDataField", "Read a custom data field").object_response(
            "200",
            "The field.",
            "CustomDataField",
        ),
        Operation::post(
            MEMBER,
            "postCustomDataField",
            "Create or update a custom data field by name",
        )
        .description("A `partner_name` in the body takes precedence over the path.")
        .request_body("CustomDataFieldRequest", update_example())
        .write_response("CustomDataField"),
        Operation::put(
            MEMBER,
            "putCustomDataField",
            "Update or create a custom data field by name",
        )
        .description("A `partner_name` in the body takes precedence over the path.")
        .request_body("CustomDataFieldRequest", update_example())
        .write_response("CustomDataField"),
        Operation::delete(MEMBER, "deleteCustomDataField", "Delete a custom data field")
            .description("Values on objects are kept. Has no effect when there is no such field.")
            .object_response("200", "The field does not exist.", "Empty"),
    ]
}
