//! Limits that the credentials of one party share. Others are served while they are used up.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use trunkline_domain::party::Role;
use trunkline_tests::{Client, Server};

/// Calls of a list that is too large for the buffers of a connection.
const CALLS: usize = 8_000;

/// Sends a GET and reads the head of its response, but nothing of the body. Returns the status.
fn open(client: &Client, path: &str) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(client.address()).expect("the server listens");
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\r\n",
        client.path(path),
        client.token()
    );
    stream.write_all(request.as_bytes()).expect("the server reads");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a response");
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), stream)
}

#[test]
fn credentials_of_a_party_share_twice_the_rate_of_one() {
    let server = Server::builder().arguments(&["--rate-limit", "1"]).start();
    server.network().has_affiliate("222");
    server.network_with_role(Role::Super).has_affiliate("223");
    // Each token has one request a second of its own.
    let tokens: Vec<Client> = (0..40).map(|_| server.affiliate("222")).collect();
    let other = server.affiliate("223");
    let responses: Vec<_> = tokens.iter().map(|client| client.get("/affiliates/222")).collect();
    let refused = responses.iter().filter(|response| response.status == 429);
    let refused: Vec<_> = refused.collect();
    assert!(!refused.is_empty(), "40 requests at once, 2 a second are allowed");
    for response in refused {
        response.assert_error(429, "TooManyRequests");
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    assert_eq!(responses[0].status, 200);
    other.get("/affiliates/223").expect(200);
}

#[test]
fn credentials_of_a_party_share_twice_the_streams_of_one() {
    let server = Server::start();
    server.network().has_affiliate("222");
    let tokens: Vec<Client> = (0..3).map(|_| server.affiliate("222").extensions()).collect();
    let (statuses, streams): (Vec<u16>, Vec<TcpStream>) =
        (0..45).map(|index| open(&tokens[index / 15], "/events")).unzip();
    assert_eq!(statuses[..40], [200; 40]);
    assert_eq!(statuses[40..], [429; 5]);
    assert_eq!(open(&server.network().extensions(), "/events").0, 200);
    drop(streams);
}

/// A network with many calls, most of them with long texts.
fn network_with_calls(server: &Server) -> Client {
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let line = |id: usize| {
        let call = json!({"external_call_unique_id": id.to_string(), "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12", "calling_phone_number": "x".repeat(250)});
        format!("{}\n", json!({"call": call}))
    };
    let lines: String = (0..CALLS).map(line).collect();
    let request = network.request("POST", "/calls").header("Content-Type", "application/x-ndjson");
    let results = request.bytes(lines.as_bytes()).send().text();
    assert_eq!(results.matches("\"status\":201").count(), CALLS);
    network
}

#[test]
fn long_lists_of_one_tenant_are_limited_and_others_are_served() {
    let arguments = ["--rate-limit", "0", "--body-limit", "8000000"];
    let server = Server::builder().arguments(&arguments).start();
    let network = network_with_calls(&server);
    network.has_affiliate("222");
    let extensions = network.extensions();
    let (statuses, mut lists): (Vec<u16>, Vec<TcpStream>) =
        (0..4).map(|_| open(&extensions, "/calls")).unzip();
    assert_eq!(statuses, [200; 4]);
    // A second credential of the network has no permits of its own.
    let observer = server.observer();
    let refused = observer.extensions().get("/calls");
    refused.assert_error(429, "TooManyRequests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let ledger = format!("/networks/transactions/{}", network.network_id());
    observer.get(&format!("{ledger}?limit=4000")).assert_error(429, "TooManyRequests");
    observer.extensions().get("/checks/12").assert_error(429, "TooManyRequests");
    let range = json!({"advertiser_campaign": "12", "from": "2200-01-01", "to": "2200-01-01"});
    for path in ["/replay", "/redecide"] {
        extensions.post(path, range.clone()).assert_error(429, "TooManyRequests");
    }
    // What is not expensive is served, and others have permits of their own.
    let count = |list: Value| list.as_array().map(Vec::len);
    assert_eq!(count(observer.extensions().get("/calls?limit=1000").body(200)), Some(1_000));
    assert_eq!(count(observer.get(&format!("{ledger}?limit=1000")).body(200)), Some(1_000));
    observer.get("/affiliates/222").expect(200);
    let advertiser = server.advertiser("354");
    assert_eq!(count(advertiser.extensions().get("/calls").body(200)), Some(CALLS));
    advertiser.extensions().get("/checks/12").expect(200);
    advertiser.extensions().post("/replay", range).expect(200);
    server.create_another_network().get("/affiliates").expect(200);
    // A permit is released when its client is gone.
    lists.pop();
    let started = Instant::now();
    while extensions.get("/calls").status == 429 {
        assert!(started.elapsed() < Duration::from_secs(60), "no permit is released");
    }
}
