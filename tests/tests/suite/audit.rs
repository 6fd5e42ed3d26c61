//! The audit log: entries, filters and reverts.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, assert_json_eq, dump};

#[test]
fn audit_entry_records_actor_time_and_diff() {
    let server = Server::start();
    let network = server.network();
    let request = network.request("PUT", "/affiliates/222").header("X-Request-Id", "mine-1");
    request.json(&body::affiliate("Surf Oz")).send().expect(200);
    network.put("/affiliates/222", json!({"name": "Surf Oz Magazine"})).expect(200);
    let log = network.audit_entries(Some("affiliate:222"));
    assert_eq!(log.len(), 2);
    let created = &log[0];
    assert_eq!(created["request_id"], "mine-1");
    let own = created["server_request_id"].as_str().expect("an id of the server");
    assert!(own.len() == 32 && own != "mine-1", "{own}");
    assert!(
        created["actor"].as_str().is_some_and(|actor| actor.starts_with("token:")),
        "{created}"
    );
    assert!(created["at"].is_string());
    assert_eq!(created["before"], Value::Null);
    assert_eq!(created["after"]["name"], "Surf Oz");
    let changed = &log[1];
    assert_eq!(changed["before"]["name"], "Surf Oz");
    assert_eq!(changed["after"]["name"], "Surf Oz Magazine");
    let diff = json!([{"op": "replace", "path": "/name", "value": "Surf Oz Magazine"}]);
    assert_json_eq(&changed["patch"], &diff);
    let one = network.extensions().get(&format!("/audit/{}", changed["id"])).body(200);
    assert_json_eq(&one, changed);
    network.extensions().get("/audit/999999").assert_error(404, "RecordNotFound");
}

/// A small change of a large object is a small entry, and can be reverted.
#[test]
fn entry_contains_only_the_difference() {
    let server = Server::start();
    let network = server.network();
    let users: Vec<Value> = (0..300).map(|number| body::user(&format!("user-{number}"))).collect();
    let created = network.put("/affiliates/222", json!({"name": "N0", "users": users})).body(200);
    network.put("/affiliates/222", json!({"name": "N1"})).expect(200);
    let mut changed_users = users.clone();
    changed_users[7]["first_name"] = json!("Grace");
    changed_users.remove(9);
    network.put("/affiliates/222", json!({"users": changed_users})).expect(200);
    let log = network.audit_entries(Some("affiliate:222"));
    let property_names = |state: &Value| -> Vec<String> {
        state.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(log[0]["after"]["users"].as_array().map(Vec::len), Some(300));
    assert_eq!(log[1]["before"], json!({"name": "N0"}));
    assert_eq!(log[1]["after"], json!({"name": "N1"}));
    assert_eq!(property_names(&log[2]["before"]), ["users"]);
    let ids = |state: &Value| -> Vec<String> {
        let users = state["users"].as_array().expect("users");
        users
            .iter()
            .filter_map(|user| user["id_from_network"].as_str())
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(ids(&log[2]["before"]), ["user-7", "user-9"]);
    assert_eq!(ids(&log[2]["after"]), ["user-7"]);
    assert!(log[2].to_string().len() < 5_000, "{}", log[2]);

    // Each of the two changes is reverted by itself, whatever came after it.
    let later = json!({"status": "Suspended"});
    network.put("/affiliates/222", later).expect(200);
    for entry in [&log[1], &log[2]] {
        network.extensions().post(&format!("/audit/{}/revert", entry["id"]), json!({})).expect(201);
    }
    let restored = network.get("/affiliates/222").body(200);
    assert_eq!((&restored["name"], &restored["status"]), (&json!("N0"), &json!("Suspended")));
    let users = |party: &Value| {
        let mut users = party["users"].as_array().expect("users").clone();
        users.sort_by_key(|user| user["id_from_network"].to_string());
        users
    };
    assert_eq!(users(&restored), users(&created));
    // An item that was changed again is not reverted.
    let mut again = users(&restored);
    again[0]["first_name"] = json!("Ida");
    network.put("/affiliates/222", json!({"users": again})).expect(200);
    let entry = network.audit_entries(Some("affiliate:222")).pop().expect("an entry");
    again[0]["first_name"] = json!("Joan");
    network.put("/affiliates/222", json!({"users": again})).expect(200);
    let revert = format!("/audit/{}/revert", entry["id"]);
    let response = network.extensions().post(&revert, json!({}));
    response.assert_error(403, "UnauthorizedOperation");
}

#[test]
fn audit_log_is_filtered_and_paged() {
    let server = Server::start();
    let network = server.network();
    for number in 0..5 {
        network.has_affiliate(&number.to_string());
    }
    let log = network.audit_entries(None);
    assert_eq!(log.len(), 5);
    let extensions = network.extensions();
    let get = |query: &str| extensions.get(&format!("/audit{query}")).body(200);
    let actor = log[0]["actor"].as_str().unwrap();
    assert_eq!(get(&format!("?actor={actor}")).as_array().map(Vec::len), Some(5));
    assert_json_eq(&get("?actor=token:999"), &json!([]));
    assert_json_eq(&get("?to=2020-01-01"), &json!([]));
    assert_json_eq(&get("?from=2099-01-01"), &json!([]));
    assert_eq!(get("?from=2020-01-01&to=2099-01-01").as_array().map(Vec::len), Some(5));
    let page = extensions.get("/audit?limit=2").expect(200);
    assert!(page.header("link").is_some());
    assert_json_eq(&page.json(), &json!([log[0], log[1]]));
    assert_json_eq(&get(&format!("?start_after_id={}", log[3]["id"])), &json!([log[4]]));
    extensions.get("/audit?from=yesterday").assert_invalid(&json!({"from": ["is invalid"]}));
}

#[test]
fn rejected_write_leaves_no_entry() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let log = network.audit_entries(None).len();
    network.put("/affiliates/222", json!({"name": ""})).expect(403);
    network.delete("/affiliates/223").expect(200);
    network.request("PUT", "/affiliates/222").json_text("{").send().expect(400);
    assert_eq!(network.audit_entries(None).len(), log);
}

/// Makes a change, reverts it, and asserts that the object is as before.
#[track_caller]
fn assert_revert_restores(network: &Client, path: &str, change: &Value) {
    // A revert does not restore ids and times.
    let timeless = |mut current: Value| {
        for terms in ["current_terms", "future_terms"] {
            if let Some(terms) = current.get_mut(terms).and_then(Value::as_object_mut) {
                for name in ["id", "created_at", "updated_at", "go_live_date"] {
                    terms.shift_remove(name);
                }
            }
        }
        current
    };
    let before = timeless(network.get(path).body(200));
    network.put(path, change.clone()).expect(200);
    assert_ne!(timeless(network.get(path).body(200)), before, "{path}: nothing changed");
    let entry = network.audit_entries(None).pop().expect("an entry");
    let revert = format!("/audit/{}/revert", entry["id"]);
    let reverted = network.extensions().post(&revert, json!({}));
    assert!([200, 201].contains(&reverted.status), "{path}: {}", reverted.text());
    assert_json_eq(&timeless(network.get(path).body(200)), &before);
    let log = network.audit_entries(None);
    assert!(log.last().is_some_and(|last| last["id"] != entry["id"]), "{path}: no new entry");
}

#[test]
fn revert_restores_every_kind_of_object() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    network.put("/advertisers/1", body::full_advertiser("1")).expect(200);
    network.put("/affiliates/222", body::full_affiliate("222")).expect(200);
    network.put("/network", json!({"users": [body::full_user("9")]})).expect(200);
    network.has_live_campaign("1", "12", json!({}));
    network.put(&campaign_path("1", "13"), body::full_campaign("13")).expect(200);
    network.post(&affiliate_campaign_path("1", "12", "222"), json!({})).expect(201);
    let new = json!({"description": "Radio", "media_type": "Radio", "id_from_network": "own"});
    let number = network.post(&format!("{}/promo_numbers", campaign_path("1", "12")), new);
    let number = number.body(201)["promo_number"].as_str().unwrap().to_owned();
    network.put("/advertisers/1/affiliates/222", json!({"status": "Pending"})).expect(200);
    network.put("/custom_data_fields/colour", json!({"friendly_name": "Colour"})).expect(200);
    let changes = [
        ("/network".to_owned(), json!({"name": "Renamed", "users": []})),
        (
            "/advertisers/1".to_owned(),
            json!({"name": "Renamed", "users": [], "custom_data": {}, "oauth_refresh_token": null}),
        ),
        (
            "/affiliates/222".to_owned(),
            json!({"status": "Suspended", "sites": [{"id_from_network": "9"}], "users": []}),
        ),
        (
            campaign_path("1", "12"),
            json!({"name": "Renamed", "description": "new", "auto_approve": "All"}),
        ),
        (
            campaign_path("1", "13"),
            json!({"ivr_tree": null, "hours": null, "budget_activities": null, "named_regions": [], "pause_date": null, "custom_data": null}),
        ),
        (
            affiliate_campaign_path("1", "12", "222"),
            json!({"id_from_network": "other", "custom_data": {"channel": "TV"}}),
        ),
        (relationship_path("1", "222"), json!({"status": "Declined"})),
        (
            "/custom_data_fields/colour".to_owned(),
            json!({"data_type": "category", "field_values": ["red"]}),
        ),
        (
            format!("{}/promo_numbers/{number}", campaign_path("1", "12")),
            json!({"description": "TV", "id_from_network": "other"}),
        ),
    ];
    for (path, change) in changes {
        assert_revert_restores(&network, &path, &change);
    }
}

#[test]
fn revert_restores_a_decision_on_an_application() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    let path = affiliate_campaign_path("1", "12", "222");
    network.put(&path, json!({"status": "Approved"})).expect(200);
    assert_revert_restores(&network, &path, &json!({"status": "Suspended"}));
    network.put(&path, json!({"status": "Suspended"})).expect(200);
    assert_revert_restores(&network, &path, &json!({"status": "Approved"}));
}

fn revert_last(network: &Client, object: &str) -> trunkline_tests::Response {
    let entry = network.audit_entries(Some(object)).pop().expect("an entry");
    network.extensions().post(&format!("/audit/{}/revert", entry["id"]), json!({}))
}

#[test]
fn reverting_creations_and_deletions_runs_the_usual_checks() {
    let server = Server::start();
    let network = server.network();
    let created = network.put("/affiliates/222", body::full_affiliate("222")).body(200);
    assert!(revert_last(&network, "affiliate:222").status < 300);
    network.get("/affiliates/222").expect(404);
    // Reverting the revert creates it again; its id may differ.
    assert!(revert_last(&network, "affiliate:222").status < 300);
    let repeated = network.get("/affiliates/222").body(200);
    for property in ["name", "status", "sites", "users", "custom_data"] {
        assert_json_eq(&repeated[property], &created[property]);
    }
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    // A party with campaigns can't be deleted, neither directly nor by a revert.
    assert_eq!(revert_last(&network, "advertiser:1").status, 403);
    // Campaigns are never deleted.
    assert_eq!(revert_last(&network, "advertiser_campaign:12").status, 403);
    network.get(&campaign_path("1", "12")).expect(200);
    network.put("/custom_data_fields/colour", json!({})).expect(200);
    assert!(revert_last(&network, "custom_data_field:colour").status < 300);
    network.get("/custom_data_fields/colour").expect(404);
    network.put("/advertisers/1/affiliates/222", json!({"status": "Approved"})).expect(200);
    assert!(revert_last(&network, "relationship:222/1").status < 300);
    network.get("/advertisers/1/affiliates/222").expect(404);
}

#[test]
fn archive_and_second_go_live_are_reverted() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({"description": "first"}));
    let path = campaign_path("1", "12");
    network.put(&path, json!({"description": "second"})).expect(200);
    network.go_live("1", "12");
    assert!(revert_last(&network, "advertiser_campaign:12").status < 300);
    let current = network.get(&path).body(200);
    assert_eq!(current["current_terms"]["description"], "first");
    assert_eq!(current["future_terms"]["description"], "second");
    network.post(&format!("{path}/archive"), json!({})).expect(200);
    let archived = network.get(&path).body(200);
    assert_eq!(archived["status"], "Archived");
    let revert = revert_last(&network, "advertiser_campaign:12");
    let status = network.get(&path).body(200)["status"].clone();
    // A revert cannot reach a status that a write cannot set: an archived campaign can only become
    // Paused.
    assert!(
        revert.status == 403 && status == "Archived" || revert.status < 300 && status != "Archived"
    );
}

#[test]
fn impossible_revert_changes_nothing() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    network.put("/affiliates/222", json!({"name": "Renamed"})).expect(200);
    let entry = network.audit_entries(Some("affiliate:222")).pop().expect("an entry");
    // Another affiliate has the name now.
    network.put("/affiliates/223", json!({"name": "Affiliate 222"})).expect(200);
    let before = dump(&network);
    let revert = format!("/audit/{}/revert", entry["id"]);
    let accepted = json!({"name": ["has already been taken"]});
    network.extensions().post(&revert, json!({})).assert_invalid(&accepted);
    network
        .extensions()
        .post("/audit/999999/revert", json!({}))
        .assert_error(404, "RecordNotFound");
    assert_json_eq(&dump(&network), &before);
}
