//! 200 clients compete for the last of an enforced budget of the payin, with live and with reported
//! calls: the amount is never exceeded, with three servers and across a kill.

use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use trunkline_tests::body::campaign_path;
use trunkline_tests::{Client, Response, Server};

const CLIENTS: usize = 200;
/// Amount of the budget.
const AMOUNT: f64 = 100.0;
/// Payin of each call: the base. The bonus is never met.
const PAYIN: f64 = 7.0;
/// Payin that a live call can come to: the base and the bonus.
const MAX_PAYIN: f64 = 9.0;

/// Creates a live campaign 12 with an enforced budget of the payin.
fn world() -> (Server, Client) {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    let policy = |kind: &str, amount: f64, condition: &str| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    let policies =
        [policy("Base", PAYIN, ""), policy("Bonus", MAX_PAYIN - PAYIN, "duration > 1 hour")];
    let budget = json!({
        "reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
        "time_zone": "UTC", "budget_amount": AMOUNT, "enforce": true,
    });
    let terms = json!({
        "advertiser_payin": {"policies": policies},
        "budget_activities": {"budget_cap_alert": budget},
    });
    network.has_live_campaign("354", "12", terms);
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
    // A call that started with the campaign; a read can fail while a server is killed.
    let campaign = client.request("GET", &campaign_path("354", "12")).try_send()?.json();
    let start = &campaign["current_terms"]["go_live_date"];
    let call = json!({"call": {"external_call_unique_id": format!("caller {number}"),
        "start_time": start,
        "advertiser_campaign_id_from_network": "12"}});
    client.request("POST", "/calls").json(&call).try_send()
}

/// Starts every second call and reports the others.
fn send_call(client: &Client, number: usize) -> Option<Response> {
    if number.is_multiple_of(2) { start_call(client, number) } else { report_call(client, number) }
}

type SendCall = fn(&Client, usize) -> Option<Response>;

/// Sends calls concurrently. Returns those that got no response. `on_response` gets the number of
/// responses so far.
fn send_concurrently(
    clients: &[Client],
    callers: &[usize],
    send: SendCall,
    on_response: impl Fn(usize) + Sync,
) -> Vec<usize> {
    let ready = &Barrier::new(callers.len());
    let count = &AtomicUsize::new(0);
    let on_response = &on_response;
    std::thread::scope(|scope| {
        let send_one = |index: usize, number: usize| {
            let client = &clients[index % clients.len()];
            scope.spawn(move || {
                ready.wait();
                let Some(response) = send(client, number) else { return Some(number) };
                assert!([201, 202].contains(&response.status), "{}", response.text());
                on_response(count.fetch_add(1, Ordering::Relaxed) + 1);
                None
            })
        };
        let threads: Vec<_> =
            callers.iter().enumerate().map(|(index, number)| send_one(index, *number)).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("a response")).collect()
    })
}

fn calls(network: &Client, query: &str) -> Vec<Value> {
    let calls = network.extensions().get(&format!("/calls{query}")).body(200);
    calls.as_array().expect("a list").clone()
}

fn live_ids(network: &Client) -> Vec<Value> {
    calls(network, "?live=true").iter().map(|call| call["id"].clone()).collect()
}

/// Number of ended calls that were admitted.
fn paid_count(network: &Client) -> usize {
    let paid = |row: &Value| row["advertiser_payin_localized"].as_f64() != Some(0.0);
    network
        .ledger()
        .iter()
        .filter(|row| row["advertiser_payin_localized"] != "" && paid(row))
        .count()
}

/// Total of the budget, as the campaign shows it.
fn total(network: &Client) -> f64 {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    let budget = &campaign["current_terms"]["budget_activities"]["budget_cap_alert"];
    budget["total_amount"].as_f64().expect("a total")
}

fn hang_up_all(network: &Client) {
    for id in live_ids(network) {
        let path = format!("/calls/{id}/events");
        network.extensions().post(&path, json!({"event": "hung_up"})).expect(200);
    }
}

fn everyone() -> Vec<usize> {
    (0..CLIENTS).collect()
}

#[test]
fn live_calls_hold_the_most_that_they_can_pay() {
    let (server, network) = world();
    let single = std::slice::from_ref(&network);
    assert!(send_concurrently(single, &everyone(), start_call, |_| ()).is_empty());
    // 11 calls hold 99.
    assert_eq!(live_ids(&network).len(), 11);
    // A reported call of 7 does not fit either.
    report_call(&network, 1000).expect("a response").expect(201);
    assert_eq!(paid_count(&network), 0);
    let alerts = || -> Vec<Value> {
        let alerts = server.events().into_iter().filter(|(kind, _)| kind == "budget.alert");
        alerts.map(|(_, data)| data["percent"].clone()).collect()
    };
    assert_eq!(alerts(), [100], "the first rejected call alerts");
    hang_up_all(&network);
    assert_eq!(total(&network), 77.0);
    let later: Vec<usize> = (2000..2050).collect();
    assert!(send_concurrently(single, &later, start_call, |_| ()).is_empty());
    // 77 and two holds of 9 leave 5.
    assert_eq!(live_ids(&network).len(), 2);
    hang_up_all(&network);
    assert_eq!(total(&network), 91.0);
    // A reported call pays 7 and fits; the next one does not.
    report_call(&network, 3000).expect("a response").expect(201);
    report_call(&network, 3001).expect("a response").expect(201);
    assert_eq!(total(&network), 98.0);
    assert_eq!(alerts(), [100], "sent once");
}

#[test]
fn reported_calls_never_exceed_the_budget() {
    let (_server, network) = world();
    let single = std::slice::from_ref(&network);
    assert!(send_concurrently(single, &everyone(), report_call, |_| ()).is_empty());
    assert_eq!((paid_count(&network), total(&network)), (14, 98.0));
}

#[test]
fn three_servers_share_a_budget_across_a_kill() {
    let (first, network) = world();
    let second = first.start_sibling();
    let third = std::sync::Mutex::new(first.start_sibling());
    let third_network = third.lock().expect("not poisoned").network();
    let clients = [network.clone(), second.network(), third_network];
    let unanswered = send_concurrently(&clients, &everyone(), send_call, |responses| {
        if responses == CLIENTS / 4 {
            third.lock().expect("not poisoned").kill();
        }
    });
    let committed = |network: &Client| total(network) + live_ids(network).len() as f64 * MAX_PAYIN;
    assert!(committed(&network) <= AMOUNT, "{} after the kill", committed(&network));
    third.lock().expect("not poisoned").restart();
    let clients =
        [network.clone(), second.network(), third.lock().expect("not poisoned").network()];
    // Calls without a response are repeated: they are stored once.
    assert!(send_concurrently(&clients, &unanswered, send_call, |_| ()).is_empty());
    assert_eq!(calls(&network, "").len(), CLIENTS);
    let committed = committed(&network);
    assert!(committed <= AMOUNT, "{committed} is held or paid");
    assert!(committed > AMOUNT - MAX_PAYIN, "only {committed} is held or paid");
    hang_up_all(&second.network());
    let paid = total(&network);
    assert!(paid <= AMOUNT, "{paid}");
    assert_eq!(paid, paid_count(&network) as f64 * PAYIN);
    let later: Vec<usize> = (1000..1000 + CLIENTS).collect();
    assert!(send_concurrently(&clients, &later, send_call, |_| ()).is_empty());
    let committed = total(&network) + live_ids(&network).len() as f64 * MAX_PAYIN;
    assert!(committed <= AMOUNT, "{committed} is held or paid");
    assert!(committed > AMOUNT - MAX_PAYIN, "only {committed} is held or paid");
    hang_up_all(&network);
    assert!(total(&second.network()) <= AMOUNT);
}
