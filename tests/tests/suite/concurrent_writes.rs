//! 200 concurrent writes of the same object: one of them wins as a whole, and every response matches the
//! state after its write.

use serde_json::{Value, json};
use std::sync::Barrier;
use trunkline_tests::{Client, Response, Server, assert_json_eq, body};

const CLIENTS: usize = 200;

/// Sends all requests at the same time. The responses are in the order of the requests.
fn send_concurrently(send: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let start = Barrier::new(CLIENTS);
    let start = &start;
    let send = &send;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    send(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a client's answer")).collect()
    })
}

/// Body that carries the client's number in each property; the sizes of its sets depend on the number.
fn affiliate_of_client(number: usize) -> Value {
    let users = (0..number % 4).map(|index| {
        let mut user = body::full_user(&format!("{number}-{index}"));
        user["first_name"] = format!("Client {number}").into();
        user
    });
    let sites = (0..=number % 3).map(|index| {
        json!({"id_from_network": format!("{number}-{index}"), "name": format!("Site {number}")})
    });
    json!({
        "name": format!("Client {number}"),
        "status": (if number.is_multiple_of(2) { "Approved" } else { "Suspended" }),
        "sites": sites.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
        "custom_data": {"channel": format!("Client {number}")},
    })
}

/// Asserts that a response shows one client's write and nothing of another.
#[track_caller]
fn assert_written_by(response: &Value, number: usize) {
    let sent_body = affiliate_of_client(number);
    for property in ["name", "status", "sites", "custom_data"] {
        assert_json_eq(&response[property], &sent_body[property]);
    }
    let users = response["users"].as_array().expect("users");
    assert_eq!(users.len(), number % 4, "{response}");
    for (index, user) in users.iter().enumerate() {
        assert_eq!(user["id_from_network"], format!("{number}-{index}"));
        assert_eq!(user["first_name"], format!("Client {number}"));
    }
}

fn assert_written_by_one_client(current: &Value) {
    let name = current["name"].as_str().expect("a name");
    let number = name.strip_prefix("Client ").and_then(|number| number.parse().ok());
    assert_written_by(current, number.expect("a client's name"));
}

/// Asserts the number of audit entries, and that each starts where the ones before end. An entry has the properties
/// that changed; each client writes users and sites of its own, so all items of a list change.
fn assert_entries_are_consecutive(network: &Client, object: &str, entries: usize) {
    let log = network.audit_entries(Some(object));
    assert_eq!(log.len(), entries);
    let mut state = log[0]["after"].clone();
    for entry in &log[1..] {
        let properties = |of: &str| entry[of].as_object().expect("properties").clone();
        for (name, value) in properties("before") {
            assert_json_eq(&state[&name], &value);
        }
        for (name, value) in properties("after") {
            state[name] = value;
        }
    }
}

#[test]
fn concurrent_updates_of_an_affiliate_are_serialized() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let responses =
        send_concurrently(|number| network.put("/affiliates/222", affiliate_of_client(number)));
    for (number, response) in responses.into_iter().enumerate() {
        assert_written_by(&response.body(200), number);
    }
    assert_written_by_one_client(&network.get("/affiliates/222").body(200));
    assert_entries_are_consecutive(&network, "affiliate:222", CLIENTS + 1);
}

#[test]
fn concurrent_creations_of_an_affiliate_create_one() {
    let server = Server::start();
    let network = server.network();
    let responses =
        send_concurrently(|number| network.post("/affiliates/222", affiliate_of_client(number)));
    let mut ids: Vec<Value> = Vec::new();
    for (number, response) in responses.into_iter().enumerate() {
        let current = response.body(201);
        assert_written_by(&current, number);
        ids.push(current["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one object, with one id: {ids:?}");
    assert_written_by_one_client(&network.get("/affiliates/222").body(200));
    let list = network.get("/affiliates").body(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[test]
fn concurrent_updates_of_the_same_users_are_serialized() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let set = |number: usize| -> Vec<Value> {
        let user = |index| {
            let mut user = body::user(&format!("{index}"));
            user["last_name"] = format!("{number}").into();
            user
        };
        (0..1 + number % 5).map(user).collect()
    };
    let responses =
        send_concurrently(|number| network.put("/affiliates/222", json!({"users": set(number)})));
    let check = |current: &Value, number: usize| {
        let users = current["users"].as_array().expect("users");
        assert_eq!(users.len(), 1 + number % 5);
        for (index, user) in users.iter().enumerate() {
            assert_eq!(user["id_from_network"], index.to_string());
            assert_eq!(user["last_name"], number.to_string());
        }
    };
    for (number, response) in responses.into_iter().enumerate() {
        check(&response.body(200), number);
    }
    let current = network.get("/affiliates/222").body(200);
    let winner = current["users"][0]["last_name"].as_str().and_then(|name| name.parse().ok());
    check(&current, winner.expect("a client's number"));
}

/// The first write with a matching `If-Match` succeeds; the others fail.
#[test]
fn one_of_concurrent_conditional_writes_succeeds() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let tag = network.get("/affiliates/222").header("etag").expect("an ETag").to_owned();
    let responses = send_concurrently(|number| {
        let request = network.request("PUT", "/affiliates/222").header("If-Match", &tag);
        request.json(&affiliate_of_client(number)).send()
    });
    let winners: Vec<usize> =
        (0..CLIENTS).filter(|number| responses[*number].status == 200).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(responses.iter().filter(|response| response.status == 412).count() == CLIENTS - 1);
    assert_written_by(&network.get("/affiliates/222").body(200), winners[0]);
}

/// Each number of the inventory goes to one client.
#[test]
fn concurrent_allocations_use_each_promo_number_once() {
    let server = Server::start();
    let network = server.network();
    let stock: Vec<String> = (0..150).map(|n| format!("8005550{n:03}")).collect();
    server.add_numbers(&stock.iter().map(String::as_str).collect::<Vec<_>>());
    network.has_campaign("1", "12", json!({"max_promo_numbers": 120}));
    let path = format!("{}/promo_numbers", body::campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let responses = send_concurrently(|_| network.post(&path, new.clone()));
    let mut accepted: Vec<String> = responses
        .iter()
        .filter(|response| response.status == 201)
        .map(|response| response.json()["promo_number"].to_string())
        .collect();
    assert_eq!(accepted.len(), 120);
    assert!(responses.iter().all(|response| [201, 403].contains(&response.status)));
    accepted.sort();
    accepted.dedup();
    assert_eq!(accepted.len(), 120, "a number was given twice");
}

/// Reads beside a writer never return a partial write.
#[test]
fn concurrent_read_never_sees_a_partial_write() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/222", affiliate_of_client(7)).expect(200);
    let responses = send_concurrently(|number| {
        if number.is_multiple_of(2) {
            network.get("/affiliates/222")
        } else {
            network.put("/affiliates/222", affiliate_of_client(number))
        }
    });
    for response in responses {
        assert_written_by_one_client(&response.body(200));
    }
}

#[test]
fn if_match_guards_campaign_actions() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let path = body::campaign_path("1", "12");
    let tag = network.get(&path).header("etag").expect("a tag").to_owned();
    network.put(&path, json!({"name": "Renamed"})).expect(200);
    for action in ["go_live", "archive", "unarchive"] {
        let request = network.request("POST", &format!("{path}/{action}"));
        request.header("If-Match", &tag).send().assert_error(412, "PreconditionFailed");
    }
}
