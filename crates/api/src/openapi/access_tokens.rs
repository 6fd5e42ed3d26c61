//! One-time tokens that sign a user in to the console.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, our_id};
use serde_json::json;

pub(super) fn schemas() -> Schemas {
    let shown = answer(
        "Access token",
        json!({
            "token": {"type": "string", "minLength": 1, "description": "Shown once, good for 5 minutes and one use."},
            "id": our_id("the token"),
        }),
        &[],
    );
    vec![("AccessToken", example(shown, json!({"token": "o4fzq0f…", "id": 1})))]
}

pub(super) fn operations() -> Vec<Operation> {
    let about = "Makes a one-time token for that user, good for 5 minutes, which signs them in to the console when it is appended to any `object_url` as `?access_token=…`. The body, if there is one, is not looked at.";
    let token = |route: &'static str, id: &str, whose: &str| {
        let summary = format!("Make an access token for a user of {whose}");
        let description = "The token, which is not shown again.";
        Operation::post(route, id, &summary).about(about).answers("201", description, "AccessToken")
    };
    vec![
        token(
            "/api/network/{email}/create_access_token",
            "createNetworkAccessToken",
            "the network",
        ),
        token(
            "/api/advertisers/{advertiser}/{email}/create_access_token",
            "createAdvertiserAccessToken",
            "an advertiser",
        ),
        token(
            "/api/affiliates/{affiliate}/{email}/create_access_token",
            "createAffiliateAccessToken",
            "an affiliate",
        ),
    ]
}
