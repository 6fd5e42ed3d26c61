//! One of three servers is killed while it ingests lines, runs live calls and sends webhooks: acknowledged
//! writes are stored, live calls continue elsewhere, and only deliveries in flight are repeated.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, FaultReport, Server, WebhookReceiver, runs_all_faults};

/// Live calls in progress when a server is killed.
const LIVE_CALLS: usize = 6;
/// Lines of one body.
const LINES_PER_BODY: usize = 200;
/// Concurrent deliveries of one server to one webhook.
const DELIVERIES_IN_FLIGHT: usize = 4;
/// The lease of a delivery is twice the receiver's timeout: that is when another server takes it over.
const SERVE_ARGUMENTS: [&str; 5] =
    ["--rate-limit", "0", "--webhook-allow-private", "--sending-time", "2000"];

fn lines(round: usize, body: usize) -> String {
    let line = |at| {
        let id = format!("{round}-{body}-{at}");
        let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12"});
        format!("{}\n", json!({"call": call}))
    };
    (0..LINES_PER_BODY).map(line).collect()
}

/// Reports bodies of lines until the server is gone. Adds to the acknowledged calls and returns the number
/// of bodies.
fn send_bodies(
    network: &Client,
    round: usize,
    acknowledged: &AtomicUsize,
    stop: &AtomicBool,
) -> usize {
    for body in 0.. {
        let post = network.request("POST", "/calls").header("Content-Type", "application/x-ndjson");
        // A response that breaks off acknowledges the lines whose results arrived.
        if let Some(response) = post.bytes(lines(round, body).as_bytes()).try_send() {
            acknowledged.fetch_add(response.text().matches("\"cuid\"").count(), Ordering::Relaxed);
        }
        if stop.load(Ordering::Relaxed) {
            return body + 1;
        }
    }
    0
}

fn send_event(client: &Client, id: &Value, sequence: u32, event: &str) -> Option<Value> {
    let body = json!({"event": event, "sequence": sequence});
    let post = client.extensions().request("POST", &format!("/calls/{id}/events")).json(&body);
    let response = post.try_send()?;
    Some(response.expect(200).json())
}

/// Asserts that live calls of the killed server continue on the others.
fn assert_live_calls_continue(
    clients: &[Client; 2],
    call_ids: &[Value],
    first_responses: &[Option<Value>],
) {
    for (at, (id, first_response)) in call_ids.iter().zip(first_responses).enumerate() {
        let client = &clients[at % 2];
        let repeated = send_event(client, id, 1, "connected").expect("this server is running");
        // A repeated event gets the same response.
        assert!(
            first_response.as_ref().is_none_or(|first| *first == repeated),
            "{first_response:?} and {repeated}"
        );
        let end =
            send_event(&clients[(at + 1) % 2], id, 2, "hung_up").expect("this server is running");
        assert_eq!(end["outcome"], "connected");
    }
}

/// Waits until all deliveries are done. Returns the number of attempts by event.
fn delivery_attempts(network: &Client) -> BTreeMap<String, u64> {
    let started = Instant::now();
    loop {
        let path = "/webhooks/1/deliveries?state=pending&limit=1";
        let pending = network.extensions().get(path).body(200);
        if pending.as_array().is_some_and(Vec::is_empty) {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "deliveries are still pending: {pending}"
        );
        std::thread::yield_now();
    }
    let all = network.extensions().get("/webhooks/1/deliveries").body(200);
    let all = all.as_array().expect("a list").iter();
    all.map(|item| {
        assert_eq!(item["state"], "delivered", "{item}");
        (format!("evt_{}", item["event_id"]), item["attempts"].as_u64().expect("a number"))
    })
    .collect()
}

/// Number of deliveries by message id.
fn deliveries_by_message(receiver: &WebhookReceiver) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in receiver.drain_deliveries() {
        *counts.entry(message.header("webhook-id").to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn three_servers_deliver_each_event_once() {
    let first = Server::builder().arguments(&SERVE_ARGUMENTS).start();
    let _second = first.start_sibling();
    let _third = first.start_sibling();
    let network = first.network();
    let receiver = WebhookReceiver::accepting_all();
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    network.has_live_campaign("354", "12", json!({}));
    let post = network.request("POST", "/calls").header("Content-Type", "application/x-ndjson");
    post.bytes(lines(0, 0).as_bytes()).send().expect(200);
    let attempts = delivery_attempts(&network);
    let deliveries = deliveries_by_message(&receiver);
    assert!(attempts.len() >= LINES_PER_BODY, "{} events", attempts.len());
    assert!(attempts.values().all(|attempts| *attempts == 1), "{attempts:?}");
    assert_eq!(deliveries.len(), attempts.len());
    assert!(deliveries.values().all(|times| *times == 1), "sent again: {deliveries:?}");
}

#[test]
fn killed_server_loses_no_acknowledged_write() {
    let rounds = if runs_all_faults() { 20 } else { 1 };
    let first = Server::builder().arguments(&SERVE_ARGUMENTS).start();
    let second = first.start_sibling();
    let mut third = first.start_sibling();
    let receiver = WebhookReceiver::accepting_all();
    first.network().extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    first.network().has_live_campaign("354", "12", json!({}));
    let others = [first.network(), second.network()];
    let acknowledged = AtomicUsize::new(0);
    let mut sent_bodies = 0;
    let mut report = FaultReport::default();
    for round in 0..rounds {
        let network = third.network();
        let stop = AtomicBool::new(false);
        let count_before = acknowledged.load(Ordering::Relaxed);
        let (call_ids, first_responses) = std::thread::scope(|scope| {
            let network = &network;
            let stop = &stop;
            let acknowledged = &acknowledged;
            let sender = scope.spawn(move || send_bodies(network, round, acknowledged, stop));
            let begin = |_| {
                let call = json!({"advertiser_campaign": "12"});
                network.extensions().post("/calls", call).body(201)["id"].clone()
            };
            let call_ids: Vec<Value> = (0..LIVE_CALLS).map(begin).collect();
            while acknowledged.load(Ordering::Relaxed) < count_before + LINES_PER_BODY + round * 13
            {
                std::thread::yield_now();
            }
            // Half of the events get a response before the kill; the others race with it.
            let half = |ids: &[Value]| -> Vec<Option<Value>> {
                ids.iter().map(|id| send_event(network, id, 1, "connected")).collect()
            };
            let mut first_responses = half(&call_ids[..LIVE_CALLS / 2]);
            stop.store(true, Ordering::Relaxed);
            third.kill();
            first_responses.extend(half(&call_ids[LIVE_CALLS / 2..]));
            sent_bodies += LINES_PER_BODY * sender.join().expect("the sender ends");
            (call_ids, first_responses)
        });
        let killed_at = Instant::now();
        assert_live_calls_continue(&others, &call_ids, &first_responses);
        report.recovery.push(killed_at.elapsed());
        third.restart();
    }
    let network = &others[0];
    let calls = network.extensions().get("/calls").body(200);
    let ids = calls.as_array().expect("a list").iter().map(|item| &item["external_call_unique_id"]);
    let stored_count = ids.filter(|id| !id.is_null()).count();
    report.attempts = rounds;
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    report.acknowledged = acknowledged + rounds * LIVE_CALLS;
    let named = calls.as_array().expect("a list").len() - rounds * LIVE_CALLS;
    report.lost = acknowledged.saturating_sub(named);
    report.duplicated = named.saturating_sub(sent_bodies);
    assert!(stored_count == 0 || stored_count == named, "{stored_count} of {named}");
    let attempts = delivery_attempts(network);
    let deliveries = deliveries_by_message(&receiver);
    let repeated: usize = deliveries.values().map(|times| times - 1).sum();
    eprintln!(
        "{} events were sent, {repeated} of them twice, over {rounds} kills",
        deliveries.len()
    );
    assert_eq!(deliveries.len(), attempts.len(), "each event was delivered");
    assert!(repeated <= rounds * DELIVERIES_IN_FLIGHT, "{repeated} were sent again");
    report.print_and_assert("kill -9 of one of three under lines and live calls", first.database());
}
