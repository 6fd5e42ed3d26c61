//! Rate limits of credentials, and their independence of wall clocks.

use serde_json::json;
use trunkline_tests::{Client, Server, WallClock, body};

#[test]
fn rate_limited_credential_gets_retry_after() {
    let server = Server::builder().arguments(&["--rate-limit", "2"]).start();
    let network = server.network();
    let responses: Vec<_> = (0..20).map(|_| network.get("/network")).collect();
    let over =
        responses.iter().find(|response| response.status == 429).expect("2 a second are allowed");
    over.assert_error(429, "TooManyRequests");
    assert_eq!(over.header("retry-after"), Some("1"));
    assert_eq!(over.header("ratelimit-remaining"), Some("0"));
    // Another credential has its own limit.
    server.observer().get("/network").expect(200);
}

/// Sends requests that together stay within the limit of a second. Returns those that were refused.
fn count_refusals(clients: &[&Client], requests: usize) -> usize {
    let mut refusals = 0;
    for index in 0..requests {
        let response = clients[index % clients.len()].get("/affiliates");
        assert!([200, 429].contains(&response.status), "{}", response.text());
        refusals += usize::from(response.status == 429);
    }
    refusals
}

#[test]
fn servers_whose_clocks_differ_refuse_nobody() {
    let behind = WallClock::with_offset(-10);
    let limit = ["--rate-limit", "200"];
    let first = Server::builder().arguments(&limit).wall_clock(&behind).start();
    let second = Server::builder().same_database(&first).arguments(&limit).start();
    assert_ten_seconds_apart(&first, &second);
    let clients = [&first.network(), &second.network()];
    assert_eq!(count_refusals(&clients, 180), 0);
    // A one-time token of either server starts a session on the other one.
    first.network().put("/network", json!({"users": [body::user("7")]})).expect(200);
    for (issuer, other) in [(&first, &second), (&second, &first)] {
        let path = "/network/user7@example.com/create_access_token";
        let token = issuer.network().post(path, json!({})).body(201);
        let target = format!("/?access_token={}", token["token"].as_str().expect("a token"));
        let page = other.anon().absolute_paths().request("GET", &target).send().expect(303);
        let cookie = page.header("set-cookie").expect("a session").to_owned();
        for server in [issuer, other] {
            let request = server.anon().request("GET", "/network").header("Cookie", &cookie);
            request.send().expect(200);
        }
    }
}

/// Checks that the test does what it says: the servers' audit entries are ten seconds apart.
fn assert_ten_seconds_apart(behind: &Server, ahead: &Server) {
    let created_at = |server: &Server, id: &str| -> jiff::Timestamp {
        server.network().has_affiliate(id);
        let entries = server.network().audit_entries(Some(&format!("affiliate:{id}")));
        let at = entries[0]["at"].as_str().expect("a time");
        let at = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", at).expect("a time");
        at.to_timestamp().expect("a time")
    };
    let (later, earlier) = (created_at(ahead, "1"), created_at(behind, "2"));
    assert!(later > earlier, "{later} {earlier}");
}

/// Buckets, sessions, tokens and the throttle of sign-ins outlast a step of the wall clock.
#[test]
fn step_of_the_wall_clock_refuses_nobody() {
    let clock = WallClock::with_offset(0);
    let limit = ["--rate-limit", "200"];
    let server = Server::builder().arguments(&limit).wall_clock(&clock).start();
    let network = server.network();
    let users = json!({"users": [body::user("7"), body::user("8")]});
    network.put("/network", users).expect(200);
    let path = "/network/user7@example.com/create_access_token";
    let token = network.post(path, json!({})).body(201)["token"].clone();
    let target = format!("/?access_token={}", token.as_str().expect("a token"));
    let page = server.anon().absolute_paths().request("GET", &target).send().expect(303);
    let cookie = page.header("set-cookie").expect("a session").to_owned();
    let sign_in = || {
        let request = server.anon().absolute_paths().request("POST", "/login");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        request.bytes(b"email=user8%40example.com&password=wrong").send().status
    };
    // The last of six tries is delayed by two seconds, the next one by four.
    while sign_in() != 429 {}
    assert_eq!(count_refusals(&[&network], 90), 0);
    for offset in [-3_600, 3_600, 0, -864_000] {
        clock.set_offset(offset);
        assert_eq!(sign_in(), 429, "a step of {offset} seconds");
        assert_eq!(count_refusals(&[&network], 20), 0, "a step to {offset} seconds");
        let request = server.anon().request("GET", "/network").header("Cookie", &cookie);
        request.send().expect(200);
    }
}
