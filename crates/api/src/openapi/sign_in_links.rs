//! Links with which a user sets a password and signs in to the console.

use super::operation::Operation;
use super::schema::{NamedSchemas, legacy_timestamp, response_object, with_example};
use serde_json::json;

pub(super) fn schemas() -> NamedSchemas {
    let mut expiry =
        legacy_timestamp("Time after which the link is rejected, in the network's time zone.");
    expiry["type"] = json!("string");
    let link = response_object(
        json!({
            "url": {"type": "string", "format": "uri", "minLength": 1, "description": "The link. It is returned only once, is valid for 24 hours, and can be used once."},
            "expires_at": expiry,
        }),
        &[],
    );
    let example = json!({
        "url": "https://trunkline.example/sign_in_link?token=tl2_5f0c…",
        "expires_at": "2026-11-21 12:00:00 -0800",
    });
    vec![("SignInLink", with_example(link, example))]
}

pub(super) fn operations() -> Vec<Operation> {
    let description = "Creates a link for the user. On the page that it opens the user sets a password, which ends the user's other sessions, and is then signed in. It replaces the user's earlier link, and ends when a grant or an address of the user changes. Requires the role Manager or Super, and no grant of the user above the credential's own. A body is ignored.";
    let operation = Operation::post(
        "/trunkline/users/{user}/sign_in_links",
        "createSignInLink",
        "Create a sign-in link for a user",
    );
    let operation = operation.description(description);
    vec![operation.object_response("201", "The link. It is not returned again.", "SignInLink")]
}
