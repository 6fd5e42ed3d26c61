//! A PostgreSQL server that ends, hangs or is slow. These tests need one: run `./test --postgres`.

use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{
    Client, FaultReport, Proxy, Response, Server, body, postgres_address, runs_all_faults,
};

const CLIENTS: usize = 8;
/// Time limit for an error response while the database is unavailable.
const ERROR_RESPONSE_LIMIT: Duration = Duration::from_secs(2);

/// Starts a server behind a proxy, with a live campaign 12.
fn world() -> (Proxy, Server, Client) {
    let proxy = Proxy::to(&postgres_address());
    let server = Server::builder().via_proxy(&proxy).arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    (proxy, server, network)
}

fn report_call(network: &Client, id: &str) -> Response {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    network.request("POST", "/calls").json(&call).send()
}

/// Clients that repeatedly report a call, write an affiliate and read, each until it succeeds.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    /// Ids of the written calls and affiliates, one entry for each acknowledged write.
    written: Mutex<Vec<String>>,
    refused: AtomicUsize,
    /// Duration and body of the slowest error response.
    slowest: Mutex<(Duration, String)>,
}

impl Load {
    fn client(&self, network: &Client, client: usize) {
        for number in 0.. {
            let id = format!("{client}-{number}");
            loop {
                let started = Instant::now();
                let response = match number % 3 {
                    0 => report_call(network, &id),
                    1 => network.put(&format!("/affiliates/{id}"), body::affiliate(&id)),
                    _ => network.get("/affiliates/976"),
                };
                let took = started.elapsed();
                if response.status != 503 {
                    assert!([200, 201, 202].contains(&response.status), "{}", response.text());
                    break;
                }
                let mut slowest = self.slowest.lock().unwrap();
                if took > slowest.0 {
                    *slowest = (took, format!("{} {}", number % 3, response.text()));
                }
                drop(slowest);
                response.assert_error(503, "ServiceUnavailable");
                assert_eq!(response.header("retry-after"), Some("1"));
                self.refused.fetch_add(1, Ordering::Relaxed);
                // `Retry-After` asks for one second. The test retries sooner, which is more load.
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
        let before = self.written();
        while self.written() < before + more {
            std::thread::yield_now();
        }
    }
}

/// Readiness of the server, and the duration of the request.
fn ready(network: &Client) -> (bool, Duration) {
    let started = Instant::now();
    let response = network.absolute_paths().get("/readyz");
    (response.status == 200, started.elapsed())
}

/// Injects a fault and ends it after a while, repeatedly and under load.
fn inject_repeatedly(fault: &str, goes: impl Fn(&Proxy)) {
    let (tries, away) = if runs_all_faults() { (10, 10) } else { (1, 2) };
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let load = Load::default();
    let mut report = FaultReport { attempts: tries, ..FaultReport::default() };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            let network = &network;
            scope.spawn(move || load.client(network, client));
        }
        for _ in 0..tries {
            load.wait_for(40);
            goes(&proxy);
            let fault_start = Instant::now();
            while fault_start.elapsed() < Duration::from_secs(away) {
                let (is_ready, took) = ready(&network);
                assert!(
                    !is_ready && took < ERROR_RESPONSE_LIMIT,
                    "{fault}: ready {is_ready} after {took:?}"
                );
            }
            proxy.restore();
            let restored = Instant::now();
            while !ready(&network).0 {}
            load.wait_for(1);
            report.recovery.push(restored.elapsed());
        }
        load.over.store(true, Ordering::Relaxed);
    });
    let (slowest, message) = load.slowest.lock().unwrap().clone();
    let rejected = load.refused.load(Ordering::Relaxed);
    eprintln!("{fault}: {rejected} refused, the slowest after {slowest:.1?}: {message}");
    assert!(slowest < ERROR_RESPONSE_LIMIT, "{fault}: refused after {slowest:?}");
    assert!(rejected > 0, "{fault}: a request was rejected");
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.print_and_assert(fault, server.database());
}

/// Compares the acknowledged writes with the stored objects.
fn compare(network: &Client, written: &[String], report: &mut FaultReport) {
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
        let stored = affiliates.iter().filter(|item| item["id_from_network"] == **id).count();
        report.lost += usize::from(stored == 0);
        report.duplicated += stored.saturating_sub(1);
    }
    // Each call was repeated until it succeeded, so every stored call was acknowledged.
    let acknowledged_calls = written.iter().filter(is_call).count();
    report.lost += acknowledged_calls.saturating_sub(calls);
    report.duplicated += calls.saturating_sub(acknowledged_calls);
}

#[test]
fn on_postgres_survives_refused_connections() {
    inject_repeatedly("database refuses connections", Proxy::refuse_connections);
}

#[test]
fn on_postgres_survives_unresponsive_database() {
    inject_repeatedly("database says nothing", Proxy::hang);
}

#[test]
fn on_postgres_reconnects_after_closed_connections() {
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let tries = if runs_all_faults() { 100 } else { 5 };
    let load = Load::default();
    let mut report = FaultReport { attempts: tries, ..FaultReport::default() };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            let network = &network;
            scope.spawn(move || load.client(network, client));
        }
        for _ in 0..tries {
            load.wait_for(20);
            proxy.disconnect_all();
            let cut = Instant::now();
            load.wait_for(1);
            report.recovery.push(cut.elapsed());
        }
        load.over.store(true, Ordering::Relaxed);
    });
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.print_and_assert("connections to the database cut", server.database());
}

#[test]
fn on_postgres_slow_database_gives_correct_responses() {
    let (proxy, server, network) = world();
    network.has_affiliate("976");
    let delay = Duration::from_millis(50);
    proxy.delay(delay);
    let load = Load::default();
    std::thread::scope(|scope| {
        for client in 0..2 {
            let load = &load;
            let network = &network;
            scope.spawn(move || load.client(network, client));
        }
        load.wait_for(if runs_all_faults() { 20 } else { 2 });
        load.over.store(true, Ordering::Relaxed);
    });
    assert!(ready(&network).0);
    assert_eq!(load.refused.load(Ordering::Relaxed), 0, "no request was rejected");
    proxy.restore();
    let mut report = FaultReport { attempts: 1, ..FaultReport::default() };
    compare(&server.network(), &load.written.lock().unwrap(), &mut report);
    report.print_and_assert("database slow, 50 ms each way", server.database());
}

#[test]
fn on_postgres_event_of_another_server_is_streamed_immediately() {
    let first = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let servers = [first.start_sibling(), first.start_sibling(), first];
    let clients = servers.each_ref().map(Server::network);
    clients[0].has_live_campaign("354", "12", json!({}));
    let mut streams = clients.each_ref().map(|client| client.open_event_stream("", &[]));
    let mut slowest = Duration::ZERO;
    for number in 0..30 {
        report_call(&clients[number % 3], &number.to_string()).expect(201);
        let written = Instant::now();
        for stream in &mut streams {
            while stream.expect_event().kind != "transaction.created" {}
            slowest = slowest.max(written.elapsed());
        }
    }
    eprintln!("an event of another server is heard after {slowest:.1?} at most");
    // Polling would take three seconds.
    assert!(slowest < Duration::from_millis(1_500), "heard after {slowest:?}");
}
