//! Three servers on one database behave like one.

use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, FaultReport, Response, Server, body};

const CLIENTS: usize = 200;
/// Calls that the cap of campaign 12 admits.
const CAP: usize = 17;

/// Starts three servers on one database, with a live campaign 12 with an enforced cap of calls.
fn world() -> ([Server; 3], [Client; 3]) {
    let first = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let cap = json!({"budget_amount": CAP, "enforce": true, "reset_period": "Ongoing",
        "starts_at": "2020-01-01", "budget_currency": "USD", "time_zone": "UTC"});
    let more = json!({"budget_activities": {"periodic_call_cap_alert": cap}});
    first.network().has_live_campaign("354", "12", more);
    let second = first.start_sibling();
    let third = first.start_sibling();
    let servers = [third, second, first];
    let clients = servers.each_ref().map(Server::network);
    (servers, clients)
}

/// Sends requests to all servers concurrently, spread over the clients.
fn send_concurrently(
    clients: &[Client; 3],
    callers: usize,
    send: impl Fn(&Client, usize) -> Response + Sync,
) -> Vec<Response> {
    let start = Barrier::new(callers);
    let start = &start;
    let send = &send;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    send(&clients[number % 3], number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    })
}

fn report_call(client: &Client, id: &str) -> Response {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    client.post("/calls", call)
}

fn list_calls(client: &Client) -> Vec<Value> {
    let calls = client.extensions().get("/calls").body(200);
    calls.as_array().expect("a list").clone()
}

#[test]
fn cap_holds_across_three_servers() {
    let (servers, clients) = world();
    let responses = send_concurrently(&clients, CLIENTS, |client, number| {
        report_call(client, &number.to_string())
    });
    assert!(responses.iter().all(|item| item.status == 201), "everyone is answered");
    let acknowledged = responses.len();
    for client in &clients {
        let calls = list_calls(client);
        let through = calls.iter().filter(|item| item["outcome"] != "turned_away").count();
        assert_eq!((through, calls.len()), (CAP, CLIENTS));
    }
    let report = FaultReport { attempts: 1, acknowledged, ..FaultReport::default() };
    report.print_and_assert(
        "200 callers for the last 17 calls, on three servers",
        servers[0].database(),
    );
}

#[test]
fn call_reported_to_three_servers_is_stored_once() {
    let (_servers, clients) = world();
    // Six calls are reported 20 times each, on any server.
    let responses = send_concurrently(&clients, 120, |client, number| {
        report_call(client, &format!("{}", number / 3 % 6))
    });
    let new = responses.iter().filter(|item| item.status == 201).count();
    assert!(responses.iter().all(|item| [201, 202].contains(&item.status)));
    assert_eq!((new, list_calls(&clients[0]).len()), (6, 6));
}

#[test]
fn idempotency_key_is_shared_by_all_servers() {
    let (_servers, clients) = world();
    let responses = send_concurrently(&clients, 60, |client, number| {
        let request = client.extensions().request("POST", "/calls");
        let key = format!("key {}", number / 3 % 5);
        request.header("Idempotency-Key", &key).json(&json!({"advertiser_campaign": "12"})).send()
    });
    let mut ids: Vec<String> =
        responses.into_iter().map(|item| item.body(201)["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), list_calls(&clients[0]).len()), (5, 5));
}

#[test]
fn one_time_token_works_once_across_three_servers() {
    let (_servers, clients) = world();
    clients[0].put("/network", json!({"users": [body::user("7")]})).expect(200);
    let advertiser = clients[0].get("/advertisers/354").body(200)["id"].clone();
    for _ in 0..5 {
        let path = "/network/user7@example.com/create_access_token";
        let token = clients[0].post(path, json!({})).body(201)["token"].clone();
        let token = token.as_str().expect("a token");
        let page = format!("/as/{advertiser}/dashboards/ui?access_token={token}");
        let responses = send_concurrently(&clients, 30, |client, _| {
            client.absolute_paths().with_token(None).get(&page)
        });
        let works = |item: &&Response| item.header("set-cookie").is_some();
        assert_eq!(responses.iter().filter(works).count(), 1);
    }
}

/// Load balancer: sends requests to the ready servers in turn, and retries on another server if the
/// connection is refused.
struct Balancer<'a> {
    clients: &'a [Client; 3],
    ready: [AtomicBool; 3],
}

impl Balancer<'_> {
    fn check_readiness(&self) {
        for (client, ready) in self.clients.iter().zip(&self.ready) {
            let response = client.absolute_paths().request("GET", "/readyz").try_send();
            ready.store(response.is_some_and(|item| item.status == 200), Ordering::Relaxed);
        }
    }

    fn report_call(&self, number: usize, id: &str) -> Response {
        let candidates = (0..3).map(|turn| (number + turn) % 3);
        let index = candidates.into_iter().find(|index| self.ready[*index].load(Ordering::Relaxed));
        report_call(&self.clients[index.expect("two servers are there")], id)
    }
}

#[test]
fn graceful_shutdown_drops_no_request() {
    let (mut servers, clients) = world();
    let ready = [const { AtomicBool::new(true) }; 3];
    let balancer = Balancer { clients: &clients, ready };
    let over = AtomicBool::new(false);
    let accepted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for client in 0..8 {
            let balancer = &balancer;
            let over = &over;
            let accepted = &accepted;
            scope.spawn(move || {
                for number in 0.. {
                    // A request without a response fails here.
                    balancer.report_call(number, &format!("{client}-{number}")).expect(201);
                    accepted.fetch_add(1, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let readiness_poller = &balancer;
        let done = &over;
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                readiness_poller.check_readiness();
            }
        });
        let wait_for = |many: usize| {
            while accepted.load(Ordering::Relaxed) < many {
                std::thread::yield_now();
            }
        };
        wait_for(60);
        assert!(servers[0].stop(), "it ends well");
        wait_for(accepted.load(Ordering::Relaxed) + 60);
        over.store(true, Ordering::Relaxed);
    });
    assert!(!balancer.ready[0].load(Ordering::Relaxed), "it was seen to be going");
    let acknowledged = accepted.load(Ordering::Relaxed);
    let stored_count = list_calls(&clients[1]).len();
    let report = FaultReport {
        attempts: 1,
        acknowledged,
        lost: acknowledged.saturating_sub(stored_count),
        duplicated: stored_count.saturating_sub(acknowledged),
        recovery: Vec::new(),
    };
    report.print_and_assert("SIGTERM of one of three servers", servers[1].database());
}

#[test]
fn rate_limit_is_shared_by_all_servers() {
    const RATE: u32 = 200;
    let first = Server::builder().arguments(&["--rate-limit", &RATE.to_string()]).start();
    let second = first.start_sibling();
    let third = first.start_sibling();
    let clients = [&first, &second, &third].map(Server::network);
    let started = Instant::now();
    let threads = 12;
    let answered = AtomicUsize::new(0);
    let rejected = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..threads {
            let client = &clients[number % 3];
            let answered = &answered;
            let rejected = &rejected;
            scope.spawn(move || {
                while started.elapsed() < Duration::from_secs(3) {
                    let response = client.get("/affiliates");
                    match response.status {
                        200 => answered.fetch_add(1, Ordering::Relaxed),
                        // On a loaded machine connecting to the database may time out.
                        503 => 0,
                        _ => {
                            assert_eq!(response.header("ratelimit-limit"), Some("200"));
                            response.assert_error(429, "TooManyRequests");
                            rejected.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            });
        }
    });
    let answered = answered.into_inner();
    let rejected = rejected.into_inner();
    // Limit of one server, plus the unreported usage of each of the three: see `docs/scaling.md`.
    let one = f64::from(RATE) * (1.0 + started.elapsed().as_secs_f64());
    eprintln!(
        "{answered} answered and {rejected} refused by three servers; one lets {one:.0} through"
    );
    assert!(rejected > 0, "no request was rejected");
    assert!((answered as f64) < one * 1.66, "{answered} answered, {one:.0} by one server");
    assert!(answered as f64 > one * 0.8, "{answered} answered, {one:.0} by one server");
}
