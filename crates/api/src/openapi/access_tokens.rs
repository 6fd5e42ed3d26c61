//! One-time tokens that sign a user in to the console.

use super::operation::Operation;
use super::schema::{NamedSchemas, object_id, response_object, with_example};
use serde_json::json;

pub(super) fn schemas() -> NamedSchemas {
    let access_token = response_object(
        json!({
            "token": {"type": "string", "minLength": 1, "description": "The token. It is returned only once, is valid for 5 minutes, and can be used once."},
            "id": object_id("the token"),
        }),
        &[],
    );
    vec![("AccessToken", with_example(access_token, json!({"token": "o4fzq0f…", "id": 1})))]
}

pub(super) fn operations() -> Vec<Operation> {
    let description = "Creates a one-time token for the user, valid for 5 minutes. Appended to an `object_url` as `?access_token=…`, it signs the user in to the console. A body is ignored.";
    let create = |route: &'static str, id: &str, organization: &str| {
        let summary = format!("Create an access token for a user of {organization}");
        let created = "The token. It is not returned again.";
        let operation = Operation::post(route, id, &summary).description(description);
        operation.object_response("201", created, "AccessToken")
    };
    vec![
        create(
            "/api/network/{email}/create_access_token",
            "createNetworkAccessToken",
            "the network",
        ),
        create(
            "/api/advertisers/{advertiser}/{email}/create_access_token",
            "createAdvertiserAccessToken",
            "an advertiser",
        ),
        create(
            "/api/affiliates/{affiliate}/{email}/create_access_token",
            "createAffiliateAccessToken",
            "an affiliate",
        ),
    ]
}
