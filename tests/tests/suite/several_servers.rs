//! Three servers on one database are as one.

use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Answer, Client, Report, Server, body};

const CALLERS: usize = 200;
/// Calls that the cap of campaign 12 lets in.
const CAP: usize = 17;

/// Three servers on one database, with a live campaign 12 whose cap of calls is enforced.
fn world() -> ([Server; 3], [Client; 3]) {
    let first = Server::start_with(&["--rate-limit", "0"]);
    let cap = json!({"budget_amount": CAP, "enforce": true, "reset_period": "Ongoing",
        "starts_at": "2020-01-01", "budget_currency": "USD", "time_zone": "UTC"});
    let more = json!({"budget_activities": {"periodic_call_cap_alert": cap}});
    first.network().has_live_campaign("354", "12", more);
    let (second, third) = (first.beside(), first.beside());
    let servers = [third, second, first];
    let clients = servers.each_ref().map(Server::network);
    (servers, clients)
}

/// Asks all servers at once, some of the callers each.
fn at_once(
    clients: &[Client; 3],
    callers: usize,
    ask: impl Fn(&Client, usize) -> Answer + Sync,
) -> Vec<Answer> {
    let start = Barrier::new(callers);
    let (start, ask) = (&start, &ask);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    ask(&clients[number % 3], number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    })
}

fn take(client: &Client, id: &str) -> Answer {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    client.post("/calls", call)
}

fn calls(client: &Client) -> Vec<Value> {
    let calls = client.extensions().get("/calls").body(200);
    calls.as_array().expect("a list").clone()
}

#[test]
fn a_cap_is_kept_over_three_servers() {
    let (servers, clients) = world();
    let answers = at_once(&clients, CALLERS, |client, number| take(client, &number.to_string()));
    assert!(answers.iter().all(|it| it.status == 201), "everyone is answered");
    let acknowledged = answers.len();
    for client in &clients {
        let calls = calls(client);
        let through = calls.iter().filter(|it| it["outcome"] != "turned_away").count();
        assert_eq!((through, calls.len()), (CAP, CALLERS));
    }
    let report = Report { tried: 1, acknowledged, ..Report::default() };
    report.conclude("200 callers for the last 17 calls, on three servers", servers[0].database());
}

#[test]
fn a_call_told_to_three_servers_is_one_call() {
    let (_servers, clients) = world();
    // Each call of six is told 20 times over, on whichever server.
    let answers =
        at_once(&clients, 120, |client, number| take(client, &format!("{}", number / 3 % 6)));
    let new = answers.iter().filter(|it| it.status == 201).count();
    assert!(answers.iter().all(|it| [201, 202].contains(&it.status)));
    assert_eq!((new, calls(&clients[0]).len()), (6, 6));
}

#[test]
fn an_idempotency_key_is_known_to_every_server() {
    let (_servers, clients) = world();
    let answers = at_once(&clients, 60, |client, number| {
        let request = client.extensions().request("POST", "/calls");
        let key = format!("key {}", number / 3 % 5);
        request.header("Idempotency-Key", &key).json(&json!({"advertiser_campaign": "12"})).send()
    });
    let mut ids: Vec<String> =
        answers.into_iter().map(|it| it.body(201)["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), calls(&clients[0]).len()), (5, 5));
}

#[test]
fn a_one_time_token_works_once_on_three_servers() {
    let (_servers, clients) = world();
    clients[0].put("/network", json!({"users": [body::user("7")]})).expect(200);
    let advertiser = clients[0].get("/advertisers/354").body(200)["id"].clone();
    for _ in 0..5 {
        let path = "/network/user7@example.com/create_access_token";
        let token = clients[0].post(path, json!({})).body(201)["token"].clone();
        let token = token.as_str().expect("a token");
        let page = format!("/as/{advertiser}/dashboards/ui?access_token={token}");
        let answers =
            at_once(&clients, 30, |client, _| client.anywhere().with_token(None).get(&page));
        let works = |it: &&Answer| it.header("set-cookie").is_some();
        assert_eq!(answers.iter().filter(works).count(), 1);
    }
}

/// What a load balancer does: asks the servers that are ready, in turn, and another one when nobody
/// listens there.
struct Balancer<'a> {
    clients: &'a [Client; 3],
    ready: [AtomicBool; 3],
}

impl Balancer<'_> {
    fn look(&self) {
        for (client, ready) in self.clients.iter().zip(&self.ready) {
            let answer = client.anywhere().request("GET", "/readyz").attempt();
            ready.store(answer.is_some_and(|it| it.status == 200), Ordering::Relaxed);
        }
    }

    fn take(&self, number: usize, id: &str) -> Answer {
        let turns = (0..3).map(|turn| (number + turn) % 3);
        let at = turns.into_iter().find(|at| self.ready[*at].load(Ordering::Relaxed));
        take(&self.clients[at.expect("two servers are there")], id)
    }
}

#[test]
fn a_server_that_is_asked_to_stop_drops_nothing() {
    let (mut servers, clients) = world();
    let ready = [const { AtomicBool::new(true) }; 3];
    let balancer = Balancer { clients: &clients, ready };
    let (over, taken) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..8 {
            let (balancer, over, taken) = (&balancer, &over, &taken);
            scope.spawn(move || {
                for number in 0.. {
                    // Whoever is not answered fails here.
                    balancer.take(number, &format!("{client}-{number}")).expect(201);
                    taken.fetch_add(1, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let (looker, done) = (&balancer, &over);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                looker.look();
            }
        });
        let wait_for = |many: usize| {
            while taken.load(Ordering::Relaxed) < many {
                std::thread::yield_now();
            }
        };
        wait_for(60);
        assert!(servers[0].stop(), "it ends well");
        wait_for(taken.load(Ordering::Relaxed) + 60);
        over.store(true, Ordering::Relaxed);
    });
    assert!(!balancer.ready[0].load(Ordering::Relaxed), "it was seen to be going");
    let acknowledged = taken.load(Ordering::Relaxed);
    let there = calls(&clients[1]).len();
    let report = Report {
        tried: 1,
        acknowledged,
        lost: acknowledged.saturating_sub(there),
        doubled: there.saturating_sub(acknowledged),
        recovery: Vec::new(),
    };
    report.conclude("SIGTERM of one of three servers", servers[1].database());
}

#[test]
fn a_rate_limit_is_of_all_servers_together() {
    const RATE: u32 = 200;
    let first = Server::start_with(&["--rate-limit", &RATE.to_string()]);
    let (second, third) = (first.beside(), first.beside());
    let clients = [&first, &second, &third].map(Server::network);
    let begun = Instant::now();
    let threads = 12;
    let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (client, answered, refused) = (&clients[number % 3], &answered, &refused);
            scope.spawn(move || {
                while begun.elapsed() < Duration::from_secs(3) {
                    let answer = client.get("/affiliates");
                    match answer.status {
                        200 => answered.fetch_add(1, Ordering::Relaxed),
                        // A machine with much else to do: the database was found slow to connect to.
                        503 => 0,
                        _ => {
                            assert_eq!(answer.header("ratelimit-limit"), Some("200"));
                            answer.refused(429, "TooManyRequests");
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            });
        }
    });
    let (answered, refused) = (answered.into_inner(), refused.into_inner());
    // What one server lets through, and what each of three may have untold: see `docs/scaling.md`.
    let one = f64::from(RATE) * (1.0 + begun.elapsed().as_secs_f64());
    eprintln!(
        "{answered} answered and {refused} refused by three servers; one lets {one:.0} through"
    );
    assert!(refused > 0, "nobody was refused");
    assert!((answered as f64) < one * 1.66, "{answered} answered, {one:.0} by one server");
    assert!(answered as f64 > one * 0.8, "{answered} answered, {one:.0} by one server");
}
