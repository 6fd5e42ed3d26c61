//! Users: their schemas, and operations on single users of an advertiser.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, enumeration_with_default, external_id, nullable_phone_number,
    nullable_text, request_boolean, request_object, required_text, response_external_id,
    response_object, schema_reference, with_example,
};
use serde_json::{Map, Value, json};
use trunkline_domain::party::{MAX_NAME_CHARS, NOTIFICATION_NAMES, Role};

const COLLECTION: &str = "/api/advertisers/{advertiser}/users";
const MEMBER: &str = "/api/advertisers/{advertiser}/users/{user}";

/// Example of a user in a request.
pub(super) fn user_example() -> Value {
    json!({
        "id_from_network": "1231",
        "first_name": "Ada",
        "last_name": "Affiliate",
        "email_settings": [{"email_address": "ada@example.com", "use_for_notifications": true}],
        "contact_phone_number": "805-708-9876",
        "role": "Super",
        "notify_on_budgets": true,
    })
}

fn response_example() -> Value {
    let mut user = user_example();
    user["phone_number"] = json!("805-708-9876");
    user["oauth_refresh_token"] = Value::Null;
    for name in NOTIFICATION_NAMES {
        user[name] = json!(name == "notify_on_budgets");
    }
    user["can_login_via_platform"] = json!(false);
    user
}

fn email_settings(schema: &str) -> Value {
    json!({
        "type": "array",
        "description": "1 to 20 distinct addresses, at least one of them for notifications. Required for a new user without `email_address`.",
        "minItems": 1,
        "maxItems": 20,
        "items": schema_reference(schema),
        "contains": {
            "type": "object",
            "required": ["use_for_notifications"],
            "properties": {"use_for_notifications": {"enum": [true, "true"]}},
        },
    })
}

fn roles() -> Vec<&'static str> {
    Role::ALL.into_iter().map(Role::as_str).collect()
}

pub(super) fn schemas() -> NamedSchemas {
    let notification = |name: &&str| {
        let description = match *name {
            "notify_on_budgets" => "Send budget alerts by mail to the user. Default: false.",
            _ => "Stored and returned; no mail of this kind is sent. Default: false.",
        };
        ((*name).to_owned(), request_boolean(description))
    };
    let notifications: Map<String, Value> = NOTIFICATION_NAMES.iter().map(notification).collect();
    let mut request_properties = json!({
        "id_from_network": external_id("External id of the person, unique in the network. A person is one user with a role in each organization."),
        "email_settings": email_settings("EmailSetting"),
        "first_name": required_text("First name. Required for a new user."),
        "last_name": required_text("Last name. Required for a new user."),
        "contact_phone_number": nullable_phone_number("ITU E.164, or the 10 digits of a US number; punctuation is ignored."),
        "phone_number": nullable_phone_number("Alias of `contact_phone_number`, which takes precedence."),
        "email_address": {"type": "string", "maxLength": MAX_NAME_CHARS, "description": "Single address for notifications, in place of `email_settings`."},
        "role": enumeration_with_default(&roles(), "Super", "Role in this organization; an Observer can only read."),
        "oauth_refresh_token": nullable_text(4_000, "Reserved; stored and returned."),
    });
    let mut response_properties = json!({
        "id_from_network": response_external_id("External id of the person."),
        "email_settings": email_settings("EmailSetting"),
        "first_name": {"type": "string"},
        "last_name": {"type": "string"},
        "contact_phone_number": {"type": ["string", "null"], "description": "US numbers as `805-708-9876`, others as `+442071838750`."},
        "phone_number": {"type": ["string", "null"], "description": "The same as `contact_phone_number`."},
        "role": enumeration(&roles(), "Role in this organization."),
        "oauth_refresh_token": {"type": ["string", "null"], "description": "Reserved."},
    });
    for properties in [&mut request_properties, &mut response_properties] {
        if let Some(map) = properties.as_object_mut() {
            map.extend(notifications.clone());
        }
    }
    response_properties["can_login_via_platform"] = json!({"type": "boolean", "readOnly": true, "description": "The user has a password. Read-only."});
    let wrapped = |user: &str| request_object(json!({"user": schema_reference(user)}), &["user"]);
    vec![
        ("EmailSetting", email_setting()),
        ("UserRequest", with_example(request_object(request_properties, &[]), user_example())),
        ("User", with_example(response_object(response_properties, &[]), response_example())),
        ("UserWrite", wrapped("UserRequest")),
    ]
}

fn email_setting() -> Value {
    json!({
        "type": "object",
        "required": ["email_address", "use_for_notifications"],
        "properties": {
            "email_address": {
                "type": "string",
                "format": "email",
                "maxLength": MAX_NAME_CHARS,
                "description": "RFC 2822 addr-spec, unique within the user.",
            },
            "use_for_notifications": {"type": ["boolean", "string"], "pattern": "^(true|false)$", "description": "Send notifications to this address."},
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    let request_example = || json!({"user": user_example()});
    vec![
        Operation::get(COLLECTION, "listAdvertiserUsers", "List an advertiser's users")
            .list_response("User"),
        Operation::post(COLLECTION, "createAdvertiserUser", "Create or update a user")
            .description("The `id_from_network` in the body identifies the user. An existing user is updated.")
            .request_body("UserWrite", request_example())
            .write_response("User")
            .link("201", "getAdvertiserUser", json!({
                "advertiser": "$request.path.advertiser",
                "user": "$response.body#/id_from_network",
            })),
        Operation::get(MEMBER, "getAdvertiserUser", "Read a user").object_response("200", "The user, without the wrapper `user`.", "User"),
        Operation::post(MEMBER, "postAdvertiserUser", "Create or update a user by id")
            .description("An `id_from_network` in the body takes precedence over the path.")
            .request_body("UserWrite", request_example())
            .write_response("User"),
        Operation::put(MEMBER, "putAdvertiserUser", "Update or create a user by id")
            .description("Absent properties keep their values; a new user needs all required properties. An `id_from_network` in the body takes precedence over the path.")
            .request_body("UserWrite", json!({"user": {"role": "Manager"}}))
            .write_response("User"),
        Operation::delete(MEMBER, "deleteAdvertiserUser", "Remove a user from an advertiser")
            .description("Has no effect when there is no such user.")
            .object_response("200", "The advertiser does not have the user.", "Empty"),
    ]
}
