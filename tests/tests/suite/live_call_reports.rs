//! Reports of telephony edges that are repeated, late, or made under the edge's own ids.

use serde_json::{Value, json};
use trunkline_tests::body::merged;
use trunkline_tests::{Client, Response, Server, assert_json_eq};

const START_TIME: &str = "2200-01-01T12:00:00Z";

fn at(second: u32) -> String {
    format!("2200-01-01T12:{:02}:{:02}Z", second / 60, second % 60)
}

fn campaign() -> Value {
    let policy = json!({"type": "Base", "amount": 7, "currency": "USD",
        "condition": "connect_duration > 30"});
    json!({
        "advertiser_payin": {"policies": [policy]},
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Choose.", "children": [
            {"node_type": "Connect", "destination_phone_number": "8005550101"}]}},
    })
}

fn world_with(arguments: &[&str]) -> (Server, Client) {
    let server = Server::builder().arguments(arguments).start();
    let network = server.network();
    network.has_live_campaign("354", "12", campaign());
    network.has_live_campaign("355", "13", campaign());
    (server, network)
}

fn world() -> (Server, Client) {
    world_with(&[])
}

fn start(client: &Client, more: Value) -> Response {
    let call = json!({"advertiser_campaign": "12", "calling_phone_number": "8057089876",
        "external_call_unique_id": "CA1", "start_time": START_TIME});
    client.extensions().post("/calls", merged(call, more))
}

fn send(client: &Client, call: &str, event: Value) -> Response {
    client.extensions().post(&format!("/calls/{call}/events"), event)
}

/// Sends an event by the external id.
fn report(client: &Client, event: Value) -> Value {
    send(client, "by_external_id/CA1", event).body(200)
}

fn get_call(client: &Client) -> Value {
    let found = client.extensions().get("/calls?external_call_unique_id=CA1").body(200);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    found[0].clone()
}

/// Payin of each ledger row of the call, oldest first.
fn payins(client: &Client) -> Vec<f64> {
    let rows = client.ledger();
    let payin = |row: &Value| match &row["advertiser_payin_localized"] {
        Value::String(text) => text.parse().expect("an amount"),
        amount => amount.as_f64().expect("an amount"),
    };
    rows.iter().map(payin).collect()
}

#[test]
fn start_under_the_same_id_is_the_same_call() {
    let (_server, network) = world();
    let first = start(&network, json!({})).body(201);
    let id = first["id"].to_string();
    send(&network, &id, json!({"event": "key", "key": "1"})).expect(200);
    assert_json_eq(&start(&network, json!({})).body(201), &first);
    assert_eq!(get_call(&network)["external_call_unique_id"], "CA1");
    start(&network, json!({"calling_phone_number": "8057089877"})).assert_error(409, "Conflict");
    // Another advertiser's switch counts from the same number.
    let second = start(&network, json!({"advertiser_campaign": "13"})).body(201);
    assert_ne!(second["id"], first["id"]);
    let event = || json!({"event": "connected"});
    send(&network, "by_external_id/CA1", event()).assert_error(409, "Conflict");
    let answer = send(&network, "by_external_id/CA1", json!({"event": "alive"}));
    answer.assert_error(409, "Conflict");
    let of_first = "/calls/by_external_id/CA1/events?advertiser=354";
    let answer = network.extensions().post(of_first, event()).body(200);
    assert_eq!(answer["id"], first["id"]);
    send(&network, "by_external_id/CA2", event()).assert_error(404, "RecordNotFound");
    let dialled = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(dialled["live"]["doing"], "talking");
}

#[test]
fn event_with_the_same_id_counts_once() {
    let (_server, network) = world();
    start(&network, json!({})).expect(201);
    let wrong = json!({"event": "key", "key": "9", "event_id": "e1"});
    let first = report(&network, wrong.clone());
    for _ in 0..5 {
        assert_json_eq(&report(&network, wrong.clone()), &first);
    }
    send(&network, "by_external_id/CA1", json!({"event": "silence", "event_id": "e1"}))
        .assert_invalid(&json!({"event_id": ["was used for another event"]}));
    let dialled = report(&network, json!({"event": "key", "key": "1", "event_id": "e2"}));
    assert_eq!(dialled["actions"][0]["dial"]["number"], "8005550101");
    let over = json!({"event": "hung_up", "event_id": "e3"});
    let end = report(&network, over.clone());
    assert_json_eq(&report(&network, over), &end);
    assert_json_eq(&get_call(&network)["keypresses"], &json!(["9", "1"]));
}

#[test]
fn measured_durations_take_precedence_and_are_paid_once() {
    let (_server, network) = world();
    start(&network, json!({})).expect(201);
    report(&network, json!({"event": "key", "key": "1", "at": at(10)}));
    // Neither that the destination answered nor the end of the ringing was reported.
    let too_long =
        json!({"event": "hung_up", "at": at(80), "duration": 80, "connect_duration": 81});
    send(&network, "by_external_id/CA1", too_long)
        .assert_invalid(&json!({"connect_duration": ["must be less than or equal to duration"]}));
    let over = json!({"event": "hung_up", "at": at(80), "duration": 78, "connect_duration": 45});
    let end = report(&network, over.clone());
    assert_eq!(end["outcome"], "connected");
    let again = report(&network, over);
    assert_json_eq(&again["actions"], &json!([]));
    assert_eq!(again["outcome"], "connected");
    let call = get_call(&network);
    assert_json_eq(&call["duration"], &json!(78));
    assert_json_eq(&call["connect_duration"], &json!(45));
    assert_eq!(call["destination_phone_number"], "8005550101");
    assert_eq!(payins(&network), [7.0]);
    send(&network, "by_external_id/CA1", json!({"event": "busy"}))
        .assert_invalid(&json!({"event": ["cannot happen: the call is over"]}));
}

#[test]
fn notices_do_not_change_the_call() {
    let (_server, network) = world();
    start(&network, json!({})).expect(201);
    let notices = [
        json!({"event": "alive"}),
        json!({"event": "recording", "url": "https://example.com/1.wav", "seconds": 3}),
        json!({"event": "sms_sent"}),
        json!({"event": "sms_failed"}),
    ];
    for notice in &notices {
        assert_json_eq(&report(&network, notice.clone())["actions"], &json!([]));
    }
    send(&network, "by_external_id/CA1", json!({"event": "recording"}))
        .assert_invalid(&json!({"url": ["can't be blank"]}));
    assert_eq!(get_call(&network)["live"]["doing"], "menu");
    report(&network, json!({"event": "hung_up"}));
    for notice in &notices {
        let actions = match notice["event"].as_str() {
            Some("alive") => json!([{"hangup": {}}]),
            _ => json!([]),
        };
        assert_json_eq(&report(&network, notice.clone())["actions"], &actions);
    }
    assert_eq!(payins(&network).len(), 1);
}

fn report_whole(client: &Client, seconds: u32) -> Response {
    client.post(
        "/calls",
        json!({"call": {
            "external_call_unique_id": "CA1", "start_time": "2200-01-01 12:00:00 +0000",
            "advertiser_campaign_id_from_network": "12", "destination_phone_number": "8005550177",
            "duration_in_seconds": seconds, "connect_duration_in_seconds": seconds,
        }}),
    )
}

#[test]
fn report_of_a_live_call_ends_it_and_changes_nothing_later() {
    let (_server, network) = world();
    start(&network, json!({})).expect(201);
    report(&network, json!({"event": "key", "key": "1"}));
    report_whole(&network, 50).expect(202);
    let call = get_call(&network);
    assert_eq!(call["outcome"], "connected");
    assert_json_eq(&call["connect_duration"], &json!(50));
    assert_eq!(call["destination_phone_number"], "8005550177");
    assert_eq!(call["ended_at"], "2200-01-01 04:00:50 -0800");
    report_whole(&network, 10).expect(202);
    assert_json_eq(&get_call(&network), &call);
    assert_eq!(payins(&network), [7.0]);
}

#[test]
fn call_without_an_end_is_incomplete_until_its_length_is_reported() {
    let (_server, network) = world_with(&["--call-time-limit", "1", "--rate-limit", "0"]);
    start(&network, json!({"start_time": null})).expect(201);
    report(&network, json!({"event": "key", "key": "1"}));
    report(&network, json!({"event": "connected"}));
    while network.extensions().get("/calls?live=true").body(200) != json!([]) {
        std::thread::yield_now();
    }
    let incomplete = || network.extensions().get("/calls?incomplete=1").body(200);
    let listed = incomplete();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["outcome"], "connected");
    assert_eq!(listed[0]["end"], "time_limit");
    assert_json_eq(&listed[0]["connect_duration"], &Value::Null);
    assert_eq!(payins(&network), [0.0]);
    let over = json!({"event": "hung_up", "duration": 90, "connect_duration": 60});
    assert_json_eq(&report(&network, over.clone())["actions"], &json!([]));
    assert_json_eq(&incomplete(), &json!([]));
    assert_eq!(payins(&network), [0.0, 7.0]);
    report(&network, over);
    assert_eq!(payins(&network), [0.0, 7.0]);
    let filter = network.extensions().get("/calls?incomplete=2");
    filter.assert_invalid(&json!({"incomplete": ["is invalid"]}));
}
