//! Undoing one change, and not what came after it.

use serde_json::{Value, json};
use trunkline_tests::body::campaign_path;
use trunkline_tests::{Answer, Client, Server};

/// The id of an object's newest entry.
fn newest(network: &Client, object: &str) -> i64 {
    let log = network.audit(Some(object));
    log.last().expect("an entry")["id"].as_i64().expect("an id")
}

fn revert(network: &Client, entry: i64) -> Answer {
    network.extensions().post(&format!("/audit/{entry}/revert"), json!({}))
}

#[test]
fn a_creation_is_undone_only_while_nothing_came_after_it() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/1", json!({"name": "One"})).expect(200);
    let made = newest(&network, "affiliate:1");
    network.put("/affiliates/1", json!({"name": "Renamed"})).expect(200);
    revert(&network, made).refused(403, "UnauthorizedOperation");
    assert_eq!(network.get("/affiliates/1").body(200)["name"], "Renamed");
    revert(&network, newest(&network, "affiliate:1")).expect(201);
    revert(&network, made).expect(201);
    network.get("/affiliates/1").expect(404);
}

#[test]
fn what_was_changed_since_stays() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/1", json!({"name": "One"})).expect(200);
    network.put("/affiliates/1", json!({"name": "Two"})).expect(200);
    let renamed = newest(&network, "affiliate:1");
    network.put("/affiliates/1", json!({"custom_data": {"channel": "Radio"}})).expect(200);
    revert(&network, renamed).expect(201);
    let now = network.get("/affiliates/1").body(200);
    assert_eq!((&now["name"], &now["custom_data"]["channel"]), (&json!("One"), &json!("Radio")));
    revert(&network, renamed).refused(403, "UnauthorizedOperation");
}

#[test]
fn an_edit_of_a_draft_is_undone_in_the_draft() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let path = campaign_path("354", "12");
    let before = network.get(&path).body(200);
    assert_eq!(before["future_terms"], Value::Null);
    network.put(&path, json!({"description": "one"})).expect(200);
    let described = newest(&network, "advertiser_campaign:12");
    network.put(&path, json!({"url": "http://example.com"})).expect(200);
    let linked = newest(&network, "advertiser_campaign:12");
    revert(&network, described).expect(201);
    let draft = network.get(&path).body(200)["future_terms"].clone();
    assert_eq!(draft["description"], before["current_terms"]["description"]);
    assert_eq!(draft["url"], "http://example.com");
    // With the last edit undone nothing is left of the draft.
    revert(&network, linked).expect(201);
    assert_eq!(network.get(&path).body(200)["future_terms"], Value::Null);
}

#[test]
fn statuses_go_back_step_by_step_and_drafts_stay_drafts() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let path = campaign_path("354", "12");
    let status = || network.get(&path).body(200)["status"].clone();
    network.put(&path, json!({"description": "draft"})).expect(200);
    network.post(&format!("{path}/archive"), json!({})).expect(200);
    revert(&network, newest(&network, "advertiser_campaign:12")).expect(201);
    assert_eq!(status(), "Activated");
    let now = network.get(&path).body(200);
    assert_eq!(now["future_terms"]["description"], "draft");
    assert_ne!(now["current_terms"]["description"], "draft");
    // Paused, live, and paused again.
    let drop = json!({"description": now["current_terms"]["description"]});
    network.put(&path, drop).expect(200);
    for action in ["archive", "unarchive", "go_live"] {
        network.post(&format!("{path}/{action}"), json!({})).expect(200);
    }
    let log = network.audit(Some("advertiser_campaign:12"));
    let lived = log.iter().rev().find(|entry| entry["action"] == "go_live").expect("a go_live");
    revert(&network, lived["id"].as_i64().expect("an id")).expect(201);
    assert_eq!(status(), "Paused");
}

#[test]
fn a_relationship_that_ends_with_its_party_is_in_the_log() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("354");
    network.has_affiliate("976");
    network.put("/advertisers/354/affiliates/976", json!({"status": "Approved"})).expect(200);
    network.delete("/affiliates/976").expect(200);
    let log = network.audit(Some("relationship:976/354"));
    assert_eq!(log.last().expect("an entry")["action"], "delete");
    revert(&network, newest(&network, "affiliate:976")).expect(201);
    revert(&network, newest(&network, "relationship:976/354")).expect(201);
    let again = network.get("/advertisers/354/affiliates/976").body(200);
    assert_eq!(again["status"], "Approved");
}
