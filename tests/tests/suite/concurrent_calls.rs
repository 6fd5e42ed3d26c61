//! 200 clients compete for the last calls of an enforced cap: the cap is never exceeded, with several
//! servers and across a kill.

use serde_json::{Value, json};
use std::sync::{Barrier, mpsc};
use trunkline_tests::{Client, Response, Server};

const CLIENTS: usize = 200;
/// Calls that are admitted before the race.
const ADMITTED_BEFORE: usize = 5;
/// Calls that the cap still admits.
const REMAINING: usize = 10;

/// Creates a live campaign 12 whose cap admits [`REMAINING`] more calls.
fn world(cap: &str) -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let mut budget = json!({"budget_amount": ADMITTED_BEFORE + REMAINING, "enforce": true});
    if cap == "periodic_call_cap_alert" {
        for (name, value) in [
            ("reset_period", "Ongoing"),
            ("starts_at", "2020-01-01"),
            ("budget_currency", "USD"),
            ("time_zone", "UTC"),
        ] {
            budget[name] = value.into();
        }
    }
    network.has_live_campaign("354", "12", json!({"budget_activities": {cap: budget}}));
    for number in 0..ADMITTED_BEFORE {
        start_call(&network, CLIENTS + number).expect("an answer").expect(201);
    }
    (server, network)
}

/// Starts a live call with an Idempotency-Key, so that it can be repeated.
fn start_call(client: &Client, number: usize) -> Option<Response> {
    let request = client.extensions().request("POST", "/calls");
    let request = request.header("Idempotency-Key", &format!("caller {number}"));
    request.json(&json!({"advertiser_campaign": "12"})).try_send()
}

/// Reports a finished call; its id makes it repeatable.
fn report_call(client: &Client, number: usize) -> Option<Response> {
    let call = json!({"call": {"external_call_unique_id": format!("caller {number}"),
        "start_time": "2200-01-01", "advertiser_campaign_id_from_network": "12"}});
    client.request("POST", "/calls").json(&call).try_send()
}

type SendCall = fn(&Client, usize) -> Option<Response>;

/// Sends all calls concurrently. Responses are in the order of `callers`; `on_response` is called for each.
fn send_concurrently(
    clients: &[Client],
    callers: &[usize],
    call: SendCall,
    mut on_response: impl FnMut(),
) -> Vec<Option<Response>> {
    let ready = &Barrier::new(callers.len());
    let (send, receive) = mpsc::channel();
    let mut responses: Vec<Option<Response>> = vec![None; callers.len()];
    std::thread::scope(|scope| {
        for (index, number) in callers.iter().copied().enumerate() {
            let send = send.clone();
            let client = &clients[index % clients.len()];
            scope.spawn(move || {
                ready.wait();
                send.send((index, call(client, number))).expect("the receiver is open");
            });
        }
        drop(send);
        for (index, response) in receive {
            let is_answer = response.is_some();
            responses[index] = response;
            if is_answer {
                on_response();
            }
        }
    });
    responses
}

/// Admitted calls, and all calls.
fn admitted_and_total(network: &Client) -> (usize, usize) {
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    (calls.iter().filter(|item| item["outcome"] != "turned_away").count(), calls.len())
}

#[track_caller]
fn expect_all_created(responses: Vec<Option<Response>>) -> Vec<Value> {
    let accepted = |response: Option<Response>| {
        let response = response.expect("an answer");
        assert!([201, 202].contains(&response.status), "{}", response.text());
        response.json()
    };
    responses.into_iter().map(accepted).collect()
}

/// Single server for all clients.
fn single_server(network: &Client) -> &[Client] {
    std::slice::from_ref(network)
}

fn all_clients() -> Vec<usize> {
    (0..CLIENTS).collect()
}

#[test]
fn concurrent_live_calls_fill_the_cap_exactly() {
    let (server, network) = world("periodic_call_cap_alert");
    let responses = expect_all_created(send_concurrently(
        single_server(&network),
        &all_clients(),
        start_call,
        || (),
    ));
    let through = responses.iter().filter(|response| response["outcome"].is_null()).count();
    assert_eq!(through, REMAINING);
    assert!(responses.iter().all(|item| item["outcome"].is_null() || item["reason"] == "over_cap"));
    assert_eq!(
        admitted_and_total(&network),
        (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
    );
    let alerts = server.events().into_iter().filter(|(kind, _)| kind == "budget.alert");
    let percents: Vec<Value> = alerts.map(|(_, data)| data["percent"].clone()).collect();
    assert_eq!(percents, [75, 90, 100]);
}

#[test]
fn concurrent_reported_calls_fill_the_cap_exactly() {
    let (_server, network) = world("periodic_call_cap_alert");
    expect_all_created(send_concurrently(
        single_server(&network),
        &all_clients(),
        report_call,
        || (),
    ));
    assert_eq!(
        admitted_and_total(&network),
        (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
    );
}

#[test]
fn two_servers_on_one_database_share_a_cap() {
    for call in [start_call, report_call] {
        let (server, network) = world("periodic_call_cap_alert");
        let sibling = server.start_sibling();
        expect_all_created(send_concurrently(
            &[network.clone(), sibling.network()],
            &all_clients(),
            call,
            || (),
        ));
        assert_eq!(
            admitted_and_total(&network),
            (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
        );
        assert_eq!(
            admitted_and_total(&sibling.network()),
            (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
        );
    }
}

/// Kills the server while it handles the first hundred calls. Calls without a response are repeated with the
/// other hundred after the restart.
fn assert_cap_survives_a_kill(call: SendCall) {
    let (mut server, network) = world("periodic_call_cap_alert");
    let first: Vec<usize> = (0..CLIENTS / 2).collect();
    let mut killed = false;
    let responses = send_concurrently(single_server(&network), &first, call, || {
        if !killed {
            server.kill();
            killed = true;
        }
    });
    assert!(killed, "a response arrived before the end");
    server.restart();
    let network = server.network();
    let (before, all) = admitted_and_total(&network);
    assert!(before <= ADMITTED_BEFORE + REMAINING, "{before} of {all} got through");
    let answered = responses.iter().flatten().count();
    assert!(
        all >= ADMITTED_BEFORE + answered,
        "acknowledged calls are stored: {answered} acknowledged, {all} stored"
    );
    let lost = first.iter().copied().zip(&responses).filter(|(_, response)| response.is_none());
    let rest: Vec<usize> = lost.map(|(number, _)| number).chain(CLIENTS / 2..CLIENTS).collect();
    expect_all_created(send_concurrently(single_server(&network), &rest, call, || ()));
    assert_eq!(
        admitted_and_total(&network),
        (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
    );
    // Repeating all calls creates no new one.
    expect_all_created(send_concurrently(single_server(&network), &all_clients(), call, || ()));
    assert_eq!(
        admitted_and_total(&network),
        (ADMITTED_BEFORE + REMAINING, ADMITTED_BEFORE + CLIENTS)
    );
}

#[test]
fn live_call_cap_holds_across_a_kill() {
    assert_cap_survives_a_kill(start_call);
}

#[test]
fn reported_call_cap_holds_across_a_kill() {
    assert_cap_survives_a_kill(report_call);
}

#[test]
fn concurrent_call_cap_limits_live_calls() {
    let (_server, network) = world("concurrent_call_cap_alert");
    let hang_up = |id: &Value| {
        let path = format!("/calls/{id}/events");
        network.extensions().post(&path, json!({"event": "hung_up"})).expect(200);
    };
    let live = || {
        let calls = network.extensions().get("/calls?live=true").body(200);
        let ids = calls.as_array().expect("a list").iter().map(|item| item["id"].clone());
        ids.collect::<Vec<Value>>()
    };
    let responses = expect_all_created(send_concurrently(
        single_server(&network),
        &all_clients(),
        start_call,
        || (),
    ));
    assert_eq!(
        responses.iter().filter(|response| response["outcome"].is_null()).count(),
        REMAINING
    );
    let live_calls = live();
    assert_eq!(live_calls.len(), ADMITTED_BEFORE + REMAINING);
    // A reported call is already over and does not count.
    report_call(&network, 0).expect("an answer").expect(201);
    assert_eq!(live(), live_calls);
    // Each call that ends makes room for another.
    for id in live_calls.iter().take(3) {
        hang_up(id);
    }
    let later: Vec<usize> = (CLIENTS * 2..CLIENTS * 2 + 50).collect();
    let responses =
        expect_all_created(send_concurrently(single_server(&network), &later, start_call, || ()));
    assert_eq!(responses.iter().filter(|response| response["outcome"].is_null()).count(), 3);
    assert_eq!(live().len(), ADMITTED_BEFORE + REMAINING);
}
