//! Users: their shape, and those of an advertiser one by one.

use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, flag, name, network_id, phone, reference, request, shown_network_id,
    text, word, word_or_default,
};
use serde_json::{Map, Value, json};
use trunkline_domain::party::{NAME_LIMIT, NOTIFICATIONS, Role};

const COLLECTION: &str = "/api/advertisers/{advertiser}/users";
const MEMBER: &str = "/api/advertisers/{advertiser}/users/{user}";

/// A user as a request says it.
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

fn shown_example() -> Value {
    let mut user = user_example();
    user["phone_number"] = json!("805-708-9876");
    user["oauth_refresh_token"] = Value::Null;
    for name in NOTIFICATIONS {
        user[name] = json!(name == "notify_on_budgets");
    }
    user["can_login_via_platform"] = json!(false);
    user
}

fn emails(schema: &str) -> Value {
    json!({
        "type": "array",
        "description": "1 to 20 addresses, each once; at least one is for notifications.",
        "minItems": 1,
        "maxItems": 20,
        "items": reference(schema),
        "contains": {
            "type": "object",
            "required": ["use_for_notifications"],
            "properties": {"use_for_notifications": {"const": true}},
        },
    })
}

fn roles() -> Vec<&'static str> {
    Role::ALL.into_iter().map(Role::as_str).collect()
}

pub(super) fn schemas() -> Schemas {
    let notify = |name: &&str| {
        ((*name).to_owned(), flag("Whether mail of this kind is wanted; false by default."))
    };
    let notifications: Map<String, Value> = NOTIFICATIONS.iter().map(notify).collect();
    let mut said = json!({
        "id_from_network": network_id("The network's id of the person, unique in the network. A person is one user across organizations, with a role in each."),
        "email_settings": emails("EmailSetting"),
        "first_name": name("The first name."),
        "last_name": name("The last name."),
        "contact_phone_number": phone("ITU E.164, or the 10 digits of a US number; punctuation is dropped. `phone_number` is read as its alias."),
        "role": word_or_default(&roles(), "Super", "What the user may do in this organization; Observers only read."),
        "oauth_refresh_token": text(4_000, "Reserved: kept and returned."),
    });
    let mut shown = json!({
        "id_from_network": shown_network_id("The network's id of the person."),
        "email_settings": emails("EmailSetting"),
        "first_name": {"type": "string"},
        "last_name": {"type": "string"},
        "contact_phone_number": {"type": ["string", "null"], "description": "US numbers as `805-708-9876`, others as `+442071838750`."},
        "phone_number": {"type": ["string", "null"], "description": "The same as `contact_phone_number`."},
        "role": word(&roles(), "What the user may do in this organization."),
        "oauth_refresh_token": {"type": ["string", "null"], "description": "Reserved."},
    });
    for properties in [&mut said, &mut shown] {
        if let Some(map) = properties.as_object_mut() {
            map.extend(notifications.clone());
        }
    }
    shown["can_login_via_platform"] = json!({"type": "boolean", "readOnly": true, "description": "Whether a password is set. Read-only."});
    let partial = request("A user, in part", said.clone(), &[]);
    let required = ["id_from_network", "email_settings", "first_name", "last_name"];
    let write =
        |user: &str| request("A user, wrapped", json!({"user": reference(user)}), &["user"]);
    vec![
        ("EmailSetting", email_setting()),
        ("UserRequest", example(request("A user to write", said, &required), user_example())),
        ("UserUpdate", example(partial, json!({"role": "Manager"}))),
        ("User", example(answer("User", shown, &[]), shown_example())),
        ("UserWrite", write("UserRequest")),
        ("UserPartialWrite", write("UserUpdate")),
    ]
}

fn email_setting() -> Value {
    json!({
        "title": "One of a user's addresses",
        "type": "object",
        "required": ["email_address", "use_for_notifications"],
        "properties": {
            "email_address": {
                "type": "string",
                "format": "email",
                "maxLength": NAME_LIMIT,
                "description": "RFC 2822 addr-spec, unique for the user.",
            },
            "use_for_notifications": flag("Whether notifications go there."),
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    let wrapped = || json!({"user": user_example()});
    vec![
        Operation::get(COLLECTION, "listAdvertiserUsers", "List an advertiser's users")
            .lists_all("User"),
        Operation::post(COLLECTION, "createAdvertiserUser", "Create or update a user")
            .about("The user's `id_from_network` in the body says whom it is about. A user that exists is updated.")
            .takes("UserWrite", wrapped())
            .writes("User")
            .leads_to("201", "getAdvertiserUser", json!({
                "advertiser": "$request.path.advertiser",
                "user": "$response.body#/id_from_network",
            })),
        Operation::get(MEMBER, "getAdvertiserUser", "Read a user").answers("200", "The user, bare.", "User"),
        Operation::post(MEMBER, "postAdvertiserUser", "Create or update a user by id")
            .about("An `id_from_network` in the body takes precedence over the path's.")
            .takes("UserWrite", wrapped())
            .writes("User"),
        Operation::put(MEMBER, "putAdvertiserUser", "Update or create a user by id")
            .about("What is not said stays as it is; a user that is new needs all that is required of one. An `id_from_network` in the body takes precedence over the path's.")
            .takes("UserPartialWrite", json!({"user": {"role": "Manager"}}))
            .writes("User"),
        Operation::delete(MEMBER, "deleteAdvertiserUser", "Take a user away from an advertiser")
            .about("Does nothing when there is no such user.")
            .answers("200", "Done.", "Empty"),
    ]
}
