//! seeds/000: affiliate campaigns, 2018-11-01 and later.

use super::{affiliate_campaigns, without};
use serde_json::{Value, json};
use trunkline_tests::{Client, assert_same, body, fixture, patched};

const VERSION: &str = "2018-11-01";

fn path(affiliate: &str) -> String {
    format!("{}.json", body::affiliate_campaign_path("354", "12", affiliate))
}

fn shown(actual: &Value) -> Value {
    let expected = fixture("000/get_affiliate_campaign_response");
    patched(&expected, actual, &["/id", "/object_url"])
}

/// Checks what a document leaves empty.
fn has_a_page(network: &Client, answer: &Value) {
    let campaign = network.get(&body::campaign_path("354", "12")).body(200);
    let affiliate = answer["affiliate_id_from_network"].as_str().unwrap();
    let affiliate = network.get(&format!("/affiliates/{affiliate}")).body(200);
    let url =
        format!("https://invoca.net/p_campaigns/terms/{}/{}", affiliate["id"], campaign["id"]);
    assert_eq!(answer["object_url"], url);
}

#[test]
fn seed_000_get_affiliate_campaign_of_976() {
    let (_server, network) = affiliate_campaigns();
    let answer = network.on(VERSION).get(&path("976")).body(200);
    assert_same(&answer, &shown(&answer));
    assert!(answer["id"].is_i64());
    has_a_page(&network, &answer);
}

#[test]
fn seed_000_get_all_affiliate_campaigns() {
    let (_server, network) = affiliate_campaigns();
    let list = "/advertisers/354/advertiser_campaigns/12/affiliate_campaigns.json";
    let answer = network.on(VERSION).get(list).body(200);
    assert_same(&answer, &json!([shown(&answer[0])]));
}

#[test]
fn seed_000_create_affiliate_campaign_of_975() {
    let (_server, network) = affiliate_campaigns();
    let request = fixture("000/create_affiliate_campaign_request");
    let answer = network.on(VERSION).post(&path("975"), request).body(201);
    let expected = body::with(
        shown(&answer),
        json!({
            "status": "Applied",
            "id_from_network": "2234",
            "affiliate_id_from_network": "975",
            "custom_data": {"channel": "Offline lead"},
        }),
    );
    assert_same(&answer, &expected);
    assert_same(&network.on(VERSION).get(&path("975")).body(200), &expected);
    has_a_page(&network, &answer);
}

/// "If the Advertiser Campaign is set to 'Approve All', the campaign will automatically
/// transition to 'Approved'."
#[test]
fn seed_000_create_in_a_campaign_that_approves_all() {
    let (_server, network) = affiliate_campaigns();
    let all = json!({"auto_approve": "All"});
    network.put(&body::campaign_path("354", "12"), all).expect(200);
    let request = fixture("000/create_affiliate_campaign_request");
    let answer = network.on(VERSION).post(&path("975"), request).body(201);
    assert_eq!(answer["status"], "Approved_NotActive");
}

/// The example is headed "Not Found - 404" and shows code 403: the first is what a campaign that
/// is not there gets, the second what an application for another status gets.
#[test]
fn seed_000_create_with_another_status_than_applied() {
    let (_server, network) = affiliate_campaigns();
    network.has_campaign("354", "13", json!({}));
    let path = |campaign| body::affiliate_campaign_path("354", campaign, "976");
    let request = fixture("000/not_found_request");
    let refused = network.on(VERSION).post(&path("13"), request.clone());
    refused.is(403, &fixture("000/not_found_response"));
    network.get(&path("13")).expect(404);
    let missing = network.on(VERSION).post(&path("14"), request);
    let said = missing.refused(404, "RecordNotFound");
    assert_eq!(said, "Could not find AdvertiserCampaign 14 for advertiser 354");
}

#[test]
fn seed_000_update_status_to_approved() {
    let (_server, network) = affiliate_campaigns();
    let client = network.on(VERSION);
    let suspended = client.put(&path("976"), json!({"status": "Suspended"})).body(200);
    assert_eq!(suspended["status"], "Suspended");
    let request = fixture("000/update_affiliate_campaign_request");
    let answer = client.put(&path("976"), request).body(200);
    assert_same(&answer, &shown(&answer));
}

#[test]
fn seed_000_custom_data_on_an_affiliate_campaign() {
    let (_server, network) = affiliate_campaigns();
    let request = fixture("000/custom_data_request");
    let answer = network.on(VERSION).put(&path("976"), request.clone()).body(200);
    assert_same(&answer["custom_data"], &request["custom_data"]);
    let rest = without(shown(&answer), "custom_data");
    assert_same(&without(answer, "custom_data"), &rest);
}

/// "You are not allowed to delete an Affiliate Campaign."
#[test]
fn seed_000_delete_is_not_allowed() {
    let (_server, network) = affiliate_campaigns();
    network.on(VERSION).delete(&path("976")).refused(403, "UnauthorizedOperation");
    network.get(&path("976")).expect(200);
}
