//! Affiliate campaigns document of 2018-11-01.

use super::{affiliate_campaigns_world, without};
use serde_json::{Value, json};
use trunkline_tests::{Client, assert_json_eq, body, fixture, with_values_from};

const VERSION: &str = "2018-11-01";

fn path(affiliate: &str) -> String {
    format!("{}.json", body::affiliate_campaign_path("354", "12", affiliate))
}

fn shown(actual: &Value) -> Value {
    let expected = fixture("affiliate_campaigns_2018_11_01/get_affiliate_campaign_response");
    with_values_from(&expected, actual, &["/id", "/object_url"])
}

/// Checks the terms URL, which the document leaves empty.
fn assert_terms_url(network: &Client, response: &Value) {
    let campaign = network.get(&body::campaign_path("354", "12")).body(200);
    let affiliate = response["affiliate_id_from_network"].as_str().unwrap();
    let affiliate = network.get(&format!("/affiliates/{affiliate}")).body(200);
    let url =
        format!("https://invoca.net/p_campaigns/terms/{}/{}", affiliate["id"], campaign["id"]);
    assert_eq!(response["object_url"], url);
}

#[test]
fn get_affiliate_campaign_of_976() {
    let (_server, network) = affiliate_campaigns_world();
    let response = network.with_version(VERSION).get(&path("976")).body(200);
    assert_json_eq(&response, &shown(&response));
    assert!(response["id"].is_i64());
    assert_terms_url(&network, &response);
}

#[test]
fn list_affiliate_campaigns() {
    let (_server, network) = affiliate_campaigns_world();
    let list = "/advertisers/354/advertiser_campaigns/12/affiliate_campaigns.json";
    let response = network.with_version(VERSION).get(list).body(200);
    assert_json_eq(&response, &json!([shown(&response[0])]));
}

#[test]
fn create_affiliate_campaign_of_975() {
    let (_server, network) = affiliate_campaigns_world();
    let request = fixture("affiliate_campaigns_2018_11_01/create_affiliate_campaign_request");
    let response = network.with_version(VERSION).post(&path("975"), request).body(201);
    let expected = body::merged(
        shown(&response),
        json!({
            "status": "Applied",
            "id_from_network": "2234",
            "affiliate_id_from_network": "975",
            "custom_data": {"channel": "Offline lead"},
        }),
    );
    assert_json_eq(&response, &expected);
    assert_json_eq(&network.with_version(VERSION).get(&path("975")).body(200), &expected);
    assert_terms_url(&network, &response);
}

/// "If the Advertiser Campaign is set to 'Approve All', the campaign will automatically
/// transition to 'Approved'."
#[test]
fn create_in_a_campaign_that_approves_all() {
    let (_server, network) = affiliate_campaigns_world();
    let all = json!({"auto_approve": "All"});
    network.put(&body::campaign_path("354", "12"), all).expect(200);
    let request = fixture("affiliate_campaigns_2018_11_01/create_affiliate_campaign_request");
    let response = network.with_version(VERSION).post(&path("975"), request).body(201);
    assert_eq!(response["status"], "Approved_NotActive");
}

/// The example is headed "Not Found - 404" and shows code 403: the first belongs to a missing campaign, the
/// second to an application with another status.
#[test]
fn create_with_a_status_other_than_applied() {
    let (_server, network) = affiliate_campaigns_world();
    network.has_campaign("354", "13", json!({}));
    let path = |campaign| body::affiliate_campaign_path("354", campaign, "976");
    let request = fixture("affiliate_campaigns_2018_11_01/not_found_request");
    let rejected = network.with_version(VERSION).post(&path("13"), request.clone());
    rejected.assert_json(403, &fixture("affiliate_campaigns_2018_11_01/not_found_response"));
    network.get(&path("13")).expect(404);
    let missing = network.with_version(VERSION).post(&path("14"), request);
    let message = missing.assert_error(404, "RecordNotFound");
    assert_eq!(message, "Could not find AdvertiserCampaign 14 for advertiser 354");
}

#[test]
fn update_status_to_approved() {
    let (_server, network) = affiliate_campaigns_world();
    let client = network.with_version(VERSION);
    let suspended = client.put(&path("976"), json!({"status": "Suspended"})).body(200);
    assert_eq!(suspended["status"], "Suspended");
    let request = fixture("affiliate_campaigns_2018_11_01/update_affiliate_campaign_request");
    let response = client.put(&path("976"), request).body(200);
    assert_json_eq(&response, &shown(&response));
}

#[test]
fn custom_data_on_an_affiliate_campaign() {
    let (_server, network) = affiliate_campaigns_world();
    let request = fixture("affiliate_campaigns_2018_11_01/custom_data_request");
    let response = network.with_version(VERSION).put(&path("976"), request.clone()).body(200);
    assert_json_eq(&response["custom_data"], &request["custom_data"]);
    let rest = without(shown(&response), "custom_data");
    assert_json_eq(&without(response, "custom_data"), &rest);
}

/// "You are not allowed to delete an Affiliate Campaign."
#[test]
fn delete_is_not_allowed() {
    let (_server, network) = affiliate_campaigns_world();
    network.with_version(VERSION).delete(&path("976")).assert_error(403, "UnauthorizedOperation");
    network.get(&path("976")).expect(200);
}
