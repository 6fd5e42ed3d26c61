//! A server is killed under load: every acknowledged write is stored exactly once. `TRUNKLINE_FAULTS=full`
//! repeats as often as `docs/reliability.md` states.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use trunkline_tests::{Client, FaultReport, Server, body, runs_all_faults};

const CLIENTS: usize = 16;
/// Calls that the cap of campaign 12 admits.
const CAP: usize = 40;

/// Starts a server with a live campaign 12 with an enforced cap of calls, and an affiliate 976.
fn world() -> (Server, Client) {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    let cap = json!({"budget_amount": CAP, "enforce": true, "reset_period": "Ongoing",
        "starts_at": "2020-01-01", "budget_currency": "USD", "time_zone": "UTC"});
    network.has_live_campaign(
        "354",
        "12",
        json!({"budget_activities": {"periodic_call_cap_alert": cap}}),
    );
    (server, network)
}

/// Requests that clients sent, and the responses they got.
#[derive(Default)]
struct ClientLog {
    /// Ids of reported calls, and the `complete_call_id` of each acknowledged one.
    calls: Mutex<BTreeMap<String, Option<String>>>,
    /// Ids of written affiliates, and `true` for each acknowledged one.
    affiliates: Mutex<BTreeMap<String, bool>>,
    acknowledged: AtomicUsize,
}

impl ClientLog {
    /// Reports a call. Returns `true` if there was a response.
    fn call(&self, network: &Client, id: &str) -> bool {
        self.calls.lock().unwrap().entry(id.to_owned()).or_default();
        let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12"}});
        let Some(response) = network.request("POST", "/calls").json(&call).try_send() else {
            return false;
        };
        assert!([201, 202].contains(&response.status), "{}", response.text());
        let cuid = response.json()["cuid"].as_str().expect("a complete_call_id").to_owned();
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        let mut calls = self.calls.lock().unwrap();
        if let Some(existing) = calls.insert(id.to_owned(), Some(cuid.clone())).flatten() {
            assert_eq!(existing, cuid, "the same call has one name");
        }
        true
    }

    /// Writes an affiliate. Returns `true` if there was a response.
    fn affiliate(&self, network: &Client, id: &str) -> bool {
        self.affiliates.lock().unwrap().entry(id.to_owned()).or_default();
        let put = network.request("PUT", &format!("/affiliates/{id}"));
        let Some(response) = put.json(&body::affiliate(id)).try_send() else { return false };
        response.expect(200);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.affiliates.lock().unwrap().insert(id.to_owned(), true);
        true
    }

    /// Writes from all clients until `kill` has ended the server.
    fn load(&self, network: &Client, round: usize, kill: impl FnOnce(&AtomicUsize)) {
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                scope.spawn(move || {
                    for number in 0.. {
                        let id = format!("{round}-{client}-{number}");
                        let answered = match number % 2 {
                            0 => self.call(network, &id),
                            _ => self.affiliate(network, &id),
                        };
                        if !answered {
                            return;
                        }
                    }
                });
            }
            kill(&self.acknowledged);
        });
    }

    /// Compares with the stored objects: counts of lost and duplicated ones.
    fn compare(&self, network: &Client) -> (usize, usize) {
        let list = |path: &str, name: &str, client: &Client| -> Vec<String> {
            let list = client.get(path).body(200);
            let list = list.as_array().expect("a list").iter();
            list.map(|item| item[name].as_str().expect("an id").to_owned()).collect()
        };
        let calls = list("/calls", "complete_call_id", &network.extensions());
        let affiliates = list("/affiliates", "id_from_network", network);
        let reported_ids = self.calls.lock().unwrap();
        let once = set(&calls);
        let wrote = set(&affiliates);
        let client_log = reported_ids.values().flatten();
        let lost_calls = client_log.filter(|cuid| !once.contains(cuid.as_str())).count();
        let written = self.affiliates.lock().unwrap();
        let lost =
            written.iter().filter(|(id, client_log)| **client_log && !wrote.contains(id.as_str()));
        let doubled = calls.len() - once.len() + affiliates.len() - wrote.len();
        // There is at most one stored call for each reported id.
        let too_many = calls.len().saturating_sub(reported_ids.len());
        (lost_calls + lost.count(), doubled + too_many)
    }
}

fn set(ids: &[String]) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}

/// Admitted calls, and all calls.
fn admitted(network: &Client) -> (usize, usize) {
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    let admitted = calls.iter().filter(|item| item["outcome"] != "turned_away").count();
    let transactions = calls.iter().map(|item| item["transaction_id"].to_string());
    let transactions: BTreeSet<String> = transactions.collect();
    assert_eq!(transactions.len(), calls.len(), "a transaction for each call");
    (admitted, calls.len())
}

#[test]
fn acknowledged_writes_survive_sigkill() {
    let rounds = if runs_all_faults() { 20 } else { 2 };
    let (mut server, mut network) = world();
    let client_log = ClientLog::default();
    let mut report = FaultReport::default();
    for round in 0..rounds {
        let before = client_log.acknowledged.load(Ordering::Relaxed);
        // The time of the kill varies from round to round.
        let many = 60 + round * 37 % 100;
        client_log.load(&network, round, |acknowledged| {
            while acknowledged.load(Ordering::Relaxed) < before + many {
                std::thread::yield_now();
            }
            server.kill();
        });
        let killed_at = Instant::now();
        server.restart();
        network = server.network();
        network.has_affiliate("after");
        report.recovery.push(killed_at.elapsed());
        client_log.affiliates.lock().unwrap().insert("after".to_owned(), true);
        let (lost, doubled) = client_log.compare(&network);
        report.lost += lost;
        report.duplicated += doubled;
        assert!(admitted(&network).0 <= CAP, "at most the cap is admitted");
    }
    // All clients repeat all requests, with or without an earlier response.
    let reported_ids: Vec<String> = client_log.calls.lock().unwrap().keys().cloned().collect();
    report.acknowledged = client_log.acknowledged.load(Ordering::Relaxed);
    assert!(reported_ids.iter().all(|id| client_log.call(&network, id)));
    let (lost, doubled) = client_log.compare(&network);
    (report.lost, report.duplicated) = (report.lost + lost, report.duplicated + doubled);
    report.attempts = rounds;
    assert_eq!(admitted(&network), (CAP, reported_ids.len()));
    report.print_and_assert("kill -9 under load", server.database());
}
