//! Reverting one change while later changes stay.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Response, Server};

/// Id of an object's newest audit entry.
fn newest_entry_id(network: &Client, object: &str) -> i64 {
    let log = network.audit_entries(Some(object));
    log.last().expect("an entry")["id"].as_i64().expect("an id")
}

fn revert(network: &Client, entry: i64) -> Response {
    network.extensions().post(&format!("/audit/{entry}/revert"), json!({}))
}

#[test]
fn creation_can_be_reverted_only_without_later_changes() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/1", json!({"name": "One"})).expect(200);
    let created = newest_entry_id(&network, "affiliate:1");
    network.put("/affiliates/1", json!({"name": "Renamed"})).expect(200);
    revert(&network, created).assert_error(403, "UnauthorizedOperation");
    assert_eq!(network.get("/affiliates/1").body(200)["name"], "Renamed");
    revert(&network, newest_entry_id(&network, "affiliate:1")).expect(201);
    revert(&network, created).expect(201);
    network.get("/affiliates/1").expect(404);
}

#[test]
fn revert_keeps_later_changes_of_other_properties() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/1", json!({"name": "One"})).expect(200);
    network.put("/affiliates/1", json!({"name": "Two"})).expect(200);
    let renamed = newest_entry_id(&network, "affiliate:1");
    network.put("/affiliates/1", json!({"custom_data": {"channel": "Radio"}})).expect(200);
    revert(&network, renamed).expect(201);
    let now = network.get("/affiliates/1").body(200);
    assert_eq!((&now["name"], &now["custom_data"]["channel"]), (&json!("One"), &json!("Radio")));
    revert(&network, renamed).assert_error(403, "UnauthorizedOperation");
}

#[test]
fn edit_of_future_terms_is_reverted_in_the_future_terms() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let path = campaign_path("354", "12");
    let before = network.get(&path).body(200);
    assert_eq!(before["future_terms"], Value::Null);
    network.put(&path, json!({"description": "one"})).expect(200);
    let described = newest_entry_id(&network, "advertiser_campaign:12");
    network.put(&path, json!({"url": "http://example.com"})).expect(200);
    let linked = newest_entry_id(&network, "advertiser_campaign:12");
    revert(&network, described).expect(201);
    let draft = network.get(&path).body(200)["future_terms"].clone();
    assert_eq!(draft["description"], before["current_terms"]["description"]);
    assert_eq!(draft["url"], "http://example.com");
    // Reverting the last edit removes the future terms.
    revert(&network, linked).expect(201);
    assert_eq!(network.get(&path).body(200)["future_terms"], Value::Null);
}

#[test]
fn status_changes_are_reverted_in_steps_and_keep_future_terms() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let path = campaign_path("354", "12");
    let status = || network.get(&path).body(200)["status"].clone();
    network.put(&path, json!({"description": "draft"})).expect(200);
    network.post(&format!("{path}/archive"), json!({})).expect(200);
    revert(&network, newest_entry_id(&network, "advertiser_campaign:12")).expect(201);
    assert_eq!(status(), "Activated");
    let now = network.get(&path).body(200);
    assert_eq!(now["future_terms"]["description"], "draft");
    assert_ne!(now["current_terms"]["description"], "draft");
    // Paused, live, and Paused again.
    let drop = json!({"description": now["current_terms"]["description"]});
    network.put(&path, drop).expect(200);
    for action in ["archive", "unarchive", "go_live"] {
        network.post(&format!("{path}/{action}"), json!({})).expect(200);
    }
    let log = network.audit_entries(Some("advertiser_campaign:12"));
    let lived = log.iter().rev().find(|entry| entry["action"] == "go_live").expect("a go_live");
    revert(&network, lived["id"].as_i64().expect("an id")).expect(201);
    assert_eq!(status(), "Paused");
}

#[test]
fn relationship_deleted_with_its_party_is_logged() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("354");
    network.has_affiliate("976");
    network.put("/advertisers/354/affiliates/976", json!({"status": "Approved"})).expect(200);
    network.delete("/affiliates/976").expect(200);
    let log = network.audit_entries(Some("relationship:976/354"));
    assert_eq!(log.last().expect("an entry")["action"], "delete");
    revert(&network, newest_entry_id(&network, "affiliate:976")).expect(201);
    revert(&network, newest_entry_id(&network, "relationship:976/354")).expect(201);
    let repeated = network.get("/advertisers/354/affiliates/976").body(200);
    assert_eq!(repeated["status"], "Approved");
}

#[test]
fn revert_of_a_relationship_undoes_its_cascade_and_nothing_else() {
    let server = Server::start();
    let network = server.network();
    for campaign in ["12", "13", "14"] {
        network.has_live_campaign("354", campaign, json!({}));
        network.has_applied("354", campaign, "976");
    }
    let relate = |status: &str| {
        network.put("/advertisers/354/affiliates/976", json!({"status": status})).expect(200);
        newest_entry_id(&network, "relationship:976/354")
    };
    let decide = |campaign: &str, status: &str| {
        let path = affiliate_campaign_path("354", campaign, "976");
        network.put(&path, json!({"status": status})).expect(200);
    };
    let statuses = || {
        ["12", "13", "14"].map(|campaign| network.affiliate_campaign_status("354", campaign, "976"))
    };
    // Approved by hand: the relationship changes nothing there, and neither does its revert.
    decide("12", "Approved");
    let approved = relate("Approved");
    assert_eq!(statuses(), ["Approved", "Approved", "Approved"]);
    decide("14", "Suspended");
    revert(&network, approved).expect(201);
    network.get("/advertisers/354/affiliates/976").expect(404);
    assert_eq!(statuses(), ["Approved", "Applied", "Suspended"]);
    // A change of an existing relationship.
    let pending = relate("Pending");
    assert_eq!(statuses(), ["Suspended", "Declined", "Suspended"]);
    decide("13", "Approved");
    let deactivated = relate("Deactivated");
    assert_eq!(statuses(), ["Suspended", "Suspended", "Suspended"]);
    revert(&network, deactivated).expect(201);
    let now = network.get("/advertisers/354/affiliates/976").body(200);
    assert_eq!(now["status"], "Pending");
    assert_eq!(statuses(), ["Suspended", "Approved", "Suspended"]);
    revert(&network, pending).expect(201);
    assert_eq!(statuses(), ["Approved", "Approved", "Suspended"]);
}
