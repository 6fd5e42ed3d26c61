//! Times of calls: the forms that are read, times of the future, and clocks that differ.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_tests::{Client, Response, Server, assert_json_eq};

/// Creates a live campaign 12. The server has the default tolerance of clocks.
fn world() -> (Server, Client) {
    let server = Server::builder().arguments(&["--clock-tolerance", "300"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
    (server, network)
}

fn report(network: &Client, id: &str, start: Value) -> Response {
    let call = json!({"external_call_unique_id": id, "start_time": start,
        "advertiser_campaign_id_from_network": "12", "duration_in_seconds": 10});
    network.post("/calls", json!({"call": call}))
}

/// Time this many seconds after the campaign's terms went live, which is about now.
fn seconds_from_now(network: &Client, seconds: i64) -> Timestamp {
    let campaign = network.get("/advertisers/354/advertiser_campaigns/12").body(200);
    let live = campaign["current_terms"]["created_at"].as_str().expect("a time").to_owned();
    let live = Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", live).expect("a time stamp");
    live.checked_add(SignedDuration::from_secs(seconds)).expect("a time")
}

#[test]
fn every_form_of_a_start_time_is_read() {
    let (_server, network) = world();
    // The network is in the Pacific time zone.
    let forms = [
        json!(1_460_404_800),
        json!("1460404800"),
        json!(1_460_404_800_000_i64),
        json!("1460404800123"),
        json!("2016-04-11T13:00:00-07:00"),
        json!("2016-04-11 13:00:00 -0700"),
        json!("2016-04-11T20:00:00Z"),
        json!("2016-04-11T20:00Z"),
        json!("2016-04-11T20:00:00.123Z"),
        json!("2016-04-11 13:00"),
        json!("2016-04-11T13:00:00"),
        json!("20160411T200000Z"),
        json!("20160411T130000"),
        json!("20160411200000123"),
        json!(20_160_411_200_000_123_i64),
        json!("2016/04/11T13:00:00-07:00"),
        json!("2016/04/11 01:00:00 PM"),
        json!("2016/04/11 13:00:00 PM"),
    ];
    for form in &forms {
        report(&network, &form.to_string(), form.clone()).expect(201);
    }
    let rows = network.ledger();
    assert_eq!(rows.len(), forms.len());
    for (row, form) in rows.iter().zip(&forms) {
        assert_eq!(row["start_time_network_timezone"], "2016-04-11 13:00:00 -0700", "{form}");
    }
    for form in ["20160411", "2016-04-11T25:00Z", "13:00", "201604112000001234"] {
        let errors = json!({"call": {"start_time": ["is invalid"]}});
        report(&network, form, json!(form)).assert_invalid(&errors);
    }
}

#[test]
fn times_of_the_future_are_rejected() {
    let (_server, network) = world();
    let message = json!(["can't be in the future"]);
    let near = seconds_from_now(&network, 240).to_string();
    report(&network, "near", json!(near)).expect(201);
    let far = seconds_from_now(&network, 900).to_string();
    for start in [far.as_str(), "2062-01-01", "9999-12-01"] {
        let errors = json!({"call": {"start_time": message}});
        report(&network, start, json!(start)).assert_invalid(&errors);
    }
    let line = json!({"call": {"external_call_unique_id": "line", "start_time": far,
        "advertiser_campaign_id_from_network": "12"}});
    let request = network.request("POST", "/calls").bytes(line.to_string().as_bytes());
    let request = request.without_header("Content-Type");
    let response = request.header("Content-Type", "application/x-ndjson").send();
    let line: Value = serde_json::from_str(response.text().trim()).expect("a line of JSON");
    assert_json_eq(&line["errors"], &json!({"call": {"start_time": message}}));
    // Live starts and events, too.
    let live = network.extensions();
    let start =
        |at: &str| live.post("/calls", json!({"advertiser_campaign": "12", "start_time": at}));
    start(&far).assert_invalid(&json!({"start_time": message}));
    let id = start(&near).body(201)["id"].clone();
    let event = json!({"event": "connected", "at": far});
    let response = live.post(&format!("/calls/{id}/events"), event);
    response.assert_invalid(&json!({"at": message}));
    // A dry run may ask about the future.
    let call = json!({"advertiser_campaign": "12", "call": {"start_time": far}});
    live.post("/dry_run", call).expect(200);
}

#[test]
fn durations_of_an_edge_whose_clock_is_ahead_are_measured_between_events() {
    let server = Server::builder().sandbox().arguments(&["--clock-tolerance", "300"]).start();
    let network = server.network();
    let live = network.extensions();
    let set_clock = |time: &str| live.post("/sandbox/clock", json!({"now": time})).expect(200);
    set_clock("2026-11-02T12:00:00Z");
    network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
    let start = json!({"advertiser_campaign": "12", "start_time": "2026-11-02T12:01:00Z"});
    let id = live.post("/calls", start).body(201)["id"].clone();
    let event = |name: &str| {
        live.post(&format!("/calls/{id}/events"), json!({"event": name})).expect(200);
    };
    set_clock("2026-11-02T12:00:10Z");
    event("connected");
    set_clock("2026-11-02T12:01:00Z");
    event("hung_up");
    let call = live.get(&format!("/calls/{id}")).body(200);
    assert_json_eq(&json!([call["duration"], call["connect_duration"]]), &json!([60, 50]));
}
