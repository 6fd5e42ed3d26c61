//! Sandboxes: a clock that can be set, imagined callers, and a fresh start.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use trunkline_tests::body::{affiliate_campaign_path, base, campaign_path, connect, user};
use trunkline_tests::{Client, Server, assert_same, dump};

const FILLED: &str = "2026-10-01T15:00:00Z";
const NOW: &str = "2026-10-31T15:00:00Z";

fn sandbox(network: &Client, path: &str, body: Value) -> Value {
    network.extensions().post(&format!("/sandbox/{path}"), body).body(200)
}

fn set(network: &Client, now: &str) {
    let said = sandbox(network, "clock", json!({"now": now}));
    assert_same(&said, &json!({"sandbox": true, "clock": {"now": now, "frozen": true}}));
}

fn imagine(network: &Client, wanted: Value) -> Value {
    network.extensions().post("/sandbox/calls", wanted).body(201)
}

/// A campaign 12 with a menu, that went live 30 days before the clock's now; its affiliates 976 and
/// 975 are approved, and 976 has a number.
fn fill(server: &Server) -> Client {
    let network = server.network();
    server.stock(&["8005550142", "8005550143"]);
    set(&network, FILLED);
    let menu =
        json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect(), connect()]});
    let more = json!({
        "auto_approve": "All",
        "timezone": "UTC",
        "advertiser_payin": base(7.0, "duration > 90"),
        "ivr_tree": {"root": menu},
    });
    network.has_live_campaign("354", "12", more);
    network.has_applied("354", "12", "976");
    network.has_applied("354", "12", "975");
    let number = json!({"description": "Front page", "media_type": "Radio"});
    let path = affiliate_campaign_path("354", "12", "976");
    network.post(&format!("{path}/promo_numbers"), number).expect(201);
    set(&network, NOW);
    network
}

fn stats(network: &Client) -> Value {
    network.get(&format!("{}/quick_stats", campaign_path("354", "12"))).body(200)["stats"].clone()
}

#[test]
fn a_network_that_is_no_sandbox_refuses() {
    let server = Server::start();
    let network = server.network().extensions();
    let said = network.get("/sandbox").refused(403, "UnauthorizedOperation");
    assert!(said.contains("is no sandbox"), "{said}");
    for (path, body) in [("clock", json!({"now": NOW})), ("calls", json!({})), ("reset", json!({}))]
    {
        let refused = network.post(&format!("/sandbox/{path}"), body);
        assert_eq!(refused.refused(403, "UnauthorizedOperation"), said, "{path}");
    }
}

#[test]
fn a_sandbox_is_for_those_who_may_write_to_the_whole_network() {
    let server = Server::of_a_sandbox();
    server.network().has_affiliate("976");
    let observer = server.observer().extensions();
    assert_eq!(observer.get("/sandbox").body(200)["clock"]["frozen"], false);
    let affiliate = server.affiliate("976").extensions();
    affiliate.get("/sandbox").refused(403, "UnauthorizedOperation");
    for path in ["clock", "calls", "reset"] {
        for client in [&observer, &affiliate] {
            let refused = client.post(&format!("/sandbox/{path}"), json!({"now": NOW}));
            refused.refused(403, "UnauthorizedOperation");
        }
    }
    server.network().get("/affiliates/976").expect(200);
}

#[test]
fn the_clock_stands_moves_on_and_is_let_go() {
    let server = Server::of_a_sandbox();
    let network = server.network();
    set(&network, NOW);
    network.has_affiliate("976");
    let at = network.audit(None)[0]["at"].as_str().expect("a time").to_owned();
    assert_eq!(at, "2026-10-31 08:00:00 -0700");
    let moved = sandbox(&network, "clock", json!({"advance": 3600}));
    assert_eq!(moved["clock"]["now"], "2026-10-31T16:00:00Z");
    let back = sandbox(&network, "clock", json!({"advance": -86_400}));
    assert_eq!(back["clock"]["now"], "2026-10-30T16:00:00Z");
    assert_same(&network.extensions().get("/sandbox").body(200), &back);
    // One without a zone is in the network's.
    let local = sandbox(&network, "clock", json!({"now": "2026-11-02 08:00:00"}));
    assert_eq!(local["clock"]["now"], "2026-11-02T16:00:00Z");
    let released = sandbox(&network, "clock", json!({"now": null}));
    assert_eq!(released["clock"]["frozen"], false);
    // It goes on from wherever it is, and stands there.
    let on = sandbox(&network, "clock", json!({"advance": 60}));
    assert_eq!(on["clock"]["frozen"], true);
}

#[test]
fn a_clock_says_what_is_wrong_with_where_it_is_to_stand() {
    let server = Server::of_a_sandbox();
    let network = server.network();
    let ask = |body: Value| network.extensions().post("/sandbox/clock", body);
    ask(json!({})).invalid(&json!({"now": ["can't be blank"]}));
    ask(json!({"now": "soon"})).invalid(&json!({"now": ["is invalid"]}));
    let range = "must lead to a moment from 2000 to 2099";
    for out in ["1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-01-01"] {
        ask(json!({"now": out})).invalid(&json!({"now": [range]}));
    }
    ask(json!({"now": NOW, "advance": 1}))
        .invalid(&json!({"advance": ["can't be given with now"]}));
    ask(json!({"advance": 1.5})).invalid(&json!({"advance": ["must be an integer"]}));
    ask(json!({"advance": "x"})).invalid(&json!({"advance": ["is not a number"]}));
    ask(json!({"advance": i64::MAX}))
        .invalid(&json!({"advance": ["must be less than or equal to 315619200"]}));
    ask(json!({"advance": -315_619_201}))
        .invalid(&json!({"advance": ["must be greater than or equal to -315619200"]}));
    set(&network, "2099-12-31T23:59:59Z");
    ask(json!({"advance": 1})).invalid(&json!({"advance": [range]}));
    assert_eq!(ask(json!({"now": null})).body(200)["clock"]["frozen"], false);
}

#[test]
fn time_passes_when_the_clock_moves_on() {
    let server = Server::of_a_sandbox();
    let network = server.network();
    set(&network, "2026-10-31T12:00:00Z");
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
    assert_same(&stats(&network)["today"]["call_count"], &json!(1));
    assert_same(&total(), &json!(1));
    sandbox(&network, "clock", json!({"advance": 86_400}));
    assert_same(&stats(&network)["today"]["call_count"], &json!(0));
    assert_same(&stats(&network)["last_7days"]["call_count"], &json!(1));
    assert_same(&total(), &json!(0));
    assert_eq!(campaign()["status"], "Activated");
    sandbox(&network, "clock", json!({"advance": 86_400}));
    assert_eq!(campaign()["status"], "Paused");
    set(&network, "2026-10-31T12:00:00Z");
    assert_eq!(campaign()["status"], "Activated");
    assert_same(&total(), &json!(1));
}

/// Credentials are good, and what was answered is kept, by the time that it is.
#[test]
fn what_expires_does_so_by_the_systems_clock() {
    let server = Server::of_a_sandbox();
    let network = server.network();
    let keyed = |network: &Client| {
        let path = format!("{}/promo_numbers", campaign_path("354", "12"));
        let body = json!({"description": "Front page", "media_type": "Radio"});
        let request = network.request("POST", &path).json(&body).header("Idempotency-Key", "k");
        request.send().body(201)["promo_number"].clone()
    };
    server.stock(&["8005550142", "8005550143"]);
    network.has_live_campaign("354", "12", json!({}));
    network.put("/network", json!({"users": [user("7")]})).expect(200);
    set(&network, "2099-01-01T00:00:00Z");
    let first = keyed(&network);
    set(&network, "2000-01-01T00:00:00Z");
    assert_eq!(keyed(&network), first);
    let path = "/network/user7@example.com/create_access_token";
    let token = network.post(path, json!({})).body(201)["token"].clone();
    let token = token.as_str().expect("a token").to_owned();
    let advertiser = network.get("/advertisers/354").body(200)["id"].clone();
    let page = format!("/as/{advertiser}/dashboards/ui?access_token={token}");
    let signed_in = server.anon().anywhere().get(&page).expect(303);
    assert!(signed_in.header("set-cookie").is_some());
}

#[test]
fn imagined_callers_call() {
    let server = Server::of_a_sandbox();
    let network = fill(&server);
    let wanted = json!({"calls": 300, "seed": 7, "days": 30, "advertiser_campaign": "12"});
    let tally = imagine(&network, wanted.clone());
    assert_same(&tally["calls"], &json!(300));
    assert_same(&tally["stored"], &json!(300));
    assert_same(&tally["known"], &json!(0));
    let of = |outcome: &str| tally["by_outcome"][outcome].as_u64().expect("a count");
    assert_eq!(of("connected") + of("ended") + of("abandoned") + of("turned_away"), 300);
    assert_eq!(tally["connected"].as_u64(), Some(of("connected")));
    assert!(of("connected") > 200 && of("abandoned") > 10 && of("turned_away") == 0, "{tally}");
    let paid = |side: &str| tally[side]["USD"].as_f64().expect("dollars");
    assert!(paid("advertiser_payin") > 700.0 && paid("affiliate_payout") > 900.0, "{tally}");
    // The day 30 days before is the 31st, today included.
    let counted = stats(&network)["last_30days"]["call_count"].as_u64().expect("a count");
    assert!((280..=300).contains(&counted), "{counted}");
    let calls = &server.rows()["calls"];
    assert!(calls[0].contains("sandbox-7-000001") && calls[299].contains("sandbox-7-000300"));
    let with_number = calls.iter().filter(|row| row.contains("Front page")).count();
    assert!(with_number > 50, "{with_number}");
    // Told again, it changes nothing.
    let before = server.rows();
    let again = imagine(&network, wanted);
    assert_same(&again["known"], &json!(300));
    assert_same(&again["stored"], &json!(0));
    assert_same(&again["advertiser_payin"], &json!({}));
    assert_eq!(server.rows(), before);
    // More of the same seed are the ones after.
    let more = imagine(&network, json!({"calls": 310, "seed": 7}));
    assert_same(&more["stored"], &json!(10));
}

#[test]
fn two_servers_imagine_the_same() {
    let [one, two] = [Server::of_a_sandbox(), Server::of_a_sandbox()];
    let wanted = json!({"calls": 120, "seed": 7});
    let told = [&one, &two].map(|server| imagine(&fill(server), wanted.clone()));
    assert_eq!(told[0], told[1]);
    let (one_rows, two_rows) = (one.rows(), two.rows());
    // Their last column is when they were stored, by the system's clock.
    let events = |rows: &BTreeMap<String, Vec<String>>| -> Vec<String> {
        let told = rows["events"].iter().map(|row| row.rsplit_once('|').expect("columns").0);
        told.map(str::to_owned).collect()
    };
    assert_eq!(events(&one_rows), events(&two_rows));
    for table in ["calls", "transactions", "call_quarters"] {
        assert_eq!(one_rows[table], two_rows[table], "{table}");
        assert!(!one_rows[table].is_empty(), "{table}");
    }
    imagine(&two.network(), json!({"calls": 120, "seed": 8}));
    let others: Vec<String> =
        two.rows()["calls"].iter().filter(|row| row.contains("sandbox-8-")).cloned().collect();
    assert_eq!(others.len(), 120);
    assert!(others.iter().all(|row| !one_rows["calls"].contains(row)));
}

#[test]
fn what_cannot_be_imagined_is_refused_whole() {
    let server = Server::of_a_sandbox();
    let network = server.network();
    let ask = |body: Value| network.extensions().post("/sandbox/calls", body);
    ask(json!({"calls": 0, "seed": -1, "days": 0})).invalid(&json!({
        "calls": ["must be greater than or equal to 1"],
        "seed": ["must be greater than or equal to 0"],
        "days": ["must be greater than or equal to 1"],
    }));
    ask(json!({"calls": 10_001, "seed": 4_294_967_296_i64, "days": 366})).invalid(&json!({
        "calls": ["must be less than or equal to 10000"],
        "seed": ["must be less than or equal to 4294967295"],
        "days": ["must be less than or equal to 365"],
    }));
    ask(json!({"calls": -5})).invalid(&json!({"calls": ["must be greater than or equal to 1"]}));
    ask(json!({"seed": 1.5})).invalid(&json!({"seed": ["must be an integer"]}));
    ask(json!({"advertiser_campaign": "12"})).refused(404, "RecordNotFound");
    let never =
        json!({"advertiser_campaign": ["no campaign has been live before the sandbox's now"]});
    ask(json!({})).invalid(&never);
    set(&network, NOW);
    network.has_campaign("354", "12", json!({}));
    let not_yet = json!({"advertiser_campaign": ["has not been live before the sandbox's now"]});
    ask(json!({"advertiser_campaign": "12"})).invalid(&not_yet);
    network.go_live("354", "12");
    ask(json!({"advertiser_campaign": "12"})).invalid(&not_yet);
    ask(json!({})).invalid(&never);
    sandbox(&network, "clock", json!({"advance": 60}));
    assert_same(&ask(json!({"calls": 3})).body(201)["stored"], &json!(3));
}

/// Whose rows a table's are is in its own columns, so tables are compared by what is left of them.
#[test]
fn a_reset_throws_away_one_sandbox_and_nothing_else() {
    let server = Server::of_a_sandbox();
    let other = server.another_network();
    other.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    other.has_applied("354", "12", "976");
    other.put("/affiliates/976", json!({"users": [user("o1")]})).expect(200);
    let call = json!({"external_call_unique_id": "1", "start_time": "2100-01-01T00:00:00Z",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": "976"});
    other.post("/calls", json!({"call": call})).expect(201);
    let mut empty = server.rows();
    // What says that tokens have gone with the parties they were for.
    empty.remove("credential_generations");
    let network = server.network();
    network.put("/network", json!({"users": [user("7")]})).expect(200);
    let people = network.get("/network").body(200);
    for seed in [7, 8] {
        fill(&server);
        network.put("/custom_data_fields/colour", json!({"friendly_name": "Colour"})).expect(200);
        let users = json!({"users": [user("7"), user("8")], "custom_data": {"colour": "red"}});
        network.put("/affiliates/976", users).expect(200);
        network.put("/advertisers/354/affiliates/975", json!({"status": "Approved"})).expect(200);
        imagine(&network, json!({"calls": 60, "seed": seed}));
        let affiliate = server.affiliate("976");
        affiliate.get("/affiliates/976").expect(200);
        assert_same(&sandbox(&network, "reset", json!({})), &json!({}));
        affiliate.get("/affiliates/976").expect(401);
    }
    assert_eq!(network.extensions().get("/sandbox").body(200)["clock"]["now"], NOW);
    assert_same(&network.get("/network").body(200), &people);
    assert_same(&network.get("/advertisers").body(200), &json!([]));
    assert_eq!(network.get("/custom_data_fields").body(200).as_array().map(Vec::len), Some(1));
    assert_eq!(network.audit(None), Vec::<Value>::new());
    let left = server.rows();
    for (table, rows) in &empty {
        let mine = left[table].iter().filter(|row| !rows.contains(row)).collect::<Vec<_>>();
        // The network's clock, its person, and its numbers; what counts its changes.
        let kept = ["networks", "users", "user_emails", "memberships", "numbers"];
        let kept = [&kept[..], &["credential_generations"]].concat();
        assert!(mine.is_empty() || kept.contains(&table.as_str()), "{table}: {mine:?}");
        let lost = rows.iter().filter(|row| !left[table].contains(row)).collect::<Vec<_>>();
        let changes = ["networks", "credential_generations"].contains(&table.as_str());
        assert!(lost.is_empty() || changes, "{table}: {lost:?}");
    }
    assert!(left["numbers"].iter().all(|row| row.ends_with("Null")), "{:?}", left["numbers"]);
    other.post("/calls", json!({"call": call})).expect(202);
    dump(&other);
}
