//! One of three servers is killed while it takes lines, live calls and sends webhooks: what it was told
//! is kept, live calls go on elsewhere, and nobody is told twice but by what was on its way.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Receiver, Report, Server, is_full};

/// Live calls that are under way when a server is killed.
const LIVE: usize = 6;
/// Lines of one body.
const LINES: usize = 200;
/// What a server has on its way to one webhook at once.
const SENDING: usize = 4;
/// How long what was being sent by a server that is gone waits: twice what a receiver may take.
const ARGUMENTS: [&str; 5] =
    ["--rate-limit", "0", "--webhook-allow-private", "--sending-time", "2000"];

fn lines(round: usize, body: usize) -> String {
    let line = |at| {
        let id = format!("{round}-{body}-{at}");
        let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12"});
        format!("{}\n", json!({"call": call}))
    };
    (0..LINES).map(line).collect()
}

/// Tells of calls by bodies of lines until the server is gone; how many were acknowledged, and how
/// many bodies were sent.
fn tell(network: &Client, round: usize, acknowledged: &AtomicUsize, over: &AtomicBool) -> usize {
    for body in 0.. {
        let post = network.request("POST", "/calls").header("Content-Type", "application/x-ndjson");
        // An answer that breaks off has acknowledged what it has.
        if let Some(answer) = post.bytes(lines(round, body).as_bytes()).attempt() {
            acknowledged.fetch_add(answer.text().matches("\"cuid\"").count(), Ordering::Relaxed);
        }
        if over.load(Ordering::Relaxed) {
            return body + 1;
        }
    }
    0
}

fn event(client: &Client, id: &Value, sequence: u32, what: &str) -> Option<Value> {
    let event = json!({"event": what, "sequence": sequence});
    let post = client.extensions().request("POST", &format!("/calls/{id}/events")).json(&event);
    let answer = post.attempt()?;
    Some(answer.expect(200).json())
}

/// Live calls begin on a server that is killed, and end on the others.
fn live_calls_go_on(clients: &[Client; 2], begun: &[Value], told: &[Option<Value>]) {
    for (at, (id, told)) in begun.iter().zip(told).enumerate() {
        let client = &clients[at % 2];
        let again = event(client, id, 1, "connected").expect("this server is there");
        // What was answered is answered again.
        assert!(told.as_ref().is_none_or(|told| *told == again), "{told:?} and {again}");
        let end = event(&clients[(at + 1) % 2], id, 2, "hung_up").expect("so is this one");
        assert_eq!(end["outcome"], "connected");
    }
}

/// Waits until everything was sent; how often it was tried, by event.
fn sent(network: &Client) -> BTreeMap<String, u64> {
    let begun = Instant::now();
    loop {
        let path = "/webhooks/1/deliveries?state=pending&limit=1";
        let pending = network.extensions().get(path).body(200);
        if pending.as_array().is_some_and(Vec::is_empty) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "not all is sent: {pending}");
        std::thread::yield_now();
    }
    let all = network.extensions().get("/webhooks/1/deliveries").body(200);
    let all = all.as_array().expect("a list").iter();
    all.map(|it| {
        assert_eq!(it["state"], "delivered", "{it}");
        (format!("evt_{}", it["event_id"]), it["attempts"].as_u64().expect("a number"))
    })
    .collect()
}

/// How often each message came.
fn came(receiver: &Receiver) -> BTreeMap<String, usize> {
    let mut came = BTreeMap::new();
    for message in receiver.heard() {
        *came.entry(message.header("webhook-id").to_owned()).or_default() += 1;
    }
    came
}

#[test]
fn three_servers_send_each_event_once() {
    let first = Server::start_with(&ARGUMENTS);
    let (_second, _third) = (first.beside(), first.beside());
    let (network, receiver) = (first.network(), Receiver::taking());
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    network.has_live_campaign("354", "12", json!({}));
    let post = network.request("POST", "/calls").header("Content-Type", "application/x-ndjson");
    post.bytes(lines(0, 0).as_bytes()).send().expect(200);
    let attempts = sent(&network);
    let came = came(&receiver);
    assert!(attempts.len() >= LINES, "{} events", attempts.len());
    assert!(attempts.values().all(|attempts| *attempts == 1), "{attempts:?}");
    assert_eq!(came.len(), attempts.len());
    assert!(came.values().all(|times| *times == 1), "sent again: {came:?}");
}

#[test]
fn a_killed_server_loses_nothing_that_it_was_told() {
    let rounds = if is_full() { 20 } else { 1 };
    let first = Server::start_with(&ARGUMENTS);
    let (second, mut third) = (first.beside(), first.beside());
    let receiver = Receiver::taking();
    first.network().extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    first.network().has_live_campaign("354", "12", json!({}));
    let others = [first.network(), second.network()];
    let (acknowledged, mut asked, mut report) = (AtomicUsize::new(0), 0, Report::default());
    for round in 0..rounds {
        let network = third.network();
        let (over, so_far) = (AtomicBool::new(false), acknowledged.load(Ordering::Relaxed));
        let (begun, told) = std::thread::scope(|scope| {
            let (network, over, acknowledged) = (&network, &over, &acknowledged);
            let telling = scope.spawn(move || tell(network, round, acknowledged, over));
            let begin = |_| {
                let call = json!({"advertiser_campaign": "12"});
                network.extensions().post("/calls", call).body(201)["id"].clone()
            };
            let begun: Vec<Value> = (0..LIVE).map(begin).collect();
            while acknowledged.load(Ordering::Relaxed) < so_far + LINES + round * 13 {
                std::thread::yield_now();
            }
            // Half of them are told of an answer before, the others when nobody may be there.
            let half = |ids: &[Value]| -> Vec<Option<Value>> {
                ids.iter().map(|id| event(network, id, 1, "connected")).collect()
            };
            let mut told = half(&begun[..LIVE / 2]);
            over.store(true, Ordering::Relaxed);
            third.kill();
            told.extend(half(&begun[LIVE / 2..]));
            asked += LINES * telling.join().expect("it ends");
            (begun, told)
        });
        let gone = Instant::now();
        live_calls_go_on(&others, &begun, &told);
        report.recovery.push(gone.elapsed());
        third.start_again();
    }
    let network = &others[0];
    let calls = network.extensions().get("/calls").body(200);
    let ids = calls.as_array().expect("a list").iter().map(|it| &it["external_call_unique_id"]);
    let there = ids.filter(|id| !id.is_null()).count();
    report.tried = rounds;
    report.acknowledged = acknowledged.load(Ordering::Relaxed) + rounds * LIVE;
    let told = acknowledged.load(Ordering::Relaxed);
    let named = calls.as_array().expect("a list").len() - rounds * LIVE;
    report.lost = told.saturating_sub(named);
    report.doubled = named.saturating_sub(asked);
    assert!(there == 0 || there == named, "{there} of {named}");
    let attempts = sent(network);
    let came = came(&receiver);
    let again: usize = came.values().map(|times| times - 1).sum();
    eprintln!("{} events were sent, {again} of them twice, over {rounds} kills", came.len());
    assert_eq!(came.len(), attempts.len(), "each was sent");
    assert!(again <= rounds * SENDING, "{again} were sent again");
    report.conclude("kill -9 of one of three under lines and live calls", first.database());
}
