//! The network.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, request_array, request_object, required_text, response_object, schema_reference,
    with_example,
};
use super::users::user_example;
use serde_json::{Value, json};
use trunkline_domain::party::MAX_USERS_PER_ORGANIZATION;

/// Set of users in a request.
pub(super) fn users_property() -> Value {
    request_array(
        schema_reference("UserRequest"),
        MAX_USERS_PER_ORGANIZATION,
        "The complete set of users. Users that are not listed are removed; `[]` removes all.",
    )
}

pub(super) fn schemas() -> NamedSchemas {
    let network_request = request_object(
        json!({"name": required_text("Display name."), "users": users_property()}),
        &[],
    );
    let network = response_object(
        json!({
            "name": {"type": "string", "description": "Display name."},
            "users": {"type": "array", "items": schema_reference("User"), "description": "Users with a role in the network itself."},
        }),
        &[],
    );
    vec![
        ("NetworkRequest", with_example(network_request, network_example())),
        ("Network", with_example(network, json!({"name": "Demo Network", "users": []}))),
    ]
}

fn network_example() -> Value {
    json!({"name": "Demo Network", "users": [user_example()]})
}

pub(super) fn operations() -> Vec<Operation> {
    const PATH: &str = "/api/network";
    let description = "An absent property keeps its value; `users` replaces the complete set.";
    vec![
        Operation::get(PATH, "getNetwork", "Read the network").object_response(
            "200",
            "The network.",
            "Network",
        ),
        Operation::post(PATH, "postNetwork", "Update the network (status 201)")
            .description(description)
            .request_body("NetworkRequest", network_example())
            .write_response("Network"),
        Operation::put(PATH, "putNetwork", "Update the network")
            .description(description)
            .request_body("NetworkRequest", network_example())
            .write_response("Network"),
    ]
}
