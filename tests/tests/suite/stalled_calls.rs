//! Live calls without further events are ended once, by any of the servers.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Starts a server with a live-call timeout of one second, and a live campaign.
fn world() -> (Server, Client) {
    let server =
        Server::builder().arguments(&["--call-time-limit", "1", "--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    (server, network)
}

fn start_call(network: &Client, more: Value) -> i64 {
    let mut call = json!({"advertiser_campaign": "12"});
    call.as_object_mut().expect("a hash").extend(more.as_object().expect("a hash").clone());
    network.extensions().post("/calls", call).body(201)["id"].as_i64().expect("an id")
}

/// Polls until no live call is left.
fn wait_until_over(network: &Client) {
    while network.extensions().get("/calls?live=true").body(200) != json!([]) {
        std::thread::yield_now();
    }
}

/// Number of events of a kind.
fn event_count(server: &Server, kind: &str) -> usize {
    server.events().iter().filter(|(existing, _)| existing == kind).count()
}

#[test]
fn stalled_call_ends_at_its_last_event() {
    let (server, network) = world();
    let id = start_call(&network, json!({"start_time": "2200-01-01T12:00:00Z"}));
    let path = format!("/calls/{id}/events");
    let event = json!({"event": "connected", "at": "2200-01-01T12:00:07Z", "sequence": 1});
    let response = network.extensions().post(&path, event.clone()).body(200);
    wait_until_over(&network);
    let current = network.extensions().get(&format!("/calls/{id}")).body(200);
    for (name, value) in [
        ("outcome", json!("connected")),
        ("duration", Value::Null),
        ("connect_duration", Value::Null),
        ("ended_at", json!("2200-01-01 04:00:07 -0800")),
        ("live", Value::Null),
    ] {
        assert_json_eq(&current[name], &value);
    }
    assert!(current["transaction_id"].is_string());
    assert_json_eq(&network.extensions().post(&path, event).body(200), &response);
    // Without a measured duration the end tells nothing new.
    network.extensions().post(&path, json!({"event": "hung_up"})).expect(200);
    assert_eq!(
        (event_count(&server, "call.ended"), event_count(&server, "transaction.created")),
        (1, 1)
    );
}

#[test]
fn stalled_call_is_ended_by_one_of_several_servers() {
    const CALLS: usize = 60;
    let (server, network) = world();
    let sibling = [server.start_sibling(), server.start_sibling()];
    for _ in 0..CALLS {
        start_call(&network, json!({}));
    }
    wait_until_over(&sibling[0].network());
    assert_eq!(
        (event_count(&server, "call.ended"), event_count(&server, "transaction.created")),
        (CALLS, CALLS)
    );
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    assert_eq!(calls.len(), CALLS);
    assert!(calls.iter().all(|call| call["outcome"] == "abandoned"), "{calls:?}");
}

#[test]
fn starting_server_ends_stalled_calls() {
    let (mut server, network) = world();
    let id = start_call(&network, json!({}));
    server.kill();
    server.restart();
    wait_until_over(&server.network());
    let current = server.network().extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(current["outcome"], "abandoned");
    assert_eq!((event_count(&server, "call.started"), event_count(&server, "call.ended")), (1, 1));
}
