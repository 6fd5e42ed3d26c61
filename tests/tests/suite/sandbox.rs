//! Sandboxes: adjustable clock, simulated calls and reset.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use trunkline_tests::body::{
    affiliate_campaign_path, base_policy, campaign_path, connect_node, user,
};
use trunkline_tests::{Client, Server, assert_json_eq, dump};

const FILLED: &str = "2026-10-01T15:00:00Z";
const NOW: &str = "2026-10-31T15:00:00Z";

fn post_sandbox(network: &Client, path: &str, body: Value) -> Value {
    network.extensions().post(&format!("/sandbox/{path}"), body).body(200)
}

fn set_clock(network: &Client, now: &str) {
    let message = post_sandbox(network, "clock", json!({"now": now}));
    assert_json_eq(&message, &json!({"sandbox": true, "clock": {"now": now, "frozen": true}}));
}

fn simulate(network: &Client, simulation: Value) -> Value {
    network.extensions().post("/sandbox/calls", simulation).body(201)
}

/// Creates a campaign 12 with a menu that went live 30 days before the clock's time, and approved affiliates
/// 976 and 975; 976 has a promo number.
fn create_objects(server: &Server) -> Client {
    let network = server.network();
    server.add_numbers(&["8005550142", "8005550143"]);
    set_clock(&network, FILLED);
    let menu = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect_node(), connect_node()]});
    let more = json!({
        "auto_approve": "All",
        "timezone": "UTC",
        "advertiser_payin": base_policy(7.0, "duration > 90"),
        "ivr_tree": {"root": menu},
    });
    network.has_live_campaign("354", "12", more);
    network.has_applied("354", "12", "976");
    network.has_applied("354", "12", "975");
    let number = json!({"description": "Front page", "media_type": "Radio"});
    let path = affiliate_campaign_path("354", "12", "976");
    network.post(&format!("{path}/promo_numbers"), number).expect(201);
    set_clock(&network, NOW);
    network
}

fn stats(network: &Client) -> Value {
    network.get(&format!("{}/quick_stats", campaign_path("354", "12"))).body(200)["stats"].clone()
}

#[test]
fn ordinary_network_rejects_sandbox_requests() {
    let server = Server::start();
    let network = server.network().extensions();
    let message = network.get("/sandbox").assert_error(403, "UnauthorizedOperation");
    assert!(message.contains("is not a sandbox"), "{message}");
    for (path, body) in [("clock", json!({"now": NOW})), ("calls", json!({})), ("reset", json!({}))]
    {
        let rejected = network.post(&format!("/sandbox/{path}"), body);
        assert_eq!(rejected.assert_error(403, "UnauthorizedOperation"), message, "{path}");
    }
}

#[test]
fn sandbox_requests_need_write_access_to_the_network() {
    let server = Server::builder().sandbox().start();
    server.network().has_affiliate("976");
    let observer = server.observer().extensions();
    assert_eq!(observer.get("/sandbox").body(200)["clock"]["frozen"], false);
    let affiliate = server.affiliate("976").extensions();
    affiliate.get("/sandbox").assert_error(403, "UnauthorizedOperation");
    for path in ["clock", "calls", "reset"] {
        for client in [&observer, &affiliate] {
            let rejected = client.post(&format!("/sandbox/{path}"), json!({"now": NOW}));
            rejected.assert_error(403, "UnauthorizedOperation");
        }
    }
    server.network().get("/affiliates/976").expect(200);
}

#[test]
fn clock_is_set_advanced_and_released() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    set_clock(&network, NOW);
    network.has_affiliate("976");
    let logged_at = network.audit_entries(None)[0]["at"].as_str().expect("a time").to_owned();
    assert_eq!(logged_at, "2026-10-31 08:00:00 -0700");
    let moved = post_sandbox(&network, "clock", json!({"advance": 3600}));
    assert_eq!(moved["clock"]["now"], "2026-10-31T16:00:00Z");
    let backwards = post_sandbox(&network, "clock", json!({"advance": -86_400}));
    assert_eq!(backwards["clock"]["now"], "2026-10-30T16:00:00Z");
    assert_json_eq(&network.extensions().get("/sandbox").body(200), &backwards);
    // A time without a zone is in the network's time zone.
    let local = post_sandbox(&network, "clock", json!({"now": "2026-11-02 08:00:00"}));
    assert_eq!(local["clock"]["now"], "2026-11-02T16:00:00Z");
    let released = post_sandbox(&network, "clock", json!({"now": null}));
    assert_eq!(released["clock"]["frozen"], false);
    // Advancing is relative to the clock's current time, and stops it there.
    let on = post_sandbox(&network, "clock", json!({"advance": 60}));
    assert_eq!(on["clock"]["frozen"], true);
}

#[test]
fn invalid_clock_settings_are_reported() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    let send = |body: Value| network.extensions().post("/sandbox/clock", body);
    send(json!({})).assert_invalid(&json!({"now": ["can't be blank"]}));
    send(json!({"now": "soon"})).assert_invalid(&json!({"now": ["is invalid"]}));
    let range = "must result in a time from 2000 to 2099";
    for out in ["1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-01-01"] {
        send(json!({"now": out})).assert_invalid(&json!({"now": [range]}));
    }
    send(json!({"now": NOW, "advance": 1}))
        .assert_invalid(&json!({"advance": ["can't be given with now"]}));
    send(json!({"advance": 1.5})).assert_invalid(&json!({"advance": ["must be an integer"]}));
    send(json!({"advance": "x"})).assert_invalid(&json!({"advance": ["is not a number"]}));
    send(json!({"advance": i64::MAX}))
        .assert_invalid(&json!({"advance": ["must be less than or equal to 315619200"]}));
    send(json!({"advance": -315_619_201}))
        .assert_invalid(&json!({"advance": ["must be greater than or equal to -315619200"]}));
    set_clock(&network, "2099-12-31T23:59:59Z");
    send(json!({"advance": 1})).assert_invalid(&json!({"advance": [range]}));
    assert_eq!(send(json!({"now": null})).body(200)["clock"]["frozen"], false);
}

#[test]
fn advancing_the_clock_triggers_timed_changes() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    set_clock(&network, "2026-10-31T12:00:00Z");
    let cap = json!({"budget_amount": 1, "budget_currency": "USD", "reset_period": "Daily",
        "starts_at": "2026-10-01T00:00:00Z", "time_zone": "UTC", "enforce": true});
    let more = json!({"timezone": "UTC", "pause_date": "2026-11-02T00:00:00Z",
        "budget_activities": {"periodic_call_cap_alert": cap}});
    network.has_live_campaign("354", "12", more);
    let call = |id: &str, start: &str| {
        let call = json!({"external_call_unique_id": id, "start_time": start,
            "advertiser_campaign_id_from_network": "12", "duration_in_seconds": 60});
        network.post("/calls", json!({"call": call})).expect(201);
    };
    let campaign = || network.get(&campaign_path("354", "12")).body(200);
    let total = || {
        let budgets = campaign()["current_terms"]["budget_activities"].clone();
        budgets["periodic_call_cap_alert"]["total_amount"].clone()
    };
    call("1", "2026-10-31T12:00:00Z");
    assert_json_eq(&stats(&network)["today"]["call_count"], &json!(1));
    assert_json_eq(&total(), &json!(1));
    post_sandbox(&network, "clock", json!({"advance": 86_400}));
    assert_json_eq(&stats(&network)["today"]["call_count"], &json!(0));
    assert_json_eq(&stats(&network)["last_7days"]["call_count"], &json!(1));
    assert_json_eq(&total(), &json!(0));
    assert_eq!(campaign()["status"], "Activated");
    post_sandbox(&network, "clock", json!({"advance": 86_400}));
    assert_eq!(campaign()["status"], "Paused");
    set_clock(&network, "2026-10-31T12:00:00Z");
    assert_eq!(campaign()["status"], "Activated");
    assert_json_eq(&total(), &json!(1));
}

/// Expiry of credentials and retention of idempotent responses use the system's clock.
#[test]
fn expiry_uses_the_system_clock() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    let keyed = |network: &Client| {
        let path = format!("{}/promo_numbers", campaign_path("354", "12"));
        let body = json!({"description": "Front page", "media_type": "Radio"});
        let request = network.request("POST", &path).json(&body).header("Idempotency-Key", "k");
        request.send().body(201)["promo_number"].clone()
    };
    server.add_numbers(&["8005550142", "8005550143"]);
    network.has_live_campaign("354", "12", json!({}));
    network.put("/network", json!({"users": [user("7")]})).expect(200);
    set_clock(&network, "2099-01-01T00:00:00Z");
    let first = keyed(&network);
    set_clock(&network, "2000-01-01T00:00:00Z");
    assert_eq!(keyed(&network), first);
    let path = "/network/user7@example.com/create_access_token";
    let token = network.post(path, json!({})).body(201)["token"].clone();
    let token = token.as_str().expect("a token").to_owned();
    let advertiser = network.get("/advertisers/354").body(200)["id"].clone();
    let page = format!("/as/{advertiser}/dashboards/ui?access_token={token}");
    let signed_in = server.anon().absolute_paths().get(&page).expect(303);
    assert!(signed_in.header("set-cookie").is_some());
}

#[test]
fn simulation_reports_calls() {
    let server = Server::builder().sandbox().start();
    let network = create_objects(&server);
    let simulation = json!({"calls": 300, "seed": 7, "days": 30, "advertiser_campaign": "12"});
    let summary = simulate(&network, simulation.clone());
    assert_json_eq(&summary["calls"], &json!(300));
    assert_json_eq(&summary["stored"], &json!(300));
    assert_json_eq(&summary["known"], &json!(0));
    let count_of = |outcome: &str| summary["by_outcome"][outcome].as_u64().expect("a count");
    assert_eq!(
        count_of("connected") + count_of("ended") + count_of("abandoned") + count_of("turned_away"),
        300
    );
    assert_eq!(summary["connected"].as_u64(), Some(count_of("connected")));
    assert!(
        count_of("connected") > 200 && count_of("abandoned") > 10 && count_of("turned_away") == 0,
        "{summary}"
    );
    let paid = |side: &str| summary[side]["USD"].as_f64().expect("dollars");
    assert!(paid("advertiser_payin") > 700.0 && paid("affiliate_payout") > 900.0, "{summary}");
    // The 30 days end today, so the first is the 31st day back.
    let counted = stats(&network)["last_30days"]["call_count"].as_u64().expect("a count");
    assert!((280..=300).contains(&counted), "{counted}");
    let calls = &server.table_rows()["calls"];
    assert!(calls[0].contains("sandbox-7-000001") && calls[299].contains("sandbox-7-000300"));
    let with_number = calls.iter().filter(|row| row.contains("Front page")).count();
    assert!(with_number > 50, "{with_number}");
    // The same simulation again adds nothing.
    let before = server.table_rows();
    let repeated = simulate(&network, simulation);
    assert_json_eq(&repeated["known"], &json!(300));
    assert_json_eq(&repeated["stored"], &json!(0));
    assert_json_eq(&repeated["advertiser_payin"], &json!({}));
    assert_eq!(server.table_rows(), before);
    // More calls with the same seed continue the sequence.
    let more = simulate(&network, json!({"calls": 310, "seed": 7}));
    assert_json_eq(&more["stored"], &json!(10));
}

#[test]
fn simulation_is_deterministic_across_servers() {
    let [one, two] = [Server::builder().sandbox().start(), Server::builder().sandbox().start()];
    let simulation = json!({"calls": 120, "seed": 7});
    let summaries =
        [&one, &two].map(|server| simulate(&create_objects(server), simulation.clone()));
    assert_eq!(summaries[0], summaries[1]);
    let one_rows = one.table_rows();
    let two_rows = two.table_rows();
    // The last column is the time of storage by the system's clock.
    let events = |rows: &BTreeMap<String, Vec<String>>| -> Vec<String> {
        let summaries = rows["events"].iter().map(|row| row.rsplit_once('|').expect("columns").0);
        summaries.map(str::to_owned).collect()
    };
    assert_eq!(events(&one_rows), events(&two_rows));
    for table in ["calls", "transactions", "call_quarters"] {
        assert_eq!(one_rows[table], two_rows[table], "{table}");
        assert!(!one_rows[table].is_empty(), "{table}");
    }
    simulate(&two.network(), json!({"calls": 120, "seed": 8}));
    let others: Vec<String> = two.table_rows()["calls"]
        .iter()
        .filter(|row| row.contains("sandbox-8-"))
        .cloned()
        .collect();
    assert_eq!(others.len(), 120);
    assert!(others.iter().all(|row| !one_rows["calls"].contains(row)));
}

#[test]
fn invalid_simulation_is_rejected_as_a_whole() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    let send = |body: Value| network.extensions().post("/sandbox/calls", body);
    send(json!({"calls": 0, "seed": -1, "days": 0})).assert_invalid(&json!({
        "calls": ["must be greater than or equal to 1"],
        "seed": ["must be greater than or equal to 0"],
        "days": ["must be greater than or equal to 1"],
    }));
    send(json!({"calls": 10_001, "seed": 4_294_967_296_i64, "days": 366})).assert_invalid(&json!({
        "calls": ["must be less than or equal to 10000"],
        "seed": ["must be less than or equal to 4294967295"],
        "days": ["must be less than or equal to 365"],
    }));
    send(json!({"calls": -5}))
        .assert_invalid(&json!({"calls": ["must be greater than or equal to 1"]}));
    send(json!({"seed": 1.5})).assert_invalid(&json!({"seed": ["must be an integer"]}));
    send(json!({"advertiser_campaign": "12"})).assert_error(404, "RecordNotFound");
    let never = json!({"advertiser_campaign": ["no campaign was live before the current time of the sandbox"]});
    send(json!({})).assert_invalid(&never);
    set_clock(&network, NOW);
    network.has_campaign("354", "12", json!({}));
    let not_yet =
        json!({"advertiser_campaign": ["was not live before the current time of the sandbox"]});
    send(json!({"advertiser_campaign": "12"})).assert_invalid(&not_yet);
    network.go_live("354", "12");
    send(json!({"advertiser_campaign": "12"})).assert_invalid(&not_yet);
    send(json!({})).assert_invalid(&never);
    post_sandbox(&network, "clock", json!({"advance": 60}));
    assert_json_eq(&send(json!({"calls": 3})).body(201)["stored"], &json!(3));
}

/// Rows carry the network's id in their columns, so tables are compared by the remaining rows.
#[test]
fn reset_deletes_one_sandbox_only() {
    let server = Server::builder().sandbox().start();
    let other = server.create_another_network();
    other.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    other.has_applied("354", "12", "976");
    other.put("/affiliates/976", json!({"users": [user("o1")]})).expect(200);
    let call = json!({"external_call_unique_id": "1", "start_time": "2100-01-01T00:00:00Z",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": "976"});
    other.post("/calls", json!({"call": call})).expect(201);
    // The first user of the network is replaced, which a reset does not undo.
    let network = server.network();
    network.put("/network", json!({"users": [user("7")]})).expect(200);
    post_sandbox(&network, "reset", json!({}));
    let mut empty = server.table_rows();
    // credential_generations counts the tokens that were deleted with their parties.
    empty.remove("credential_generations");
    let people = network.get("/network").body(200);
    for seed in [7, 8] {
        create_objects(&server);
        network.put("/custom_data_fields/colour", json!({"friendly_name": "Colour"})).expect(200);
        let users = json!({"users": [user("7"), user("8")], "custom_data": {"colour": "red"}});
        network.put("/affiliates/976", users).expect(200);
        network.put("/advertisers/354/affiliates/975", json!({"status": "Approved"})).expect(200);
        simulate(&network, json!({"calls": 60, "seed": seed}));
        let affiliate = server.affiliate("976");
        affiliate.get("/affiliates/976").expect(200);
        assert_json_eq(&post_sandbox(&network, "reset", json!({})), &json!({}));
        affiliate.get("/affiliates/976").expect(401);
    }
    assert_eq!(network.extensions().get("/sandbox").body(200)["clock"]["now"], NOW);
    assert_json_eq(&network.get("/network").body(200), &people);
    assert_json_eq(&network.get("/advertisers").body(200), &json!([]));
    assert_eq!(network.get("/custom_data_fields").body(200).as_array().map(Vec::len), Some(1));
    assert_eq!(network.audit_entries(None), Vec::<Value>::new());
    let remaining = server.table_rows();
    for (table, rows) in &empty {
        let mine = remaining[table].iter().filter(|row| !rows.contains(row)).collect::<Vec<_>>();
        // The reset keeps the network's clock, user, numbers and change counters.
        let kept_tables = ["networks", "users", "user_emails", "memberships", "numbers"];
        let kept_tables = [&kept_tables[..], &["credential_generations"]].concat();
        assert!(mine.is_empty() || kept_tables.contains(&table.as_str()), "{table}: {mine:?}");
        let lost = rows.iter().filter(|row| !remaining[table].contains(row)).collect::<Vec<_>>();
        let changes = ["networks", "credential_generations"].contains(&table.as_str());
        assert!(lost.is_empty() || changes, "{table}: {lost:?}");
    }
    assert!(
        remaining["numbers"].iter().all(|row| row.ends_with("Null|0")),
        "{:?}",
        remaining["numbers"]
    );
    other.post("/calls", json!({"call": call})).expect(202);
    dump(&other);
}
