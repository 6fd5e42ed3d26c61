//! seeds/001: affiliate campaigns before 2016-07-01 (its "@version" is 2015-05-01 here).

use super::affiliate_campaigns;
use serde_json::json;
use trunkline_tests::{body, fixture};

const VERSION: &str = "2015-05-01";

fn path(affiliate: &str) -> String {
    format!("{}.json", body::affiliate_campaign_path("354", "12", affiliate))
}

#[test]
fn seed_001_get_affiliate_campaign_of_976() {
    let (_server, network) = affiliate_campaigns();
    let shown = fixture("001/get_affiliate_campaign_response");
    network.on(VERSION).get(&path("976")).is(200, &shown);
    // "…/affiliate_campaigns/<affiliate_campaign_id_from_network>.json"
    let own = body::affiliate_campaign_path("354", "12", "976");
    network.on(VERSION).get(&format!("{own}/11.json")).is(200, &shown);
    network.on(VERSION).get(&format!("{own}/12.json")).refused(404, "RecordNotFound");
}

#[test]
fn seed_001_get_all_affiliate_campaigns() {
    let (_server, network) = affiliate_campaigns();
    let shown = fixture("001/get_affiliate_campaign_response");
    let list = "/advertisers/354/advertiser_campaigns/12/affiliates.json";
    network.on(VERSION).get(list).is(200, &json!([shown]));
}

#[test]
fn seed_001_create_affiliate_campaign_of_975() {
    let (_server, network) = affiliate_campaigns();
    let request = fixture("001/create_affiliate_campaign_request");
    let expected = body::with(
        fixture("001/get_affiliate_campaign_response"),
        json!({
            "status": "Applied",
            "affiliate_campaign_id_from_network": "2234",
            "affiliate_id_from_network": "975",
        }),
    );
    let client = network.on(VERSION);
    client.post(&path("975"), request).is(201, &expected);
    client.get(&path("975")).is(200, &expected);
}

#[test]
fn seed_001_create_in_a_campaign_that_approves_all() {
    let (_server, network) = affiliate_campaigns();
    let all = json!({"auto_approve": "All"});
    network.put(&body::campaign_path("354", "12"), all).expect(200);
    let request = fixture("001/create_affiliate_campaign_request");
    let answer = network.on(VERSION).post(&path("975"), request).body(201);
    assert_eq!(answer["status"], "Approved_NotActive");
}

/// As in seeds/000: headed "Not Found - 404", and shown with code 403.
#[test]
fn seed_001_create_with_another_status_than_applied() {
    let (_server, network) = affiliate_campaigns();
    network.has_campaign("354", "13", json!({}));
    let path = |campaign| body::affiliate_campaign_path("354", campaign, "976");
    let request = fixture("001/not_found_request");
    let refused = network.on(VERSION).post(&path("13"), request.clone());
    refused.is(403, &fixture("001/not_found_response"));
    network.on(VERSION).post(&path("14"), request).refused(404, "RecordNotFound");
}

#[test]
fn seed_001_update_status_to_approved() {
    let (_server, network) = affiliate_campaigns();
    let client = network.on(VERSION);
    client.put(&path("976"), json!({"status": "Suspended"})).expect(200);
    let request = fixture("001/update_affiliate_campaign_request");
    let shown = fixture("001/get_affiliate_campaign_response");
    client.put(&path("976"), request).is(200, &shown);
}

/// "You are not allowed to delete an Affiliate Campaign."
#[test]
fn seed_001_delete_is_not_allowed() {
    let (_server, network) = affiliate_campaigns();
    network.on(VERSION).delete(&path("976")).refused(403, "UnauthorizedOperation");
    network.get(&path("976")).expect(200);
}
