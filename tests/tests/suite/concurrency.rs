//! Two hundred clients write the same object at once: one of them wins, whole, and every answer
//! is true.

use serde_json::{Value, json};
use std::sync::Barrier;
use trunkline_tests::{Answer, Client, Server, assert_same, body};

const CLIENTS: usize = 200;

/// Sends everyone's request at the same time, and gathers the answers in the requests' order.
fn at_once(send: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(CLIENTS);
    let (start, send) = (&start, &send);
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

/// A body that is one client's in each of its properties, with a set of its own size.
fn affiliate_of(number: usize) -> Value {
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

/// Checks that an answer shows what one client sent, and nothing of another.
#[track_caller]
fn shows(answer: &Value, number: usize) {
    let sent = affiliate_of(number);
    for property in ["name", "status", "sites", "custom_data"] {
        assert_same(&answer[property], &sent[property]);
    }
    let users = answer["users"].as_array().expect("users");
    assert_eq!(users.len(), number % 4, "{answer}");
    for (index, user) in users.iter().enumerate() {
        assert_eq!(user["id_from_network"], format!("{number}-{index}"));
        assert_eq!(user["first_name"], format!("Client {number}"));
    }
}

fn is_one_of_them(shown: &Value) {
    let name = shown["name"].as_str().expect("a name");
    let number = name.strip_prefix("Client ").and_then(|number| number.parse().ok());
    shows(shown, number.expect("a client's name"));
}

/// How many entries of the log were made by 200 writes, each true to the one before it.
fn follows_from_one_to_the_next(network: &Client, object: &str, entries: usize) {
    let log = network.audit(Some(object));
    assert_eq!(log.len(), entries);
    for pair in log.windows(2) {
        assert_same(&pair[1]["before"], &pair[0]["after"]);
    }
}

#[test]
fn two_hundred_clients_write_the_same_affiliate() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let answers = at_once(|number| network.put("/affiliates/222", affiliate_of(number)));
    for (number, answer) in answers.into_iter().enumerate() {
        shows(&answer.body(200), number);
    }
    is_one_of_them(&network.get("/affiliates/222").body(200));
    follows_from_one_to_the_next(&network, "affiliate:222", CLIENTS + 1);
}

#[test]
fn two_hundred_clients_create_the_same_affiliate() {
    let server = Server::start();
    let network = server.network();
    let answers = at_once(|number| network.post("/affiliates/222", affiliate_of(number)));
    let mut ids: Vec<Value> = Vec::new();
    for (number, answer) in answers.into_iter().enumerate() {
        let shown = answer.body(201);
        shows(&shown, number);
        ids.push(shown["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one object, with one id: {ids:?}");
    is_one_of_them(&network.get("/affiliates/222").body(200));
    let list = network.get("/affiliates").body(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[test]
fn two_hundred_clients_write_the_same_users() {
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
    let answers = at_once(|number| network.put("/affiliates/222", json!({"users": set(number)})));
    let check = |shown: &Value, number: usize| {
        let users = shown["users"].as_array().expect("users");
        assert_eq!(users.len(), 1 + number % 5);
        for (index, user) in users.iter().enumerate() {
            assert_eq!(user["id_from_network"], index.to_string());
            assert_eq!(user["last_name"], number.to_string());
        }
    };
    for (number, answer) in answers.into_iter().enumerate() {
        check(&answer.body(200), number);
    }
    let shown = network.get("/affiliates/222").body(200);
    let winner = shown["users"][0]["last_name"].as_str().and_then(|name| name.parse().ok());
    check(&shown, winner.expect("a client's number"));
}

/// With `If-Match` the first one wins and everybody else is told.
#[test]
fn of_two_hundred_that_read_the_same_one_may_write() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let tag = network.get("/affiliates/222").header("etag").expect("an ETag").to_owned();
    let answers = at_once(|number| {
        let request = network.request("PUT", "/affiliates/222").header("If-Match", &tag);
        request.json(&affiliate_of(number)).send()
    });
    let winners: Vec<usize> =
        (0..CLIENTS).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(answers.iter().filter(|answer| answer.status == 412).count() == CLIENTS - 1);
    shows(&network.get("/affiliates/222").body(200), winners[0]);
}

/// Each number of the inventory is given to one of them.
#[test]
fn two_hundred_clients_take_promo_numbers() {
    let server = Server::start();
    let network = server.network();
    let stock: Vec<String> = (0..150).map(|n| format!("8005550{n:03}")).collect();
    server.stock(&stock.iter().map(String::as_str).collect::<Vec<_>>());
    network.has_campaign("1", "12", json!({"max_promo_numbers": 120}));
    let path = format!("{}/promo_numbers", body::campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let answers = at_once(|_| network.post(&path, new.clone()));
    let mut taken: Vec<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json()["promo_number"].to_string())
        .collect();
    assert_eq!(taken.len(), 120);
    assert!(answers.iter().all(|answer| [201, 403].contains(&answer.status)));
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 120, "a number was given twice");
}

/// Readers beside a writer never see half of a write.
#[test]
fn a_reader_never_sees_half_a_write() {
    let server = Server::start();
    let network = server.network();
    network.put("/affiliates/222", affiliate_of(7)).expect(200);
    let answers = at_once(|number| {
        if number.is_multiple_of(2) {
            network.get("/affiliates/222")
        } else {
            network.put("/affiliates/222", affiliate_of(number))
        }
    });
    for answer in answers {
        is_one_of_them(&answer.body(200));
    }
}
