//! What was acknowledged is kept, once, whatever becomes of the server. `TRUNKLINE_FAULTS=full` tries
//! as often as `docs/reliability.md` says.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use trunkline_tests::{Client, Report, Server, body, is_full};

const CLIENTS: usize = 16;
/// Calls that the cap of campaign 12 lets in.
const CAP: usize = 40;

/// A server with a live campaign 12, of an affiliate 976, whose cap of calls is enforced.
fn world() -> (Server, Client) {
    let server = Server::start_with(&["--rate-limit", "0"]);
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

/// What clients were told, and what they asked.
#[derive(Default)]
struct Told {
    /// Ids of calls that were asked for, and the complete_call_id of those that were taken.
    calls: Mutex<BTreeMap<String, Option<String>>>,
    /// Ids of affiliates that were written, and whether that was acknowledged.
    affiliates: Mutex<BTreeMap<String, bool>>,
    acknowledged: AtomicUsize,
}

impl Told {
    /// Tells of a call; whether there was an answer.
    fn call(&self, network: &Client, id: &str) -> bool {
        self.calls.lock().unwrap().entry(id.to_owned()).or_default();
        let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12"}});
        let Some(answer) = network.request("POST", "/calls").json(&call).attempt() else {
            return false;
        };
        assert!([201, 202].contains(&answer.status), "{}", answer.text());
        let cuid = answer.json()["cuid"].as_str().expect("a complete_call_id").to_owned();
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        let mut calls = self.calls.lock().unwrap();
        if let Some(known) = calls.insert(id.to_owned(), Some(cuid.clone())).flatten() {
            assert_eq!(known, cuid, "the same call has one name");
        }
        true
    }

    /// Writes an affiliate; whether there was an answer.
    fn affiliate(&self, network: &Client, id: &str) -> bool {
        self.affiliates.lock().unwrap().entry(id.to_owned()).or_default();
        let put = network.request("PUT", &format!("/affiliates/{id}"));
        let Some(answer) = put.json(&body::affiliate(id)).attempt() else { return false };
        answer.expect(200);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.affiliates.lock().unwrap().insert(id.to_owned(), true);
        true
    }

    /// Everyone writes until the server is gone, which `kill` sees to.
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

    /// Compares with what is there: what was lost, and what is there more than once.
    fn compare(&self, network: &Client) -> (usize, usize) {
        let list = |path: &str, name: &str, client: &Client| -> Vec<String> {
            let list = client.get(path).body(200);
            let list = list.as_array().expect("a list").iter();
            list.map(|it| it[name].as_str().expect("an id").to_owned()).collect()
        };
        let calls = list("/calls", "complete_call_id", &network.extensions());
        let affiliates = list("/affiliates", "id_from_network", network);
        let asked = self.calls.lock().unwrap();
        let (once, wrote) = (set(&calls), set(&affiliates));
        let told = asked.values().flatten();
        let lost_calls = told.filter(|cuid| !once.contains(cuid.as_str())).count();
        let written = self.affiliates.lock().unwrap();
        let lost = written.iter().filter(|(id, told)| **told && !wrote.contains(id.as_str()));
        let doubled = calls.len() - once.len() + affiliates.len() - wrote.len();
        // A call is there for each that was asked for, at most.
        let too_many = calls.len().saturating_sub(asked.len());
        (lost_calls + lost.count(), doubled + too_many)
    }
}

fn set(ids: &[String]) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}

/// Calls that were let in, and how many there are.
fn admitted(network: &Client) -> (usize, usize) {
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    let admitted = calls.iter().filter(|it| it["outcome"] != "turned_away").count();
    let transactions = calls.iter().map(|it| it["transaction_id"].to_string());
    let transactions: BTreeSet<String> = transactions.collect();
    assert_eq!(transactions.len(), calls.len(), "a transaction for each call");
    (admitted, calls.len())
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let rounds = if is_full() { 20 } else { 2 };
    let (mut server, mut network) = world();
    let (told, mut report) = (Told::default(), Report::default());
    for round in 0..rounds {
        let before = told.acknowledged.load(Ordering::Relaxed);
        // Not always at the same point.
        let many = 60 + round * 37 % 100;
        told.load(&network, round, |acknowledged| {
            while acknowledged.load(Ordering::Relaxed) < before + many {
                std::thread::yield_now();
            }
            server.kill();
        });
        let gone = Instant::now();
        server.start_again();
        network = server.network();
        network.has_affiliate("after");
        report.recovery.push(gone.elapsed());
        told.affiliates.lock().unwrap().insert("after".to_owned(), true);
        let (lost, doubled) = told.compare(&network);
        report.lost += lost;
        report.doubled += doubled;
        assert!(admitted(&network).0 <= CAP, "no more than the cap is let in");
    }
    // Those who were left without an answer ask again, and so does everybody else.
    let asked: Vec<String> = told.calls.lock().unwrap().keys().cloned().collect();
    report.acknowledged = told.acknowledged.load(Ordering::Relaxed);
    assert!(asked.iter().all(|id| told.call(&network, id)));
    let (lost, doubled) = told.compare(&network);
    (report.lost, report.doubled) = (report.lost + lost, report.doubled + doubled);
    report.tried = rounds;
    assert_eq!(admitted(&network), (CAP, asked.len()));
    report.conclude("kill -9 under load", server.database());
}
