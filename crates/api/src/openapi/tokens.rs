//! API tokens.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, legacy_timestamp, nullable_text, nullable_timestamp, object_id,
    request_object, response_object, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::party::{MAX_NAME_CHARS, Role};

fn request_example() -> Value {
    json!({"label": "Nightly report", "role": "Observer", "scope": {"affiliate": "976"}, "expires_at": "2099-12-31"})
}

fn role() -> Value {
    enumeration(&Role::ALL.map(Role::as_str), "Role of the token within its scope.")
}

/// Properties of a token in a response, with its text where it is returned.
fn response_properties() -> Value {
    json!({
        "id": object_id("the token"),
        "label": {"type": ["string", "null"], "description": "Label for people."},
        "role": role(),
        "scope": {
            "type": "object",
            "description": "Extent of the token: the network by its id, or an advertiser or affiliate by its external id.",
            "properties": {
                "network": {"type": "integer", "minimum": 1, "format": "int64"},
                "advertiser": {"type": "string"},
                "affiliate": {"type": "string"},
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "expires_at": legacy_timestamp("Time after which the token is rejected, in the network's time zone; `null` if it does not expire."),
        "last_used_on": {"type": ["string", "null"], "format": "date", "description": "Day on which the token was last used, in the network's time zone; `null` if it was not used. Other servers on the database learn of a use within a minute."},
        "token": {"type": "string", "pattern": "^tl_[0-9a-f]{64}$", "description": "The token. It is returned only once, by the request that creates it: not if an `Idempotency-Key` repeats that request."},
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let id = json!({"type": ["string", "integer"], "maxLength": MAX_NAME_CHARS});
    let request = request_object(
        json!({
            "label": nullable_text(MAX_NAME_CHARS, "Label for people."),
            "role": role(),
            "scope": {
                "type": ["object", "null"],
                "description": "Extent of the token, one property: `network`, `advertiser` or `affiliate`, with its id. Default: that of the credential. `edge` is rejected: this server has no edges.",
                "properties": {
                    "network": {"type": ["string", "integer"], "pattern": "^[0-9]+$", "minimum": 1},
                    "advertiser": id,
                    "affiliate": id,
                },
                "minProperties": 1,
                "maxProperties": 1,
            },
            "expires_at": nullable_timestamp("Time after which the token is rejected; a date is the end of that day. Default: it does not expire."),
        }),
        &["role"],
    );
    vec![
        ("TokenRequest", with_example(request, request_example())),
        ("Token", response_object(response_properties(), &["token"])),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/tokens", "listTokens", "List tokens")
            .description("Lists the tokens in the scopes of the credential, without those that were deleted. This and the other operations on tokens require the role Manager or Super: of the network for all tokens, of an advertiser or affiliate for its own.")
            .paged_list_response("Token"),
        Operation::post("/trunkline/tokens", "createToken", "Create a token")
            .description("The role must not be above the credential's own in that scope. A scope can have 1,000 tokens. With an `Idempotency-Key` the same request creates one token; the repeated response does not contain it.")
            .parameter("Idempotency-Key")
            .request_body("TokenRequest", request_example())
            .object_response("201", "The token.", "Token"),
        Operation::delete("/trunkline/tokens/{id}", "deleteToken", "Delete a token")
            .description("The token is rejected from the next request on. The role of the token must not be above the credential's own; a credential can delete itself. Has no effect when the token was deleted already.")
            .object_response("200", "The token does not exist.", "Empty"),
    ]
}
