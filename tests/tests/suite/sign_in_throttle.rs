//! Throttle of sign-ins with wrong passwords.

use base64::Engine;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use trunkline_network::credentials;
use trunkline_tests::{Response, Server, body};

const EMAIL: &str = "user7@example.com";
const PASSWORD: &str = "correct horse battery";

fn world() -> Server {
    let server = Server::start();
    server
        .network()
        .put("/network", json!({"users": [body::user("7"), body::user("8")]}))
        .expect(200);
    server.set_password(EMAIL, PASSWORD);
    server
}

fn basic(server: &Server, email: &str, password: &str) -> Response {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{password}"));
    let client = server.anon();
    client.request("GET", "/affiliates").header("Authorization", &format!("Basic {encoded}")).send()
}

fn sign_in(server: &Server, email: &str, password: &str) -> Response {
    let form = format!("email={email}&password={}", password.replace(' ', "+"));
    let login = server.anon().absolute_paths().request("POST", "/login");
    let login = login.header("Content-Type", "application/x-www-form-urlencoded");
    login.bytes(form.as_bytes()).send()
}

/// Waits for the audit entry of throttled sign-ins, which is written in the background.
fn wait_for_audit_entry(server: &Server) -> Value {
    let started = Instant::now();
    loop {
        let entries = server.network().audit_entries(Some("user:7"));
        let entry = entries.into_iter().find(|entry| entry["action"] == "sign_ins_throttled");
        if let Some(entry) = entry {
            return entry;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no entry is written");
        std::thread::yield_now();
    }
}

#[test]
fn sixth_try_of_an_account_is_429_on_api_and_console() {
    let server = world();
    for _ in 0..5 {
        basic(&server, EMAIL, "wrong").assert_error(401, "Unauthorized");
    }
    // A right password that was not verified before has to wait, too.
    let refused = basic(&server, EMAIL, PASSWORD);
    assert!(refused.header("retry-after").is_some_and(|wait| ["1", "2"].contains(&wait)));
    refused.assert_error(429, "TooManyRequests");
    let page = sign_in(&server, &EMAIL.to_uppercase(), PASSWORD);
    assert_eq!(page.status, 429);
    assert!(page.text().contains("Please wait") && page.header("retry-after").is_some());
    // Other accounts and tokens go on.
    assert_eq!(sign_in(&server, "nobody@example.com", "wrong").status, 401);
    server.network().get("/affiliates").expect(200);
    let entry = wait_for_audit_entry(&server);
    assert_eq!(entry["actor"], "anonymous");
    assert_eq!(entry["after"], json!({"failures": 5, "address": "127.0.0.1"}));
    let metrics = server.anon().absolute_paths().get("/metrics").text();
    assert!(metrics.contains("trunkline_sign_in_failures_total 6"), "{metrics}");
    assert!(metrics.contains("trunkline_sign_ins_throttled_total 2"), "{metrics}");
}

#[test]
fn unknown_account_is_throttled_as_a_known_one() {
    let server = world();
    for email in [EMAIL, "nobody@example.com"] {
        let statuses: Vec<u16> = (0..7).map(|_| sign_in(&server, email, "wrong").status).collect();
        assert_eq!(statuses[..6], [401, 401, 401, 401, 401, 429], "{email}");
    }
}

/// Behind a trusted proxy the address of the client counts, so one client does not delay the others.
#[test]
fn client_behind_a_trusted_proxy_is_throttled_by_its_own_address() {
    let server = Server::builder().arguments(&["--trusted-proxies", "127.0.0.1"]).start();
    let sign_in = |account: usize, client: &str| {
        let form = format!("email=nobody{account}@example.com&password=wrong");
        let login = server.anon().absolute_paths().request("POST", "/login");
        let login = login.header("Content-Type", "application/x-www-form-urlencoded");
        let login = login.header("X-Forwarded-For", &format!("6.6.6.6, {client}"));
        login.bytes(form.as_bytes()).send().status
    };
    for account in 0..50 {
        assert_eq!(sign_in(account, "203.0.113.9"), 401);
    }
    assert_eq!(sign_in(50, "203.0.113.9"), 429);
    assert_eq!(sign_in(51, "203.0.113.8"), 401);
}

/// Connections of one address beyond the limit are closed; those that are open go on.
#[test]
fn connections_of_an_address_are_limited() {
    let server = Server::builder().arguments(&["--connections-per-address", "3"]).start();
    let connect = || {
        let stream = TcpStream::connect(server.address()).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        stream
    };
    let answers = |stream: &mut TcpStream| {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
        let sent = stream.write_all(request.as_bytes());
        sent.is_ok() && matches!(stream.read(&mut [0; 12]), Ok(12))
    };
    let mut open: Vec<TcpStream> = (0..3).map(|_| connect()).collect();
    assert!(open.iter_mut().all(&answers));
    assert!(!answers(&mut connect()));
    assert!(answers(&mut open[0]));
    open.truncate(2);
    let started = Instant::now();
    while !answers(&mut connect()) {
        assert!(started.elapsed() < Duration::from_secs(20), "the closed connection still counts");
    }
}

#[test]
fn verified_password_is_not_throttled() {
    let server = world();
    basic(&server, EMAIL, PASSWORD).expect(200);
    for _ in 0..6 {
        basic(&server, EMAIL, "wrong");
    }
    basic(&server, EMAIL, PASSWORD).expect(200);
}

#[test]
fn many_concurrent_sign_ins_are_refused_and_not_failures_of_the_server() {
    let server = world();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let server = &server;
        let tries: Vec<_> = (0..80)
            .map(|index| {
                scope.spawn(move || sign_in(server, &format!("{index}@example.com"), "x").status)
            })
            .collect();
        tries.into_iter().map(|thread| thread.join().expect("a response")).collect()
    });
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!(count(401) + count(429) + count(503), 80, "{statuses:?}");
    // 50 failures of one address delay its tries.
    assert!(count(401) <= 52, "{statuses:?}");
    assert_eq!(server.network().get("/affiliates").body(200), Value::Array(Vec::new()));
}

/// Value of a counter of `/metrics`.
fn counter(server: &Server, name: &str) -> u64 {
    let metrics = server.anon().absolute_paths().get("/metrics").text();
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    value.expect("the metric").trim().parse().expect("a number")
}

fn computed_hashes(server: &Server) -> u64 {
    counter(server, "trunkline_password_hashes_total ")
}

/// A failed try runs the same statements for an unknown and a known account.
#[test]
fn failed_tries_run_the_same_statements_for_any_account() {
    let server = world();
    let other = server.create_another_network();
    other.put("/network", json!({"users": [body::user("7")]})).expect(200);
    let network_id = other.network_id();
    let stored = server.run_use_case(jiff::Timestamp::UNIX_EPOCH, move |unit, _| {
        let hash = credentials::hash_password("another password", &[8; 32])?;
        credentials::set_password(unit, network_id, EMAIL, None, &hash)
    });
    stored.expect("it is stored");
    let statements = |email: &str| -> u64 {
        // Background work runs statements, too: the fewest of some tries count.
        let tries = (0..3).map(|_| {
            let before = counter(&server, "trunkline_database_statements_total ");
            assert_eq!(sign_in(&server, email, "wrong").status, 401);
            counter(&server, "trunkline_database_statements_total ") - before
        });
        tries.min().expect("some tries")
    };
    let expected = statements("nobody@example.com");
    assert_eq!(["user8@example.com", EMAIL].map(statements), [expected; 2]);
}

/// Holds a lock on which writes of audit entries wait, until it is dropped.
enum WriteLock {
    Sqlite(#[expect(dead_code, reason = "held")] rusqlite::Connection),
    Postgres(#[expect(dead_code, reason = "held")] postgres::Client),
}

impl WriteLock {
    fn acquire(server: &Server) -> Self {
        match server.database().strip_prefix("sqlite://") {
            Some(file) => {
                let file = rusqlite::Connection::open(file).expect("the database opens");
                file.execute_batch("BEGIN IMMEDIATE").expect("no write is under way");
                Self::Sqlite(file)
            }
            None => {
                let client = postgres::Client::connect(server.database(), postgres::NoTls);
                let mut client = client.expect("the database opens");
                client.batch_execute("BEGIN; LOCK TABLE audit").expect("the lock is granted");
                Self::Postgres(client)
            }
        }
    }
}

/// An answer that waited for the entry would tell that the account exists.
#[test]
fn answer_does_not_wait_for_the_audit_entry() {
    let server = world();
    for _ in 0..4 {
        basic(&server, EMAIL, "wrong").assert_error(401, "Unauthorized");
    }
    let lock = WriteLock::acquire(&server);
    basic(&server, EMAIL, "wrong").assert_error(401, "Unauthorized");
    drop(lock);
    wait_for_audit_entry(&server);
}

/// The number depends neither on the networks in which an address has a password nor on the right one.
#[test]
fn each_try_computes_the_same_number_of_hashes() {
    const LINK_PASSWORD: &str = "third network's password";
    let server = world();
    // Two passwords of before salts were shared, with a salt each.
    let second = server.create_another_network();
    let third = server.create_another_network();
    for network in [&second, &third] {
        network.put("/network", json!({"users": [body::user("7")]})).expect(200);
    }
    let network_id = second.network_id();
    let stored = server.run_use_case(jiff::Timestamp::UNIX_EPOCH, move |unit, _| {
        let hash = credentials::hash_password("another password", &[8; 32])?;
        credentials::set_password(unit, network_id, EMAIL, None, &hash)
    });
    assert_eq!(stored.expect("it is stored").as_deref(), Some("7"));
    let link = third.extensions().post("/users/7/sign_in_links", json!({})).body(201);
    let (_, token) = link["url"].as_str().expect("a url").split_once("token=").expect("a token");
    let form = format!("token={token}&password={LINK_PASSWORD}&repeated={LINK_PASSWORD}");
    let page = server.anon().absolute_paths().request("POST", "/sign_in_link");
    let page = page.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(page.bytes(form.replace(' ', "+").as_bytes()).send().status, 303);
    for (email, password, status) in [
        ("nobody@example.com", PASSWORD, 401),
        ("user8@example.com", PASSWORD, 401),
        (EMAIL, "wrong", 401),
        (EMAIL, PASSWORD, 303),
        (EMAIL, "another password", 303),
        (EMAIL, LINK_PASSWORD, 303),
    ] {
        let before = computed_hashes(&server);
        assert_eq!(sign_in(&server, email, password).status, status, "{email} {password}");
        assert_eq!(computed_hashes(&server) - before, 2, "{email} {password}");
    }
}
