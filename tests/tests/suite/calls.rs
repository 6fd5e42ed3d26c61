//! Reported calls: deduplication, validation, statistics and pricing.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates a live campaign 12 of advertiser 354 with an approved affiliate 976. The campaign is live since
/// now, so calls of tomorrow are within its terms.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"auto_approve": "All", "timezone": "UTC"}));
    network.has_applied("354", "12", "976");
    (server, network)
}

fn call_body(id: &str, more: Value) -> Value {
    let mut call = json!({
        "external_call_unique_id": id,
        "start_time": "2200-01-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": "12",
        "calling_phone_number": "8057089876",
        "duration_in_seconds": 90,
    });
    let into = call.as_object_mut().unwrap();
    let from = more.as_object().unwrap().clone();
    into.extend(from);
    json!({"call": call})
}

/// Creation time of the campaign's current terms.
fn terms_created_at(network: &Client) -> jiff::Timestamp {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    let message = campaign["current_terms"]["created_at"].as_str().expect("a time").to_owned();
    jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", message).expect("a time stamp")
}

fn stats(network: &Client) -> Value {
    network.get(&format!("{}/quick_stats", campaign_path("354", "12"))).body(200)["stats"].clone()
}

#[test]
fn same_call_is_stored_once() {
    let (_server, network) = world();
    let first = network.post("/calls", call_body("1", json!({}))).body(201);
    let cuid = first["cuid"].as_str().expect("a name").to_owned();
    assert_eq!(network.post("/calls", call_body("1", json!({}))).body(202)["cuid"], cuid);
    let other = network.post("/calls", call_body("1", json!({"duration_in_seconds": 91})));
    other.assert_error(409, "Conflict");
    let next = network.post("/calls", call_body("2", json!({"affiliate_id_from_network": "976"})));
    assert_ne!(next.body(201)["cuid"], cuid);
}

#[test]
fn all_problems_of_a_call_are_reported() {
    let (_server, network) = world();
    network.post("/calls", json!({})).assert_invalid(&json!({"call": ["can't be blank"]}));
    network.post("/calls", json!({"call": {}})).assert_invalid(&json!({"call": {
        "external_call_unique_id": ["can't be blank"],
        "start_time": ["can't be blank"],
        "advertiser_campaign_id_from_network": ["can't be blank"],
    }}));
    let odd = json!({"start_time": "soon", "duration_in_seconds": -1,
        "calling_phone_number": true, "keypresses": ["12"]});
    network.post("/calls", call_body("1", odd)).assert_invalid(&json!({"call": {
        "keypresses": [["is invalid"]],
        "calling_phone_number": ["is invalid"],
        "duration_in_seconds": ["must be greater than or equal to 0"],
        "start_time": ["is invalid"],
    }}));
    let longer = json!({"connect_duration_in_seconds": 91});
    network.post("/calls", call_body("1", longer)).assert_invalid(&json!({"call": {
        "connect_duration_in_seconds": ["must be less than or equal to duration_in_seconds"]}}));
    let mut colours = call_body("1", json!({}));
    colours["custom_data"] =
        json!([{"name": "channel", "value": "Radio"}, {"name": "colour", "value": "red"}]);
    let unknown =
        json!({"custom_data": [{}, {"name": ["is not a custom data field of this network"]}]});
    network.post("/calls", colours).assert_invalid(&unknown);
    let nowhere = json!({"advertiser_campaign_id_from_network": "99"});
    network.post("/calls", call_body("1", nowhere)).assert_error(404, "RecordNotFound");
    let number = json!({"promo_number": "8005550199"});
    network.post("/calls", call_body("1", number)).assert_error(404, "RecordNotFound");
    assert_json_eq(&stats(&network)["last_30days"]["call_count"], &json!(0));
}

#[test]
fn each_ndjson_line_gets_a_result() {
    let (_server, network) = world();
    let lines = [
        call_body("1", json!({})).to_string(),
        "{not json".to_owned(),
        call_body("1", json!({})).to_string(),
        call_body("2", json!({"duration_in_seconds": "x"})).to_string(),
        call_body("3", json!({})).to_string(),
    ];
    let request = network.request("POST", "/calls").bytes(lines.join("\n").as_bytes());
    let request = request.without_header("Content-Type");
    let response = request.header("Content-Type", "application/x-ndjson").send();
    assert_eq!(response.status, 200);
    let responses: Vec<Value> = response
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let statuses: Vec<Value> = responses.iter().map(|item| item["status"].clone()).collect();
    assert_json_eq(&json!(statuses), &json!([201, 400, 202, 403, 201]));
    assert_eq!(responses[0]["cuid"], responses[2]["cuid"]);
    let wrong = json!({"call": {"duration_in_seconds": ["is not a number"]}});
    assert_json_eq(&responses[3]["errors"], &wrong);
    // Only `/calls` accepts lines.
    let elsewhere = network.request("POST", "/affiliates").bytes(b"{}\n");
    let elsewhere = elsewhere.without_header("Content-Type");
    let elsewhere = elsewhere.header("Content-Type", "application/x-ndjson").send();
    elsewhere.assert_error(415, "UnsupportedMediaType");
}

#[test]
fn mean_duration_is_over_calls_of_known_duration() {
    let (_server, network) = world();
    let now = terms_created_at(&network).to_string();
    for (id, duration) in [("known", json!(100)), ("unknown", Value::Null)] {
        let more = json!({"start_time": now, "duration_in_seconds": duration});
        network.post("/calls", call_body(id, more)).expect(201);
    }
    let mean = |calls: i64, mean: f64| {
        let expected = json!({"call_count": calls, "call_avg_total_duration": mean});
        assert_json_eq(&stats(&network)["today"], &expected);
    };
    mean(2, 100.0);
    // Corrections make a duration known, and unknown.
    let rows = network.ledger();
    let correct = |row: &Value, duration: Value| {
        let body = json!({"reason": "The switch.", "call": {"duration": duration}});
        network.post_correction(&row["transaction_id"], body).body(201)
    };
    correct(&rows[1], json!(50));
    mean(2, 75.0);
    let unknown = correct(&rows[0], Value::Null);
    mean(2, 50.0);
    correct(&unknown, json!(0));
    mean(2, 25.0);
}

#[test]
fn custom_data_entry_needs_a_name() {
    let (_server, network) = world();
    let mut body = call_body("1", json!({}));
    body["custom_data"] = json!([{"partner_name": "channel", "value": "x"}]);
    let message = json!({"custom_data": [{"name": ["can't be blank"]}]});
    network.post("/calls", body).assert_invalid(&message);
}

#[test]
fn statistics_use_the_days_of_the_campaigns_time_zone() {
    let (server, network) = world();
    let report_at = |days: i64, id: &str, seconds: i64| {
        let now = terms_created_at(&network);
        let start = now.checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap();
        let more = json!({"start_time": start.to_string(), "duration_in_seconds": seconds});
        network.post("/calls", call_body(id, more)).expect(201);
    };
    report_at(0, "today", 60);
    report_at(3, "this week", 30);
    report_at(20, "this month", 0);
    report_at(40, "long ago", 600);
    let totals =
        |calls: i64, mean: f64| json!({"call_count": calls, "call_avg_total_duration": mean});
    let expected = json!({"today": totals(1, 60.0), "last_7days": totals(2, 45.0), "last_30days": totals(3, 30.0)});
    assert_json_eq(&stats(&network), &expected);
    // An affiliate does not see calls of other affiliates.
    let path = format!("{}/quick_stats", campaign_path("354", "12"));
    server.affiliate("976").get(&path).assert_error(404, "RecordNotFound");
}

#[test]
fn second_call_of_a_number_is_a_repeat_call() {
    let (_server, network) = world();
    let path = affiliate_campaign_path("354", "12", "976");
    network.put(&path, json!({"status": "Approved"})).expect(200);
    let terms = json!({"affiliate_payout": {"policies": [
        {"type": "Base", "amount": 1, "currency": "USD", "condition": "repeat"}]}});
    network.put(&campaign_path("354", "12"), terms).expect(200);
    let is_repeat = |caller: &str| {
        let facts = json!({"calling_phone_number": caller, "start_time": "2200-01-05"});
        let body = json!({"advertiser_campaign": "12", "affiliate": "976", "terms": "future", "call": facts});
        let response = network.extensions().post("/dry_run", body).body(200);
        response["affiliate_payout"]["policies"][0]["met"].clone()
    };
    assert_eq!(is_repeat("8057089876"), false);
    network.post("/calls", call_body("1", json!({}))).expect(201);
    assert_eq!(is_repeat("8057089876"), true);
    assert_eq!(is_repeat("8057089877"), false);
}

/// Facts of the most recent call.
fn last_call(network: &Client) -> Value {
    let calls = network.extensions().get("/calls").body(200);
    calls.as_array().and_then(|calls| calls.last()).expect("a call").clone()
}

#[test]
fn start_time_may_be_unix_seconds_or_milliseconds() {
    let (_server, network) = world();
    for (number, (start, current)) in [
        (json!(7_258_161_600_i64), "2200-01-01 04:00:00 -0800"),
        (json!("7258161600"), "2200-01-01 04:00:00 -0800"),
        (json!(7_258_161_600_999_i64), "2200-01-01 04:00:00 -0800"),
        (json!("7258161601000"), "2200-01-01 04:00:01 -0800"),
        (json!(7_258_161_600.75), "2200-01-01 04:00:00 -0800"),
        (json!("2200-01-01T12:00:00Z"), "2200-01-01 04:00:00 -0800"),
    ]
    .into_iter()
    .enumerate()
    {
        let more = json!({"start_time": start});
        network.post("/calls", call_body(&number.to_string(), more)).expect(201);
        assert_eq!(last_call(&network)["start_time"], current, "{start}");
    }
    for start in [json!(-1), json!(5), json!(20_261_120), json!("1e12"), json!(1e30), json!([1])] {
        let response = network.post("/calls", call_body("bad", json!({"start_time": start})));
        response.assert_invalid(&json!({"call": {"start_time": ["is invalid"]}}));
    }
}

#[test]
fn end_time_determines_and_must_match_the_duration() {
    let (_server, network) = world();
    let lasting = |id: &str, end: Value, duration: Value| {
        let more = json!({"end_time": end, "duration_in_seconds": duration});
        network.post("/calls", call_body(id, more))
    };
    for (id, end, duration) in [
        ("1", json!("2200-01-01 12:01:30 +0000"), Value::Null),
        ("2", json!("2200-01-01 12:01:30 +0000"), json!(90)),
        ("3", json!("7258161690500"), json!(91)),
        ("4", json!(7_258_161_690_500_i64), Value::Null),
    ] {
        lasting(id, end, duration.clone()).expect(201);
        let expected = if duration == json!(91) { 91 } else { 90 };
        assert_json_eq(&last_call(&network)["duration"], &json!(expected));
    }
    let rejected = |end: &str, duration: Value, message: &str| {
        let response = lasting("bad", json!(end), duration);
        response.assert_invalid(&json!({"call": {"end_time": [message]}}));
    };
    rejected("2200-01-01 11:59:59 +0000", Value::Null, "must not be before start_time");
    let disagree = "must be start_time and duration_in_seconds together";
    rejected("2200-01-01 12:01:30 +0000", json!(91), disagree);
    rejected("2200-03-01", Value::Null, "must be within 31 days of start_time");
    rejected("later", Value::Null, "is invalid");
    // The connect duration is at most the total duration.
    let more = json!({"end_time": "2200-01-01 12:00:10 +0000", "duration_in_seconds": null,
        "connect_duration_in_seconds": 11});
    network.post("/calls", call_body("bad", more)).assert_invalid(&json!({"call": {
        "connect_duration_in_seconds": ["must be less than or equal to duration_in_seconds"]}}));
}

#[test]
fn idempotency_key_replays_the_first_response() {
    let (_server, network) = world();
    let send = |key: &str, body: &Value| {
        network.request("POST", "/calls").header("Idempotency-Key", key).json(body).send()
    };
    let first = send("k", &call_body("1", json!({}))).body(201);
    assert_json_eq(&send("k", &call_body("1", json!({}))).body(201), &first);
    send("k", &call_body("2", json!({}))).assert_error(403, "UnauthorizedOperation");
    send("l", &call_body("1", json!({}))).assert_json(202, &first);
    send("l", &call_body("1", json!({}))).assert_json(202, &first);
    // An error response is not stored for the key.
    send("m", &call_body("3", json!({"duration_in_seconds": -1}))).expect(403);
    send("m", &call_body("3", json!({}))).expect(201);
}

#[test]
fn rejected_call_is_not_charged() {
    let (_server, network) = world();
    let budget = json!({"reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
        "time_zone": "UTC", "budget_amount": 1000});
    let more = json!({"budget_activities": {"budget_cap_alert": budget, "call_cap_alert": budget}});
    network.put(&campaign_path("354", "12"), more).expect(200);
    network.go_live("354", "12");
    network.post("/calls", call_body("1", json!({}))).expect(201);
    let observed_state = || {
        let campaign = network.get(&campaign_path("354", "12")).body(200);
        let calls = network.extensions().get("/calls").body(200);
        (campaign["current_terms"]["budget_activities"].clone(), calls, stats(&network))
    };
    let before = observed_state();
    assert_json_eq(&before.0["budget_cap_alert"]["total_amount"], &json!(7));
    let keys = vec!["1"; 10_000];
    for (more, status) in [
        (json!({"advertiser_campaign_id_from_network": "99"}), 404),
        (json!({"promo_number": "8005550199"}), 404),
        (json!({"affiliate_id_from_network": "99"}), 404),
        (json!({"end_time": "2199-12-31"}), 403),
        (json!({"duration_in_seconds": -1}), 403),
        (json!({"duration_in_seconds": 1e20}), 403),
        (json!({"connect_duration_in_seconds": 91}), 403),
        (json!({"start_time": "2200-13-01"}), 403),
        (json!({"start_time": null}), 403),
        (json!({"keypresses": keys}), 403),
        (json!({"external_call_unique_id": "1", "duration_in_seconds": 91}), 409),
        (json!({"external_call_unique_id": "x".repeat(256)}), 403),
    ] {
        let response = network.post("/calls", call_body("bad", more.clone()));
        assert_eq!(response.status, status, "{more}: {}", response.text());
        assert!(response.json()["errors"].is_object());
    }
    assert_eq!(observed_state(), before);
}

#[test]
fn differently_written_equal_calls_are_duplicates() {
    let (_server, network) = world();
    let facts = json!({"start_time": "2200-01-01T12:00:00Z", "keypresses": ["1"]});
    network.post("/calls", call_body("10", facts)).expect(201);
    for other in [
        json!({"start_time": "2200-01-01 04:00:00 -0800", "keypresses": ["1"]}),
        json!({"start_time": 7_258_161_600_i64, "keypresses": [1]}),
        json!({"calling_phone_number": "+18057089876", "keypresses": ["1"]}),
        json!({"calling_phone_number": 8_057_089_876_i64, "keypresses": ["1"]}),
        json!({"duration_in_seconds": "90", "keypresses": ["1"]}),
        json!({"duration_in_seconds": 90.0, "keypresses": ["1"], "city": null, "unknown": 1}),
        json!({"external_call_unique_id": 10, "keypresses": ["1"]}),
        json!({"advertiser_campaign_id_from_network": 12, "keypresses": ["1"]}),
    ] {
        let repeated = network.post("/calls", call_body("10", other.clone()));
        assert_eq!(repeated.status, 202, "{other}: {}", repeated.text());
    }
    let other = call_body("10", json!({"keypresses": ["2"]}));
    network.post("/calls", other).assert_error(409, "Conflict");
    // An invalid call is rejected even if its id is already used.
    let wrong = json!({"duration_in_seconds": -1, "keypresses": vec!["1"; 10_000]});
    network.post("/calls", call_body("10", wrong)).assert_invalid(&json!({"call": {
        "duration_in_seconds": ["must be greater than or equal to 0"],
        "keypresses": ["is too long (maximum is 1000 items)"],
    }}));
}

#[test]
fn promo_number_of_another_affiliate_is_rejected() {
    let (server, network) = world();
    server.add_numbers(&["8005550100"]);
    network.has_applied("354", "12", "975");
    let path = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    let number = json!({"description": "spot", "media_type": "Radio"});
    network.post(&path, number).expect(201);
    let brought = |id: &str, affiliate: &str| {
        call_body(id, json!({"promo_number": "8005550100", "affiliate_id_from_network": affiliate}))
    };
    network.post("/calls", brought("1", "976")).expect(201);
    let rejected = network.post("/calls", brought("2", "975"));
    rejected.assert_invalid(&json!({"call": {"promo_number": ["belongs to another affiliate"]}}));
}

#[test]
fn ignored_properties_are_reported() {
    let (_server, network) = world();
    let mut facts = call_body("1", json!({"colour": "red"}));
    facts["signals"] = json!([{"name": "sale"}]);
    let response = network.post("/calls", facts);
    assert_eq!(response.header("trunkline-ignored"), Some("colour, signals"));
}
