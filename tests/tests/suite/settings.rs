//! Settings of the network.

use serde_json::{Value, json};
use trunkline_domain::party::Role;
use trunkline_tests::{Server, assert_json_eq};

fn defaults() -> Value {
    json!({
        "time_zone": "Pacific Time (US & Canada)",
        "currency": "USD",
        "auto_generate_ids": true,
        "number_quarantine_days": 30,
        "affiliates_see_caller_id": false,
        "affiliates_hear_recordings": false,
        "recording_days": 365,
        "recorded_prompt": "This call may be recorded.",
        "unassigned_number_prompt": "The number you have dialed is not in service.",
        "callers_per_hour": null,
    })
}

#[test]
fn settings_are_read_changed_audited_and_undone() {
    let server = Server::start();
    let network = server.network().extensions();
    network.get("/settings").assert_json(200, &defaults());
    let change = json!({"currency": "EUR", "callers_per_hour": "5", "time_zone": "Eastern Time (US & Canada)"});
    let changed = network.put("/settings", change).body(200);
    let mut expected = defaults();
    expected["currency"] = json!("EUR");
    expected["callers_per_hour"] = json!(5);
    expected["time_zone"] = json!("Eastern Time (US & Canada)");
    assert_json_eq(&changed, &expected);
    network.get("/settings").assert_json(200, &expected);
    // What was read can be sent back, and changes nothing.
    network.put("/settings", changed).assert_json(200, &expected);
    let object = format!("settings:{}", server.network_id());
    let entries = server.network().audit_entries(Some(&object));
    assert_eq!(entries.len(), 1);
    network.put("/settings", json!({"recording_days": 10})).expect(200);
    let revert = format!("/audit/{}/revert", entries[0]["id"]);
    network.post(&revert, json!({})).expect(201);
    let mut expected = defaults();
    expected["recording_days"] = json!(10);
    network.get("/settings").assert_json(200, &expected);
}

#[test]
fn new_time_zone_applies_to_the_next_request() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("976");
    network.extensions().put("/settings", json!({"time_zone": "UTC"})).expect(200);
    network.has_affiliate("977");
    let logged_at = network.audit_entries(None).pop().expect("an entry")["at"].clone();
    assert!(logged_at.as_str().is_some_and(|at| at.ends_with("+0000")), "{logged_at}");
}

#[test]
fn every_setting_is_validated() {
    let server = Server::start();
    let network = server.network().extensions();
    let wrong = json!({
        "time_zone": "Mars", "currency": "JPY", "auto_generate_ids": "perhaps",
        "number_quarantine_days": 366, "affiliates_see_caller_id": null,
        "affiliates_hear_recordings": 1, "recording_days": 0, "recorded_prompt": " ",
        "unassigned_number_prompt": "x".repeat(1_001), "callers_per_hour": 1_001,
    });
    let errors = network.put("/settings", wrong).body(403)["errors"].clone();
    assert_json_eq(
        &errors,
        &json!({
            "time_zone": ["is not included in the list"],
            "currency": ["is not included in the list"],
            "auto_generate_ids": ["is invalid"],
            "number_quarantine_days": ["must be less than or equal to 365"],
            "affiliates_see_caller_id": ["can't be blank"],
            "affiliates_hear_recordings": ["is invalid"],
            "recording_days": ["must be greater than or equal to 1"],
            "recorded_prompt": ["can't be blank"],
            "unassigned_number_prompt": ["is too long (maximum is 1000 characters)"],
            "callers_per_hour": ["must be less than or equal to 1000"],
        }),
    );
    network.get("/settings").assert_json(200, &defaults());
    for days in [0, 365] {
        let change = json!({"number_quarantine_days": days, "callers_per_hour": null});
        assert_eq!(network.put("/settings", change).body(200)["number_quarantine_days"], days);
    }
}

#[test]
fn only_super_and_manager_change_settings() {
    let server = Server::start();
    server.network().has_affiliate("976");
    let change = json!({"recording_days": 30});
    for (role, status) in
        [(Role::Super, 200), (Role::Manager, 200), (Role::Member, 403), (Role::Observer, 403)]
    {
        let client = server.network_with_role(role).extensions();
        client.get("/settings").expect(200);
        client.put("/settings", change.clone()).expect(status);
    }
    let affiliate = server.affiliate("976").extensions();
    affiliate.get("/settings").assert_error(403, "UnauthorizedOperation");
    affiliate.put("/settings", change).assert_error(403, "UnauthorizedOperation");
}

#[test]
fn affiliates_see_callers_only_where_the_setting_says_so() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    network.has_applied("354", "12", "976");
    network.report_call("1", json!({"affiliate_id_from_network": "976"}));
    let affiliate = server.affiliate("976");
    let path = "/affiliates/transactions/976";
    let columns = format!("{path}?include_columns=calling_phone_number");
    let see = |allowed: bool| {
        let change = json!({"affiliates_see_caller_id": allowed});
        network.extensions().put("/settings", change).expect(200);
        let row = affiliate.get(&columns).body(200)[0].clone();
        !row["calling_phone_number"].as_str().expect("a text").is_empty()
    };
    assert!(!see(false));
    assert!(see(true));
    assert!(affiliate.get(path).body(200)[0].get("calling_phone_number").is_none());
    assert!(!see(false));
}

#[test]
fn ids_are_generated_only_where_the_setting_says_so() {
    let server = Server::start();
    let network = server.network();
    network.extensions().put("/settings", json!({"auto_generate_ids": false})).expect(200);
    let blank = json!({"id_from_network": ["can't be blank"]});
    network.post("/affiliates", json!({"name": "A"})).assert_invalid(&blank);
}
