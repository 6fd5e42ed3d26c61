//! Live calls that nobody tells of any more are ended, once, by whichever server comes to it.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_same};

/// A server that gives calls up after a second, and a live campaign.
fn world() -> (Server, Client) {
    let server = Server::start_with(&["--call-time-limit", "1", "--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    (server, network)
}

fn begin(network: &Client, more: Value) -> i64 {
    let mut call = json!({"advertiser_campaign": "12"});
    call.as_object_mut().expect("a hash").extend(more.as_object().expect("a hash").clone());
    network.extensions().post("/calls", call).body(201)["id"].as_i64().expect("an id")
}

/// Asks until no call is under way.
fn wait_until_over(network: &Client) {
    while network.extensions().get("/calls?live=true").body(200) != json!([]) {
        std::thread::yield_now();
    }
}

/// How often something was told.
fn told(server: &Server, kind: &str) -> usize {
    server.told().iter().filter(|(known, _)| known == kind).count()
}

#[test]
fn a_call_left_hanging_ends_at_the_last_thing_that_was_heard_of_it() {
    let (server, network) = world();
    let id = begin(&network, json!({"start_time": "2200-01-01T12:00:00Z"}));
    let path = format!("/calls/{id}/events");
    let event = json!({"event": "connected", "at": "2200-01-01T12:00:07Z", "sequence": 1});
    let answer = network.extensions().post(&path, event.clone()).body(200);
    wait_until_over(&network);
    let shown = network.extensions().get(&format!("/calls/{id}")).body(200);
    for (name, value) in [
        ("outcome", json!("connected")),
        ("duration", json!(7)),
        ("connect_duration", json!(0)),
        ("ended_at", json!("2200-01-01 04:00:07 -0800")),
        ("live", Value::Null),
    ] {
        assert_same(&shown[name], &value);
    }
    assert!(shown["transaction_id"].is_string());
    assert_same(&network.extensions().post(&path, event).body(200), &answer);
    let late = network.extensions().post(&path, json!({"event": "hung_up"}));
    late.invalid(&json!({"event": ["cannot happen: the call is over"]}));
    assert_eq!((told(&server, "call.ended"), told(&server, "transaction.created")), (1, 1));
}

#[test]
fn several_servers_end_each_call_once() {
    const CALLS: usize = 60;
    let (server, network) = world();
    let beside = [server.beside(), server.beside()];
    for _ in 0..CALLS {
        begin(&network, json!({}));
    }
    wait_until_over(&beside[0].network());
    assert_eq!((told(&server, "call.ended"), told(&server, "transaction.created")), (CALLS, CALLS));
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    assert_eq!(calls.len(), CALLS);
    assert!(calls.iter().all(|call| call["outcome"] == "abandoned"), "{calls:?}");
}

#[test]
fn a_server_that_starts_ends_what_was_left_hanging() {
    let (mut server, network) = world();
    let id = begin(&network, json!({}));
    server.kill();
    server.start_again();
    wait_until_over(&server.network());
    let shown = server.network().extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(shown["outcome"], "abandoned");
    assert_eq!((told(&server, "call.started"), told(&server, "call.ended")), (1, 1));
}
