//! Calls that were routed elsewhere: what was reported stands, whatever the campaign's tree or status
//! says.

use serde_json::{Value, json};
use trunkline_tests::body::{base_policy, campaign_path, connect_node, merged};
use trunkline_tests::{Client, Response, Server, assert_json_eq};

/// Menu with two destinations.
fn menu() -> Value {
    let second = merged(connect_node(), json!({"destination_phone_number": "8005550102"}));
    json!({"root": {"node_type": "Menu", "prompt": "Choose.", "children": [connect_node(), second]}})
}

/// Creates a live campaign 12 of advertiser 354 with a menu that pays for more than a minute of
/// connection.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let payin = base_policy(10.0, "connect_duration > 60");
    let more = json!({"timezone": "UTC", "ivr_tree": menu(), "advertiser_payin": payin});
    network.has_live_campaign("354", "12", more);
    (server, network)
}

/// Reports a call of 300 seconds to campaign 12.
fn report(network: &Client, id: &str, more: Value) -> Response {
    let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": "12", "calling_phone_number": "8057089876",
        "duration_in_seconds": 300});
    network.post("/calls", json!({"call": merged(call, more)}))
}

/// Values of some columns of the newest row.
fn columns<const N: usize>(network: &Client, names: [&str; N]) -> [Value; N] {
    let row = network.ledger().pop().expect("a row");
    names.map(|name| row[name].clone())
}

#[test]
fn reported_connection_stands_without_or_with_unknown_keys() {
    let (_server, network) = world();
    let names = [
        "call_result_description_detail",
        "connect_duration",
        "destination_phone_number",
        "advertiser_payin_localized",
        "keypresses",
        "hangup_cause",
    ];
    let unknown = "Unknown: Unknown Cause";
    for (id, more, expected) in [
        (
            "no keys",
            json!({"connect_duration_in_seconds": 280, "destination_phone_number": "8004377950"}),
            json!(["Connected", 280, "800-437-7950", "10.00", "", unknown]),
        ),
        (
            "an unknown key",
            json!({"connect_duration_in_seconds": 280, "destination_phone_number": "8004377950",
                "keypresses": ["5"]}),
            json!(["Connected", 280, "800-437-7950", "10.00", "5", unknown]),
        ),
        (
            "a known key",
            json!({"connect_duration_in_seconds": 280, "keypresses": ["2"]}),
            json!(["Connected", 280, "800-555-0102", "10.00", "2", unknown]),
        ),
        (
            "not connected",
            json!({"connect_duration_in_seconds": 0, "keypresses": ["2"]}),
            json!(["No answer", 0, "800-555-0102", "0.00", "2", "Destination: No Answer"]),
        ),
        (
            "hung up in the menu",
            json!({"connect_duration_in_seconds": 0}),
            json!(["Caller hung up in IVR", 0, "", "0.00", "", "IVR: Hang-up"]),
        ),
    ] {
        let response = report(&network, id, more).expect(201);
        assert_eq!(response.header("Trunkline-Outcome"), None, "{id}");
        assert_json_eq(&json!(columns(&network, names)), &expected);
    }
}

#[test]
fn turned_away_call_is_announced_and_keeps_its_facts() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("354", "12", json!({"ivr_tree": menu()}));
    let facts = json!({"connect_duration_in_seconds": 80, "calling_phone_number": "+12125550123",
        "destination_phone_number": "8004377950", "keypresses": ["2"], "zip": "10001"});
    let names = [
        "call_result_description_detail",
        "duration",
        "connect_duration",
        "region",
        "verified_zip",
        "destination_phone_number",
        "keypresses",
        "advertiser_payin_localized",
    ];
    let expected = json!([
        "Turned away: the campaign was not live",
        300,
        80,
        "NY",
        "10001",
        "800-437-7950",
        "2",
        ""
    ]);
    let outcome = "turned_away; reason=not_live";
    let first = report(&network, "before the first go_live", facts.clone()).expect(201);
    assert_eq!(first.header("Trunkline-Outcome"), Some(outcome));
    assert_json_eq(&json!(columns(&network, names)), &expected);
    let again = report(&network, "before the first go_live", facts.clone()).expect(202);
    assert_eq!(again.header("Trunkline-Outcome"), Some(outcome));
    network.go_live("354", "12");
    network.post(&format!("{}/archive", campaign_path("354", "12")), json!({})).expect(200);
    let second = report(&network, "archived", facts.clone()).expect(201);
    assert_eq!(second.header("Trunkline-Outcome"), Some(outcome));
    assert_json_eq(&json!(columns(&network, names)), &expected);
    assert_eq!(columns(&network, ["keypress_1"]), ["2"]);
    // Each line of a batch tells it in its properties.
    let line = |id: &str| {
        let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01 12:00:00 +0000",
            "advertiser_campaign_id_from_network": "12"});
        json!({"call": call}).to_string()
    };
    let lines = [line("archived again"), line("and again")].join("\n");
    let request = network.request("POST", "/calls").bytes(lines.as_bytes());
    let request = request.without_header("Content-Type");
    let response = request.header("Content-Type", "application/x-ndjson").send();
    for line in response.text().lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_json_eq(&line["status"], &json!(201));
        assert_eq!(
            (&line["outcome"], &line["reason"]),
            (&json!("turned_away"), &json!("not_live"))
        );
    }
    // An idempotency key returns the first answer with its header.
    let keyed = network.request("POST", "/calls").header("Idempotency-Key", "k");
    let call = json!({"external_call_unique_id": "keyed", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"});
    let keyed = keyed.json(&json!({"call": call}));
    for _ in 0..2 {
        assert_eq!(keyed.send().expect(201).header("Trunkline-Outcome"), Some(outcome));
    }
}

#[test]
fn correction_of_the_connect_duration_is_stored_and_priced() {
    let (_server, network) = world();
    report(&network, "1", json!({"connect_duration_in_seconds": 0})).expect(201);
    let old = network.ledger().remove(0);
    assert_eq!(old["advertiser_payin_localized"], "0.00");
    let body = json!({"reason": "The switch lost it.", "call": {"connect_duration": 80}});
    let new = network.post_correction(&old["transaction_id"], body).body(201);
    assert_json_eq(&new["connect_duration"], &json!(80));
    assert_eq!(new["advertiser_payin_localized"], "10.00");
    assert_eq!(new["call_result_description_detail"], "Connected");
    // The same for a call that was live.
    let live = network.extensions();
    let id = live.post("/calls", json!({"advertiser_campaign": "12"})).body(201)["id"].clone();
    live.post(&format!("/calls/{id}/events"), json!({"event": "hung_up"})).expect(200);
    let [transaction, text] =
        columns(&network, ["transaction_id", "call_result_description_detail"]);
    assert_eq!(text, "Caller hung up in IVR");
    let body = json!({"reason": "It was connected.",
        "call": {"duration": 100, "connect_duration": 80}});
    let new = network.post_correction(&transaction, body).body(201);
    assert_json_eq(&new["connect_duration"], &json!(80));
    assert_eq!(new["advertiser_payin_localized"], "10.00");
    let body = json!({"reason": "It was not.", "call": {"connect_duration": 0}});
    let last = network.post_correction(&new["transaction_id"], body).body(201);
    assert_eq!(last["advertiser_payin_localized"], "0.00");
    assert_json_eq(&last["connect_duration"], &json!(0));
}

#[test]
fn external_only_campaign_needs_no_tree() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("354");
    let body = json!({"name": "Elsewhere", "campaign_type": "ExternalOnly",
        "advertiser_payin": base_policy(10.0, "connect_duration > 60")});
    network.put(&campaign_path("354", "12"), body).expect(200);
    network.go_live("354", "12");
    report(
        &network,
        "1",
        json!({"connect_duration_in_seconds": 280,
        "destination_phone_number": "8004377950"}),
    )
    .expect(201);
    let names = ["connect_duration", "destination_phone_number", "advertiser_payin_localized"];
    let expected = json!([280, "800-437-7950", "10.00"]);
    assert_json_eq(&json!(columns(&network, names)), &expected);
    // A live call to it is hung up on.
    let started = network.extensions().post("/calls", json!({"advertiser_campaign": "12"}));
    assert_json_eq(&started.body(201)["actions"], &json!([{"hangup": {}}]));
}

#[test]
fn outbound_call_is_stored_and_never_paid() {
    let (_server, network) = world();
    let connected = json!({"connect_duration_in_seconds": 280});
    for direction in [Value::Null, json!("inbound"), json!("Inbound")] {
        let more = merged(connected.clone(), json!({"call_direction": direction}));
        let response = report(&network, &direction.to_string(), more).expect(201);
        assert_eq!(response.header("Trunkline-Outcome"), None);
        assert_eq!(columns(&network, ["advertiser_payin_localized"]), ["10.00"]);
    }
    let outbound = merged(
        connected,
        json!({"call_direction": "OUTBOUND",
        "calling_phone_number": "8055550100"}),
    );
    let response = report(&network, "out", outbound.clone()).expect(201);
    assert_eq!(response.header("Trunkline-Outcome"), Some("turned_away; reason=not_inbound"));
    let names = [
        "call_result_description_detail",
        "connect_duration",
        "advertiser_payin_localized",
        "hangup_cause",
    ];
    let expected = json!(["Turned away: the call was not inbound", 280, "", ""]);
    assert_json_eq(&json!(columns(&network, names)), &expected);
    // It makes no repeat caller.
    let later = json!({"start_time": "2200-01-02 12:00:00 +0000",
        "calling_phone_number": "8055550100"});
    report(&network, "later", later.clone()).expect(201);
    assert_eq!(columns(&network, ["repeat_calling_phone_number"]), ["No"]);
    let latest = merged(later, json!({"start_time": "2200-01-03 12:00:00 +0000"}));
    report(&network, "latest", latest).expect(201);
    assert_eq!(columns(&network, ["repeat_calling_phone_number"]), ["Yes"]);
    let odd = report(&network, "odd", json!({"call_direction": "sideways"}));
    let message = json!({"call": {"call_direction": ["is not included in the list"]}});
    odd.assert_invalid(&message);
}

#[test]
fn ends_of_live_calls_are_told_in_words() {
    let (_server, network) = world();
    let live = network.extensions();
    let events = |events: &[Value]| {
        let id = live.post("/calls", json!({"advertiser_campaign": "12"})).body(201)["id"].clone();
        for event in events {
            live.post(&format!("/calls/{id}/events"), event.clone()).expect(200);
        }
        let end = live.get(&format!("/calls/{id}")).body(200)["end"].clone();
        let names = ["call_result_description_detail", "hangup_cause", "destination_phone_number"];
        let [text, cause, destination] = columns(&network, names);
        json!([end, text, cause, destination])
    };
    let key = json!({"event": "key", "key": "2"});
    let event = |name: &str| json!({"event": name});
    let by_destination = json!({"event": "hung_up", "by": "destination"});
    let error = "Destination: Error (503 or Fast Busy)";
    let (to, connected) = ("800-555-0102", event("connected"));
    for (happened, expected) in [
        (vec![key.clone(), event("busy")], json!(["busy", "Destination busy", error, to])),
        (
            vec![key.clone(), event("no_answer")],
            json!(["no_answer", "No answer", "Destination: No Answer", to]),
        ),
        (vec![key.clone(), event("failed")], json!(["failed", "Call failed", error, to])),
        (
            vec![key.clone(), event("hung_up")],
            json!(["ringing_hung_up", "Caller hung up while ringing", "Caller: Hang-up", to]),
        ),
        (
            vec![event("hung_up")],
            json!(["ivr_hung_up", "Caller hung up in IVR", "IVR: Hang-up", ""]),
        ),
        (
            vec![key.clone(), connected.clone(), event("hung_up")],
            json!(["caller_hung_up", "Connected", "Caller: Hang-up", to]),
        ),
        (
            vec![key, connected, by_destination],
            json!(["destination_hung_up", "Connected", "Destination: Hang-up", to]),
        ),
    ] {
        assert_json_eq(&events(&happened), &expected);
    }
}

#[test]
fn reported_facts_stand_on_every_dated_version() {
    let (_server, network) = world();
    let versions = [
        "2014-01-01",
        "2015-05-01",
        "2015-12-09",
        "2016-02-01",
        "2016-05-01",
        "2016-07-01",
        "2016-10-01",
        "2016-12-01",
        "2017-02-01",
        "2017-04-01",
        "2018-05-01",
        "2018-11-01",
        "2019-05-01",
        "2020-10-01",
        "2022-03-01",
        "2022-08-01",
        "2030-01-01",
    ];
    let connected = json!({"connect_duration_in_seconds": 280,
        "destination_phone_number": "8004377950"});
    let names = ["connect_duration", "advertiser_payin_localized", "hangup_cause"];
    for version in versions {
        let client = network.with_version(version);
        let first = report(&client, version, connected.clone()).expect(201);
        assert_eq!(first.header("Trunkline-Outcome"), None, "{version}");
        let row = client.ledger().pop().expect("a row");
        let expected = json!([280, "10.00", "Unknown: Unknown Cause"]);
        assert_json_eq(&json!(names.map(|name| row[name].clone())), &expected);
        let outbound = merged(connected.clone(), json!({"call_direction": "outbound"}));
        let id = format!("outbound {version}");
        let response = report(&client, &id, outbound).expect(201);
        let reason = "turned_away; reason=not_inbound";
        assert_eq!(response.header("Trunkline-Outcome"), Some(reason), "{version}");
    }
}
