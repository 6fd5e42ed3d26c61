//! A lost `COMMIT` or a lost response to it: the outcome is unknown, the client gets 503 in time, and a
//! repeated request has the right result. These tests need PostgreSQL.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use trunkline_tests::{AfterLoss, Client, CommitLoss, FaultReport, Proxy, Response, Server, body};
use trunkline_tests::{postgres_address, runs_all_faults};

/// Time limit for an error response.
const ERROR_RESPONSE_LIMIT: Duration = Duration::from_secs(2);

/// Kind of the written object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A call with an id chosen by the client.
    Call,
    /// An affiliate.
    Affiliate,
    /// A live call with an Idempotency-Key.
    LiveCall,
}

fn write(network: &Client, kind: Kind, id: &str) -> Response {
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

/// Repeats a request until it is not rejected with 503.
fn retry_until_accepted(send: impl Fn() -> Response) -> Response {
    loop {
        let response = send();
        if response.status != 503 {
            return response;
        }
    }
}

/// Ids of the stored objects of a kind.
fn stored_ids(network: &Client, kind: Kind) -> Vec<String> {
    let list = match kind {
        Kind::Affiliate => network.get("/affiliates"),
        Kind::Call | Kind::LiveCall => network.extensions().get("/calls"),
    };
    let list = list.body(200);
    list.as_array().expect("a list").iter().map(|item| item["id"].to_string()).collect()
}

/// Loses one commit and repeats the request. Returns `true` if the lost commit was that of the request.
fn lose_one(
    (proxy, network): (&Proxy, &Client),
    (lost, then): (CommitLoss, AfterLoss),
    kind: Kind,
    id: &str,
    report: &mut FaultReport,
) -> bool {
    let before = stored_ids(network, kind).len();
    proxy.lose_next_commit(lost, then);
    let started = Instant::now();
    let rejected = write(network, kind, id);
    let took = started.elapsed();
    let was_lost = rejected.status == 503;
    if was_lost {
        rejected.assert_error(503, "ServiceUnavailable");
        assert_eq!(rejected.header("retry-after"), Some("1"));
    }
    assert!(
        took < ERROR_RESPONSE_LIMIT,
        "{kind:?}, {lost:?}, {then:?}: {} after {took:?}",
        rejected.status
    );
    assert!(proxy.has_lost_commit(), "{kind:?}: nothing was committed");
    proxy.restore();
    let healed = Instant::now();
    let repeated = retry_until_accepted(|| write(network, kind, id));
    report.recovery.push(healed.elapsed());
    report.acknowledged += 1;
    let is_known = was_lost && lost == CommitLoss::Response;
    match kind {
        Kind::Call if was_lost => assert_eq!(repeated.status, if is_known { 202 } else { 201 }),
        Kind::Call => assert_eq!(repeated.status, 202),
        Kind::Affiliate => {
            assert_eq!(repeated.status, 200);
            assert_eq!(network.get(&format!("/affiliates/{id}")).body(200)["name"], id);
        }
        Kind::LiveCall => {
            // Each repetition gets the first response.
            let first: Value = repeated.body(201);
            assert_eq!(write(network, kind, id).body(201), first);
        }
    }
    let after = stored_ids(network, kind).len();
    report.lost += (before + 1).saturating_sub(after);
    report.duplicated += after.saturating_sub(before + 1);
    was_lost
}

fn lose_commits(lost: CommitLoss, then: AfterLoss) -> (Server, FaultReport) {
    let rounds = if runs_all_faults() { 20 } else { 1 };
    let proxy = Proxy::to(&postgres_address());
    let server = Server::builder().via_proxy(&proxy).arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut report = FaultReport::default();
    for kind in [Kind::Call, Kind::Affiliate, Kind::LiveCall] {
        let mut hit = 0;
        for number in 0.. {
            // The server commits by itself now and then; such a loss is not counted.
            let id = format!("{kind:?}-{number}");
            hit += usize::from(lose_one((&proxy, &network), (lost, then), kind, &id, &mut report));
            if hit == rounds {
                break;
            }
        }
        report.attempts += hit;
    }
    let calls = stored_ids(&network, Kind::Call);
    let once: BTreeSet<&String> = calls.iter().collect();
    assert_eq!(once.len(), calls.len(), "an id for each call");
    (server, report)
}

#[test]
fn on_postgres_commit_response_is_lost_with_the_connection() {
    let (server, report) = lose_commits(CommitLoss::Response, AfterLoss::Disconnect);
    report.print_and_assert("a commit carried out, its answer cut off", server.database());
}

#[test]
fn on_postgres_commit_response_never_arrives() {
    let (server, report) = lose_commits(CommitLoss::Response, AfterLoss::Hang);
    report.print_and_assert("a commit carried out, then silence", server.database());
}

#[test]
fn on_postgres_commit_is_lost_with_the_connection() {
    let (server, report) = lose_commits(CommitLoss::Request, AfterLoss::Disconnect);
    report.print_and_assert("a commit cut off", server.database());
}

#[test]
fn on_postgres_commit_never_arrives() {
    let (server, report) = lose_commits(CommitLoss::Request, AfterLoss::Hang);
    report.print_and_assert("a commit that never arrives, then silence", server.database());
}
