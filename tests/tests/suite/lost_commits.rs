//! A commit whose answer is lost on its way, and one that is lost itself: nobody can know which it was,
//! the client is told so in time, and asking again comes to the same. These tests need PostgreSQL.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use trunkline_tests::{Answer, Client, Lost, Proxy, Report, Server, Then, body};
use trunkline_tests::{is_full, postgres_address};

/// How long a request may be left without an answer.
const REFUSAL: Duration = Duration::from_secs(2);

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A call with an id of the client's own.
    Call,
    /// An affiliate.
    Affiliate,
    /// A live call, by an Idempotency-Key.
    LiveCall,
}

fn write(network: &Client, kind: Kind, id: &str) -> Answer {
    match kind {
        Kind::Call => {
            let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
                "advertiser_campaign_id_from_network": "12"});
            network.post("/calls", json!({"call": call}))
        }
        Kind::Affiliate => network.put(&format!("/affiliates/{id}"), body::affiliate(id)),
        Kind::LiveCall => {
            let post = network.extensions().request("POST", "/calls");
            let call = json!({"advertiser_campaign": "12"});
            post.header("Idempotency-Key", id).json(&call).send()
        }
    }
}

/// Asks until it is not refused any more.
fn until_taken(ask: impl Fn() -> Answer) -> Answer {
    loop {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
    }
}

/// What was there of a kind of thing, by our ids.
fn listed(network: &Client, kind: Kind) -> Vec<String> {
    let list = match kind {
        Kind::Affiliate => network.get("/affiliates"),
        Kind::Call | Kind::LiveCall => network.extensions().get("/calls"),
    };
    let list = list.body(200);
    list.as_array().expect("a list").iter().map(|it| it["id"].to_string()).collect()
}

/// Loses one commit and asks again; whether it was this one that was lost.
fn lose_one(
    (proxy, network): (&Proxy, &Client),
    (lost, then): (Lost, Then),
    kind: Kind,
    id: &str,
    report: &mut Report,
) -> bool {
    let before = listed(network, kind).len();
    proxy.lose(lost, then);
    let begun = Instant::now();
    let refused = write(network, kind, id);
    let took = begun.elapsed();
    let was_it = refused.status == 503;
    if was_it {
        refused.refused(503, "ServiceUnavailable");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert!(took < REFUSAL, "{kind:?}, {lost:?}, {then:?}: {} after {took:?}", refused.status);
    assert!(proxy.has_lost(), "{kind:?}: nothing was committed");
    proxy.heal();
    let healed = Instant::now();
    let again = until_taken(|| write(network, kind, id));
    report.recovery.push(healed.elapsed());
    report.acknowledged += 1;
    let known = was_it && lost == Lost::Answer;
    match kind {
        Kind::Call if was_it => assert_eq!(again.status, if known { 202 } else { 201 }),
        Kind::Call => assert_eq!(again.status, 202),
        Kind::Affiliate => {
            assert_eq!(again.status, 200);
            assert_eq!(network.get(&format!("/affiliates/{id}")).body(200)["name"], id);
        }
        Kind::LiveCall => {
            // The first answer, however often it is asked for.
            let first: Value = again.body(201);
            assert_eq!(write(network, kind, id).body(201), first);
        }
    }
    let after = listed(network, kind).len();
    report.lost += (before + 1).saturating_sub(after);
    report.doubled += after.saturating_sub(before + 1);
    was_it
}

fn commits_are_lost(lost: Lost, then: Then) -> (Server, Report) {
    let rounds = if is_full() { 20 } else { 1 };
    let proxy = Proxy::to(&postgres_address());
    let server = Server::behind(&proxy, &["--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut report = Report::default();
    for kind in [Kind::Call, Kind::Affiliate, Kind::LiveCall] {
        let mut hit = 0;
        for number in 0.. {
            // The server writes by itself now and then: such a commit is lost too, and not counted.
            let id = format!("{kind:?}-{number}");
            hit += usize::from(lose_one((&proxy, &network), (lost, then), kind, &id, &mut report));
            if hit == rounds {
                break;
            }
        }
        report.tried += hit;
    }
    let calls = listed(&network, Kind::Call);
    let once: BTreeSet<&String> = calls.iter().collect();
    assert_eq!(once.len(), calls.len(), "an id for each call");
    (server, report)
}

#[test]
fn on_postgres_an_answer_to_a_commit_is_cut_off() {
    let (server, report) = commits_are_lost(Lost::Answer, Then::Cut);
    report.conclude("a commit carried out, its answer cut off", server.database());
}

#[test]
fn on_postgres_an_answer_to_a_commit_never_comes() {
    let (server, report) = commits_are_lost(Lost::Answer, Then::Silence);
    report.conclude("a commit carried out, then silence", server.database());
}

#[test]
fn on_postgres_a_commit_is_cut_off() {
    let (server, report) = commits_are_lost(Lost::Commit, Then::Cut);
    report.conclude("a commit cut off", server.database());
}

#[test]
fn on_postgres_a_commit_never_arrives() {
    let (server, report) = commits_are_lost(Lost::Commit, Then::Silence);
    report.conclude("a commit that never arrives, then silence", server.database());
}
