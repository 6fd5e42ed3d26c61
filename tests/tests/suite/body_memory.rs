//! Memory for bodies that are being received: permission first, a share for each credential, a time for
//! each line.

use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use trunkline_domain::party::{PartyKind, Role};
use trunkline_tests::{Client, Server, body};

/// Time limit for a response.
const RESPONSE_LIMIT: Duration = Duration::from_secs(25);
/// Bytes of an unfinished body: 64 KiB less than the largest body.
const UNFINISHED_BYTES: usize = (1 << 20) - (1 << 16);

/// Unfinished request, with the response that has arrived so far.
struct Unfinished {
    stream: TcpStream,
    response: String,
}

impl Unfinished {
    /// Sends the head of a request with a body of 1 MiB, and the beginning of the body.
    fn send(client: &Client, headers: &str, kind: &str, body: &[u8]) -> Self {
        let mut stream = TcpStream::connect(client.address()).expect("the server listens");
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             {headers}\r\n",
            client.path("/calls"),
            1 << 20,
        );
        stream.write_all(head.as_bytes()).expect("the server reads the head");
        // The server may refuse the body before it has read all of it.
        stream.write_all(body).ok();
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout can be set");
        Self { stream, response: String::new() }
    }

    /// Reads what has arrived.
    fn poll(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(count) = self.stream.read(&mut buffer) {
            if count == 0 {
                return;
            }
            self.response.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    /// Reads until the server closes the connection.
    fn read_to_end(mut self) -> String {
        let started = Instant::now();
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return self.response,
                Ok(count) => self.response.push_str(&String::from_utf8_lossy(&buffer[..count])),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return self.response,
                Err(_) => assert!(started.elapsed() < RESPONSE_LIMIT, "no end: {}", self.response),
            }
        }
    }
}

fn authorization(client: &Client) -> String {
    format!("Authorization: {}\r\n", client.token())
}

/// Polls requests until a number of them were refused. Returns the number at the time limit.
fn count_refused(requests: &mut [Unfinished], expected: usize) -> usize {
    let started = Instant::now();
    loop {
        requests.iter_mut().for_each(Unfinished::poll);
        let refused =
            requests.iter().filter(|request| request.response.contains("too many request bodies"));
        let refused = refused.count();
        if refused >= expected || started.elapsed() > RESPONSE_LIMIT {
            return refused;
        }
    }
}

#[test]
fn lines_of_who_may_not_report_calls_are_refused_before_they_are_read() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("354");
    network.has_affiliate("222");
    for client in [
        server.observer(),
        server.party(PartyKind::Advertiser, "354", Role::Observer),
        server.party(PartyKind::Affiliate, "222", Role::Observer),
        server.affiliate("222"),
    ] {
        // Nothing of the body is sent.
        let request =
            Unfinished::send(&client, &authorization(&client), "application/x-ndjson", b"");
        let response = request.read_to_end();
        assert!(response.starts_with("HTTP/1.1 403 "), "{response}");
        assert!(response.contains("UnauthorizedOperation"), "{response}");
    }
}

#[test]
fn unfinished_bodies_of_one_credential_leave_memory_for_others() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let advertiser = server.advertiser("354");
    let large = {
        let mut party = body::full_affiliate("976");
        party["name"] = json!("Surf".to_owned() + &" ".repeat(40 * 1024) + "Oz");
        party.to_string()
    };
    for (kind, start) in [("application/json", "{\"call\": \""), ("application/x-ndjson", "")] {
        let unfinished = [start.as_bytes(), &vec![b'x'; UNFINISHED_BYTES]].concat();
        let send =
            |_| Unfinished::send(&advertiser, &authorization(&advertiser), kind, &unfinished);
        let mut requests: Vec<Unfinished> = (0..70).map(send).collect();
        // 8 MiB have room for eight of them, and for a part of a ninth.
        let refused = count_refused(&mut requests, 61);
        assert!(refused >= 61, "{kind}: {refused}");
        // The name is too long, and is reported only after the whole body was read.
        let response = network.request("PUT", "/affiliates/976").json_text(&large).send();
        assert_eq!(response.status, 403, "{kind}: {}", response.text());
        let call = json!({"call": {"external_call_unique_id": kind, "start_time": "2200-01-01",
            "advertiser_campaign_id_from_network": "12"}});
        let lines = format!("{}{call}\n", "\n".repeat(100 * 1024));
        let request = network.request("POST", "/calls").bytes(lines.as_bytes());
        let response = request.header("Content-Type", "application/x-ndjson").send();
        assert!(response.text().contains("\"status\":201"), "{kind}: {}", response.text());
    }
}

/// Behind a proxy clients have the addresses that it names.
#[test]
fn strangers_of_one_address_leave_room_for_other_addresses() {
    let server = Server::builder().arguments(&["--trusted-proxies", "127.0.0.1"]).start();
    let network = server.network();
    let anon = server.anon();
    let send = |_| {
        Unfinished::send(&anon, "X-Forwarded-For: 192.0.2.1\r\n", "application/json", b"{\"o\"")
    };
    let requests: Vec<Unfinished> = (0..80).map(send).collect();
    let mut party = body::full_affiliate("976");
    party["oauth_token"] = network.token().into();
    let request = anon.request("PUT", "/affiliates/976").json(&party);
    request.header("X-Forwarded-For", "192.0.2.2").send().expect(200);
    drop(requests);
}

#[test]
fn line_that_trickles_ends_after_the_body_time_limit() {
    let server = Server::builder().arguments(&["--body-time-limit", "1"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let call = json!({"call": {"external_call_unique_id": "a", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    let line = format!("{call}\n");
    let mut request = Unfinished::send(
        &network,
        &authorization(&network),
        "application/x-ndjson",
        line.as_bytes(),
    );
    let started = Instant::now();
    // A byte after each poll, which waits for 20 ms.
    while !request.response.contains("\"status\":400") {
        assert!(started.elapsed() < RESPONSE_LIMIT, "still read: {}", request.response);
        request.stream.write_all(b"x").ok();
        request.poll();
    }
    let response = request.read_to_end();
    assert!(response.contains("\"status\":201"), "{response}");
}
