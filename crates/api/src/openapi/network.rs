//! The network itself.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, name, reference, request};
use super::users::user_example;
use serde_json::{Value, json};
use trunkline_domain::party::USER_LIMIT;

/// The full set of users that a request says.
pub(super) fn users() -> Value {
    json!({
        "type": "array",
        "description": "The full set of users: whoever is left out is removed; `[]` removes all.",
        "maxItems": USER_LIMIT,
        "items": reference("UserRequest"),
    })
}

pub(super) fn schemas() -> Schemas {
    let request = request(
        "A network to write",
        json!({"name": name("What people know it by."), "users": users()}),
        &[],
    );
    let shown = answer(
        "Network",
        json!({
            "name": {"type": "string", "description": "What people know it by."},
            "users": {"type": "array", "items": reference("User"), "description": "People with a role in the network itself."},
        }),
        &[],
    );
    vec![
        ("NetworkRequest", example(request, network_example())),
        ("Network", example(shown, json!({"name": "Demo Network", "users": []}))),
    ]
}

fn network_example() -> Value {
    json!({"name": "Demo Network", "users": [user_example()]})
}

pub(super) fn operations() -> Vec<Operation> {
    const PATH: &str = "/api/network";
    let about = "A property that is absent stays as it is; `users` replaces the full set.";
    vec![
        Operation::get(PATH, "getNetwork", "Read the network").answers(
            "200",
            "The network.",
            "Network",
        ),
        Operation::post(PATH, "postNetwork", "Update the network, answering 201")
            .about(about)
            .takes("NetworkRequest", network_example())
            .writes("Network"),
        Operation::put(PATH, "putNetwork", "Update the network")
            .about(about)
            .takes("NetworkRequest", network_example())
            .writes("Network"),
    ]
}
