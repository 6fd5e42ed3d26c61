//! Facts of a call's start: who held the promo number, the statuses of the parties, names and custom data.
//! A call that is reported late is decided by what held when it started.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, base_policy, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

const NUMBER: &str = "4155550100";
const OTHER_NUMBER: &str = "4155550101";

fn set_day(network: &Client, day: &str) {
    let now = json!({"now": format!("2026-{day}T12:00:00Z")});
    network.extensions().post("/sandbox/clock", now).expect(200);
}

/// Creates a sandbox with a campaign 12 that is live since 1 January, and approved affiliates f1 and f2.
fn world(more: Value) -> (Server, Client) {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    server.add_numbers(&[NUMBER, OTHER_NUMBER]);
    set_day(&network, "01-01");
    let mut campaign = json!({"auto_approve": "All", "timezone": "UTC"});
    campaign.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    network.has_live_campaign("354", "12", campaign);
    network.has_applied("354", "12", "f1");
    network.has_applied("354", "12", "f2");
    (server, network)
}

fn numbers_of(affiliate: &str) -> String {
    format!("{}/promo_numbers", affiliate_campaign_path("354", "12", affiliate))
}

fn assign(network: &Client, affiliate: &str) -> String {
    let new = json!({"description": format!("{affiliate} ad"), "media_type": "Radio"});
    let assigned = network.post(&numbers_of(affiliate), new).body(201);
    assigned["promo_number"].as_str().expect("a number").to_owned()
}

fn release(network: &Client, affiliate: &str, number: &str) {
    network.delete(&format!("{}/{number}", numbers_of(affiliate))).expect(200);
}

/// Reports a call of noon of a day, and returns its row in the ledger.
fn report(network: &Client, day: &str, more: Value) -> Value {
    post_call(network, day, more).expect(201);
    let path = network.ledger_path("?include_columns=$default,promo_line_description");
    let rows = network.get(&path).body(200);
    rows.as_array().and_then(|rows| rows.last()).expect("a row").clone()
}

fn post_call(network: &Client, day: &str, more: Value) -> trunkline_tests::Response {
    let id = network.ledger().len();
    let mut call = json!({
        "external_call_unique_id": format!("{id} of {day}"),
        "start_time": format!("2026-{day} 12:00:00 +0000"),
        "advertiser_campaign_id_from_network": "12",
        "calling_phone_number": format!("80570898{:02}", id + 10),
        "duration_in_seconds": 90,
        "connect_duration_in_seconds": 80,
    });
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    network.post("/calls", json!({"call": call}))
}

fn call_number(network: &Client, day: &str, number: &str) -> Value {
    report(network, day, json!({"promo_number": number}))
}

fn result(row: &Value) -> &str {
    row["call_result_description_detail"].as_str().expect("a result")
}

#[test]
fn late_call_is_attributed_to_who_held_the_number_at_its_start() {
    let (_server, network) = world(json!({}));
    network.extensions().put("/settings", json!({"number_quarantine_days": 0})).expect(200);
    set_day(&network, "01-02");
    assert_eq!(assign(&network, "f1"), NUMBER);
    set_day(&network, "01-08");
    network
        .put(
            &format!("{}/{NUMBER}", numbers_of("f1")),
            json!({"description": "new ad", "media_type": "TV"}),
        )
        .expect(200);
    set_day(&network, "01-10");
    release(&network, "f1", NUMBER);
    set_day(&network, "01-20");
    assert_eq!(assign(&network, "f2"), OTHER_NUMBER, "the longest free number comes first");
    assert_eq!(assign(&network, "f2"), NUMBER);
    set_day(&network, "01-25");
    for (day, affiliate, description, media_type) in [
        ("01-05", "f1", "f1 ad", "Radio"),
        ("01-09", "f1", "new ad", "TV"),
        ("01-21", "f2", "f2 ad", "Radio"),
    ] {
        let row = call_number(&network, day, NUMBER);
        assert_eq!(row["affiliate_id_from_network"], affiliate, "{day}");
        assert_eq!(row["promo_line_description"], description, "{day}");
        assert_eq!(row["media_type"], media_type, "{day}");
        assert_eq!(row["affiliate_payout_localized"], "4.50", "{day}");
    }
    for day in ["01-01", "01-15"] {
        let refused = post_call(&network, day, json!({"promo_number": NUMBER}));
        refused.assert_error(404, "RecordNotFound");
    }
}

#[test]
fn released_number_attributes_earlier_calls_and_live_calls_find_nobody() {
    let (server, network) = world(json!({}));
    assign(&network, "f1");
    set_day(&network, "01-10");
    release(&network, "f1", NUMBER);
    let live = json!({"promo_number": NUMBER, "calling_phone_number": "8057089876"});
    let refused = network.extensions().post("/calls", live.clone());
    assert_eq!(
        refused.assert_error(404, "RecordNotFound"),
        format!("Could not find PromoNumber {NUMBER}")
    );
    let row = call_number(&network, "01-05", NUMBER);
    assert_eq!(row["affiliate_id_from_network"], "f1");
    assert_ne!(row["virtual_line_id"], "");
    let calls = network.extensions().get("/calls").body(200);
    assert_eq!(calls[0]["promo_number"], NUMBER);
    // A reset frees the numbers at once.
    network.extensions().post("/sandbox/reset", json!({})).expect(200);
    network.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    network.has_applied("354", "12", "f2");
    assert_eq!(assign(&network, "f2"), NUMBER);
    drop(server);
}

#[test]
fn released_number_is_assigned_again_after_its_quarantine() {
    let (_server, network) = world(json!({}));
    let settings = network.extensions().get("/settings").body(200);
    assert_eq!(settings["number_quarantine_days"], 30);
    assign(&network, "f1");
    set_day(&network, "01-10");
    release(&network, "f1", NUMBER);
    assert_eq!(assign(&network, "f2"), OTHER_NUMBER);
    let new = json!({"description": "ad", "media_type": "Radio"});
    let none =
        json!({"promo_number": ["is not available: no number of the network's inventory is free"]});
    set_day(&network, "02-08");
    network.post(&numbers_of("f2"), new.clone()).assert_invalid(&none);
    set_day(&network, "02-09");
    assert_eq!(assign(&network, "f2"), NUMBER);
    // The number that was released first comes first.
    release(&network, "f2", OTHER_NUMBER);
    set_day(&network, "02-10");
    release(&network, "f2", NUMBER);
    set_day(&network, "04-01");
    assert_eq!(assign(&network, "f1"), OTHER_NUMBER);
}

#[test]
fn moved_number_changes_its_holder_from_then_on() {
    let (server, network) = world(json!({"max_promo_numbers": 1}));
    network.has_live_campaign("355", "13", json!({"auto_approve": "All", "max_promo_numbers": 1}));
    network.has_applied("355", "13", "f3");
    assign(&network, "f1");
    set_day(&network, "01-10");
    let path = format!("{}/{NUMBER}", numbers_of("f1"));
    let blank = json!(["can't be blank"]);
    network
        .put(&path, json!({"destination_advertiser_id_from_network": "355"}))
        .assert_invalid(&json!({"destination_advertiser_campaign_id_from_network": blank}));
    let to = |advertiser: &str, campaign: &str, affiliate: Value| {
        json!({"destination_advertiser_id_from_network": advertiser,
            "destination_advertiser_campaign_id_from_network": campaign,
            "destination_affiliate_id_from_network": affiliate})
    };
    network.put(&path, to("355", "99", json!(null))).assert_error(404, "RecordNotFound");
    network.put(&path, to("355", "13", json!("f1"))).assert_error(404, "RecordNotFound");
    let own = server.advertiser("354");
    own.put(&path, to("355", "13", json!(null))).assert_error(404, "RecordNotFound");
    // Where it is already, it stays.
    let stays = network.put(&path, to("354", "12", json!("f1"))).body(200);
    assert_eq!(stays["description"], "f1 ad");
    let moved = network.put(&path, to("355", "13", json!("f3"))).body(200);
    assert_eq!(moved["promo_number"], NUMBER);
    network.get(&path).assert_error(404, "RecordNotFound");
    let there = format!("{}/promo_numbers", affiliate_campaign_path("355", "13", "f3"));
    assert_json_eq(&network.get(&there).body(200), &json!([moved]));
    set_day(&network, "01-20");
    let early = call_number(&network, "01-05", NUMBER);
    assert_eq!(early["affiliate_id_from_network"], "f1");
    let late = report(
        &network,
        "01-10",
        json!({"promo_number": NUMBER, "advertiser_campaign_id_from_network": "13"}),
    );
    assert_eq!(late["affiliate_id_from_network"], "f3");
    post_call(&network, "01-10", json!({"promo_number": NUMBER}))
        .assert_error(404, "RecordNotFound");
    // The destination's limit and approval hold as for an assignment.
    assign(&network, "f1");
    let path = format!("{}/{OTHER_NUMBER}", numbers_of("f1"));
    let limit = json!({"max_promo_numbers": ["has been reached (maximum is 1)"]});
    network.put(&path, to("355", "13", json!("f3"))).assert_invalid(&limit);
    network
        .put(&affiliate_campaign_path("354", "12", "f2"), json!({"status": "Suspended"}))
        .expect(200);
    network.put(&path, to("354", "12", json!("f2"))).assert_error(403, "UnauthorizedOperation");
    // The move is undone like any change.
    let entries = network.audit_entries(Some(&format!("promo_number:{NUMBER}")));
    let revert = format!("/audit/{}/revert", entries.last().expect("an entry")["id"]);
    release(&network, "f1", OTHER_NUMBER);
    network.extensions().post(&revert, json!({})).expect(201);
    network.get(&format!("{}/{NUMBER}", numbers_of("f1"))).expect(200);
}

#[test]
fn custom_data_and_names_are_those_of_the_start() {
    let conditions = json!({"policies": [
        {"type": "Base", "amount": 1.0, "currency": "USD", "condition": ""},
        {"type": "Bonus", "amount": 10.0, "currency": "USD", "condition": "custom_data[channel] = \"tv\""},
        {"type": "Bonus", "amount": 100.0, "currency": "USD", "condition": "affiliate_name = \"Old\""},
    ]});
    let campaign = campaign_path("354", "12");
    let affiliate = affiliate_campaign_path("354", "12", "f1");
    for path in ["/advertisers/354", campaign.as_str(), "/affiliates/f1", affiliate.as_str()] {
        let (_server, network) = world(json!({"advertiser_payin": conditions}));
        network.put("/affiliates/f1", json!({"name": "Old"})).expect(200);
        network.put(path, json!({"custom_data": {"channel": "tv"}})).expect(200);
        set_day(&network, "01-10");
        network.put(path, json!({"custom_data": {"channel": "web"}})).expect(200);
        network.put("/affiliates/f1", json!({"name": "New"})).expect(200);
        let call = json!({"affiliate_id_from_network": "f1"});
        let before = report(&network, "01-05", call.clone());
        let after = report(&network, "01-10", call);
        assert_eq!(before["advertiser_payin_localized"], "111.00", "{path}");
        assert_eq!(after["advertiser_payin_localized"], "1.00", "{path}");
    }
}

#[test]
fn calls_are_turned_away_while_a_party_is_not_approved() {
    let (_server, network) = world(json!({}));
    for (path, property, reason, text) in [
        (
            "/affiliates/f1",
            "status",
            "affiliate_not_approved",
            "Turned away: the affiliate was not approved",
        ),
        (
            "/advertisers/354",
            "approval_status",
            "advertiser_not_approved",
            "Turned away: the advertiser was not approved",
        ),
    ] {
        let mut day = 10;
        for status in ["Suspended", "Declined", "Archived", "Applied"] {
            let case = format!("{path} {status}");
            set_day(&network, &format!("01-{day}"));
            network.put(path, json!({property: status})).expect(200);
            let call = json!({"affiliate_id_from_network": "f1"});
            let row = report(&network, &format!("01-{day}"), call.clone());
            assert_eq!(result(&row), text, "{case}");
            let dry = json!({"advertiser_campaign": "12", "affiliate": "f1", "call": {}});
            let dry = network.extensions().post("/dry_run", dry).body(200);
            assert_eq!(
                (&dry["outcome"], &dry["reason"]),
                (&json!("turned_away"), &json!(reason)),
                "{case}"
            );
            let live = json!({"advertiser_campaign": "12", "affiliate": "f1", "calling_phone_number": "8057089876"});
            let live = network.extensions().post("/calls", live).body(201);
            assert_eq!(live["reason"], reason, "{case}");
            set_day(&network, &format!("01-{}", day + 1));
            network.put(path, json!({property: "Approved"})).expect(200);
            assert_eq!(
                result(&report(&network, &format!("01-{}", day + 1), call.clone())),
                "Connected",
                "{case}"
            );
            // Late calls are judged by what held at their start.
            assert_eq!(
                result(&report(&network, &format!("01-{day}"), call.clone())),
                text,
                "{case}"
            );
            assert_eq!(result(&report(&network, "01-09", call)), "Connected", "{case}");
            day += 2;
        }
    }
}

#[test]
fn advertiser_comes_before_the_affiliate_and_after_the_campaign() {
    let (_server, network) = world(json!({}));
    set_day(&network, "01-10");
    network.put("/affiliates/f1", json!({"status": "Suspended"})).expect(200);
    network.put("/advertisers/354", json!({"approval_status": "Suspended"})).expect(200);
    let reason = || {
        let dry = json!({"advertiser_campaign": "12", "affiliate": "f1", "call": {}});
        network.extensions().post("/dry_run", dry).body(200)["reason"].clone()
    };
    assert_eq!(reason(), "advertiser_not_approved");
    network.post(&format!("{}/archive", campaign_path("354", "12")), json!({})).expect(200);
    assert_eq!(reason(), "not_live");
}

#[test]
fn campaign_of_an_advertiser_that_is_not_approved_cannot_go_live() {
    let (_server, network) = world(json!({}));
    let go_live = format!("{}/go_live", campaign_path("354", "12"));
    for (payin, status) in
        [(1.0, "Applied"), (2.0, "Declined"), (3.0, "Suspended"), (4.0, "Archived")]
    {
        network.put("/advertisers/354", json!({"approval_status": status})).expect(200);
        // It is live already, so this changes nothing.
        network.post(&go_live, json!({})).assert_json(200, &json!({}));
        network
            .put(&campaign_path("354", "12"), json!({"advertiser_payin": base_policy(payin, "")}))
            .expect(200);
        let message = json!({"status": [format!("cannot go live: the advertiser is {status}")]});
        network.post(&go_live, json!({})).assert_invalid(&message);
        network.put("/advertisers/354", json!({"approval_status": "Approved"})).expect(200);
        network.post(&go_live, json!({})).expect(200);
    }
}

#[test]
fn batch_uses_the_facts_of_each_start() {
    let (_server, network) = world(json!({}));
    network.extensions().put("/settings", json!({"number_quarantine_days": 0})).expect(200);
    assign(&network, "f1");
    set_day(&network, "01-10");
    release(&network, "f1", NUMBER);
    set_day(&network, "01-20");
    assign(&network, "f2");
    assign(&network, "f2");
    set_day(&network, "01-25");
    network.put("/affiliates/f2", json!({"status": "Suspended"})).expect(200);
    let line = |day: &str| {
        json!({"call": {
            "external_call_unique_id": day, "start_time": format!("2026-{day} 12:00:00 +0000"),
            "advertiser_campaign_id_from_network": "12", "promo_number": NUMBER,
        }})
        .to_string()
    };
    let days = ["01-05", "01-15", "01-22", "01-25", "01-06"];
    let body = days.map(line).join("\n");
    let sent = network.request("POST", "/calls").bytes(body.as_bytes());
    let answer = sent.header("Content-Type", "application/x-ndjson").send().expect(200).text();
    let statuses: Vec<Value> = answer
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["status"].clone())
        .collect();
    assert_eq!(statuses, [201, 404, 201, 201, 201]);
    let mut rows = network.ledger();
    rows.sort_by_key(|row| row["start_time_utc"].as_i64());
    let parties: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["affiliate_id_from_network"].as_str().unwrap(), result(row)))
        .collect();
    let turned_away = ("f2", "Turned away: the affiliate was not approved");
    let connected = |affiliate| (affiliate, "Connected");
    assert_eq!(parties, [connected("f1"), connected("f1"), connected("f2"), turned_away]);
}
