//! A PostgreSQL server that goes away, hangs or is slow, and several of ours on one. These tests need
//! one: `TRUNKLINE_TEST_DATABASE=… cargo nextest run`, or `./test --postgres`.

use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Answer, Client, Proxy, Report, Server, body, is_full, postgres_address};

const CLIENTS: usize = 8;
/// How long a refusal may take while the database is gone.
const REFUSAL: Duration = Duration::from_secs(2);

/// A server behind a proxy, with a live campaign 12.
fn world() -> (Proxy, Server, Client) {
    let proxy = Proxy::to(&postgres_address());
    let server = Server::behind(&proxy, &["--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    (proxy, server, network)
}

fn call(network: &Client, id: &str) -> Answer {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    network.request("POST", "/calls").json(&call).send()
}

/// Asks in turn: a call, an affiliate, a read; each until it is answered well.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    /// Calls and affiliates that were written, by id, once for each.
    written: Mutex<Vec<String>>,
    refused: AtomicUsize,
    /// How long the slowest refusal took, and what it said.
    slowest: Mutex<(Duration, String)>,
}

impl Load {
    fn client(&self, network: &Client, client: usize) {
        for number in 0.. {
            let id = format!("{client}-{number}");
            loop {
                let begun = Instant::now();
                let answer = match number % 3 {
                    0 => call(network, &id),
                    1 => network.put(&format!("/affiliates/{id}"), body::affiliate(&id)),
                    _ => network.get("/affiliates/976"),
                };
                let took = begun.elapsed();
                if answer.status != 503 {
                    assert!([200, 201, 202].contains(&answer.status), "{}", answer.text());
                    break;
                }
                let mut slowest = self.slowest.lock().unwrap();
                if took > slowest.0 {
                    *slowest = (took, format!("{} {}", number % 3, answer.text()));
                }
                drop(slowest);
                answer.refused(503, "ServiceUnavailable");
                assert_eq!(answer.header("retry-after"), Some("1"));
                self.refused.fetch_add(1, Ordering::Relaxed);
                // A second is what it is asked for; more of them are refused in less.
                std::thread::sleep(Duration::from_millis(50));
            }
            if number % 3 < 2 {
                self.written.lock().unwrap().push(id);
            }
            if self.over.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn written(&self) -> usize {
        self.written.lock().unwrap().len()
    }

    fn wait_for(&self, more: usize) {
        let so_far = self.written();
        while self.written() < so_far + more {
            std::thread::yield_now();
        }
    }
}

/// Whether the server says that it is ready, and how long that took.
fn ready(network: &Client) -> (bool, Duration) {
    let begun = Instant::now();
    let answer = network.anywhere().get("/readyz");
    (answer.status == 200, begun.elapsed())
}

/// The database goes, and comes back after a while: under load, again and again.
fn goes_and_comes_back(fault: &str, goes: impl Fn(&Proxy)) {
    let (tries, away) = if is_full() { (10, 10) } else { (1, 2) };
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let (load, mut report) = (Load::default(), Report { tried: tries, ..Report::default() });
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (load, network) = (&load, &network);
            scope.spawn(move || load.client(network, client));
        }
        for _ in 0..tries {
            load.wait_for(40);
            goes(&proxy);
            let gone = Instant::now();
            while gone.elapsed() < Duration::from_secs(away) {
                let (is_ready, took) = ready(&network);
                assert!(!is_ready && took < REFUSAL, "{fault}: ready {is_ready} after {took:?}");
            }
            proxy.heal();
            let back = Instant::now();
            while !ready(&network).0 {}
            load.wait_for(1);
            report.recovery.push(back.elapsed());
        }
        load.over.store(true, Ordering::Relaxed);
    });
    let (slowest, said) = load.slowest.lock().unwrap().clone();
    let refused = load.refused.load(Ordering::Relaxed);
    eprintln!("{fault}: {refused} refused, the slowest after {slowest:.1?}: {said}");
    assert!(slowest < REFUSAL, "{fault}: refused after {slowest:?}");
    assert!(refused > 0, "{fault}: somebody was refused");
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.conclude(fault, server.database());
}

/// Looks for what was written.
fn compare(network: &Client, written: &[String], report: &mut Report) {
    let affiliates = network.get("/affiliates").body(200);
    let affiliates = affiliates.as_array().expect("a list");
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list").len();
    let is_call = |id: &&String| {
        id.rsplit('-')
            .next()
            .is_some_and(|number| number.parse::<usize>().expect("a number").is_multiple_of(3))
    };
    report.acknowledged = written.len();
    for id in written.iter().filter(|id| !is_call(id)) {
        let found = affiliates.iter().filter(|it| it["id_from_network"] == **id).count();
        report.lost += usize::from(found == 0);
        report.doubled += found.saturating_sub(1);
    }
    // Each call was asked for until it was taken, so every one that is there was acknowledged.
    let told = written.iter().filter(is_call).count();
    report.lost += told.saturating_sub(calls);
    report.doubled += calls.saturating_sub(told);
}

#[test]
fn on_postgres_that_is_cut_off_and_refuses_is_survived() {
    goes_and_comes_back("database refuses connections", Proxy::refuse);
}

#[test]
fn on_postgres_that_says_nothing_is_survived() {
    goes_and_comes_back("database says nothing", Proxy::swallow);
}

#[test]
fn on_postgres_connections_that_are_cut_are_made_again() {
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let tries = if is_full() { 100 } else { 5 };
    let (load, mut report) = (Load::default(), Report { tried: tries, ..Report::default() });
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (load, network) = (&load, &network);
            scope.spawn(move || load.client(network, client));
        }
        for _ in 0..tries {
            load.wait_for(20);
            proxy.cut();
            let cut = Instant::now();
            load.wait_for(1);
            report.recovery.push(cut.elapsed());
        }
        load.over.store(true, Ordering::Relaxed);
    });
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.conclude("connections to the database cut", server.database());
}

#[test]
fn on_postgres_that_is_slow_every_answer_is_right() {
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let delay = Duration::from_millis(50);
    proxy.delay(delay);
    let load = Load::default();
    std::thread::scope(|scope| {
        for client in 0..2 {
            let (load, network) = (&load, &network);
            scope.spawn(move || load.client(network, client));
        }
        load.wait_for(if is_full() { 20 } else { 2 });
        load.over.store(true, Ordering::Relaxed);
    });
    assert!(ready(&network).0);
    assert_eq!(load.refused.load(Ordering::Relaxed), 0, "nobody was refused");
    proxy.heal();
    let mut report = Report { tried: 1, ..Report::default() };
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.conclude("database slow, 50 ms each way", server.database());
}

#[test]
fn on_postgres_a_stream_hears_what_another_server_writes_at_once() {
    let first = Server::start_with(&["--rate-limit", "0"]);
    let servers = [first.beside(), first.beside(), first];
    let clients = servers.each_ref().map(Server::network);
    clients[0].has_live_campaign("354", "12", json!({}));
    let mut streams = clients.each_ref().map(|client| client.listen("", &[]));
    let mut slowest = Duration::ZERO;
    for number in 0..30 {
        call(&clients[number % 3], &number.to_string()).expect(201);
        let written = Instant::now();
        for stream in &mut streams {
            while stream.hears().kind != "transaction.created" {}
            slowest = slowest.max(written.elapsed());
        }
    }
    eprintln!("an event of another server is heard after {slowest:.1?} at most");
    // Looking now and then takes three seconds.
    assert!(slowest < Duration::from_millis(1_500), "heard after {slowest:?}");
}
