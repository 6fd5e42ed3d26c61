//! Affiliate campaigns document before 2016-07-01. Its "@version" is 2015-05-01 here.

use super::affiliate_campaigns_world;
use serde_json::json;
use trunkline_tests::{body, fixture};

const VERSION: &str = "2015-05-01";

fn path(affiliate: &str) -> String {
    format!("{}.json", body::affiliate_campaign_path("354", "12", affiliate))
}

#[test]
fn get_affiliate_campaign_of_976() {
    let (_server, network) = affiliate_campaigns_world();
    let current = fixture("affiliate_campaigns_2015_05_01/get_affiliate_campaign_response");
    network.with_version(VERSION).get(&path("976")).assert_json(200, &current);
    // "…/affiliate_campaigns/<affiliate_campaign_id_from_network>.json"
    let base_path = body::affiliate_campaign_path("354", "12", "976");
    network.with_version(VERSION).get(&format!("{base_path}/11.json")).assert_json(200, &current);
    network
        .with_version(VERSION)
        .get(&format!("{base_path}/12.json"))
        .assert_error(404, "RecordNotFound");
}

#[test]
fn list_affiliate_campaigns() {
    let (_server, network) = affiliate_campaigns_world();
    let current = fixture("affiliate_campaigns_2015_05_01/get_affiliate_campaign_response");
    let list = "/advertisers/354/advertiser_campaigns/12/affiliates.json";
    network.with_version(VERSION).get(list).assert_json(200, &json!([current]));
}

#[test]
fn create_affiliate_campaign_of_975() {
    let (_server, network) = affiliate_campaigns_world();
    let request = fixture("affiliate_campaigns_2015_05_01/create_affiliate_campaign_request");
    let expected = body::merged(
        fixture("affiliate_campaigns_2015_05_01/get_affiliate_campaign_response"),
        json!({
            "status": "Applied",
            "affiliate_campaign_id_from_network": "2234",
            "affiliate_id_from_network": "975",
        }),
    );
    let client = network.with_version(VERSION);
    client.post(&path("975"), request).assert_json(201, &expected);
    client.get(&path("975")).assert_json(200, &expected);
}

#[test]
fn create_in_a_campaign_that_approves_all() {
    let (_server, network) = affiliate_campaigns_world();
    let all = json!({"auto_approve": "All"});
    network.put(&body::campaign_path("354", "12"), all).expect(200);
    let request = fixture("affiliate_campaigns_2015_05_01/create_affiliate_campaign_request");
    let response = network.with_version(VERSION).post(&path("975"), request).body(201);
    assert_eq!(response["status"], "Approved_NotActive");
}

/// As in the document of 2018-11-01, the example is headed "Not Found - 404" and shows code 403.
#[test]
fn create_with_a_status_other_than_applied() {
    let (_server, network) = affiliate_campaigns_world();
    network.has_campaign("354", "13", json!({}));
    let path = |campaign| body::affiliate_campaign_path("354", campaign, "976");
    let request = fixture("affiliate_campaigns_2015_05_01/not_found_request");
    let rejected = network.with_version(VERSION).post(&path("13"), request.clone());
    rejected.assert_json(403, &fixture("affiliate_campaigns_2015_05_01/not_found_response"));
    network.with_version(VERSION).post(&path("14"), request).assert_error(404, "RecordNotFound");
}

#[test]
fn update_status_to_approved() {
    let (_server, network) = affiliate_campaigns_world();
    let client = network.with_version(VERSION);
    client.put(&path("976"), json!({"status": "Suspended"})).expect(200);
    let request = fixture("affiliate_campaigns_2015_05_01/update_affiliate_campaign_request");
    let current = fixture("affiliate_campaigns_2015_05_01/get_affiliate_campaign_response");
    client.put(&path("976"), request).assert_json(200, &current);
}

/// "You are not allowed to delete an Affiliate Campaign."
#[test]
fn delete_is_not_allowed() {
    let (_server, network) = affiliate_campaigns_world();
    network.with_version(VERSION).delete(&path("976")).assert_error(403, "UnauthorizedOperation");
    network.get(&path("976")).expect(200);
}
