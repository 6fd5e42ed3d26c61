//! Slow and idle clients do not delay others and are disconnected.

use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Server, body, runs_all_faults};

/// Upper bound of the time to disconnect an incomplete head: the limit of ten seconds, and a margin.
const DISCONNECT_LIMIT: Duration = Duration::from_secs(15);
/// Threads that open the idle connections.
const OPENER_THREADS: usize = 10;
/// Unfinished bodies of the largest size: a credential has memory for as many.
const LARGE_BODIES: usize = 8;
/// Time limit of an ordinary request meanwhile.
const REQUEST_LIMIT: Duration = Duration::from_secs(1);

/// Limit of open files of this process.
fn max_open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().next()).expect("a limit");
    most.parse().unwrap_or(usize::MAX)
}

/// Sends one byte of a request per second. Returns the time until the server disconnects.
fn send_byte_per_second(address: &str) -> Duration {
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout can be set");
    let head = b"GET /api/2023-10-09/1/affiliates.json HTTP/1.1\r\n";
    for byte in head.iter().cycle() {
        let sent = stream.write_all(&[*byte]);
        let received = stream.read(&mut [0; 512]);
        if sent.is_err() || received.is_ok_and(|count| count == 0) {
            return start.elapsed();
        }
        if start.elapsed() > DISCONNECT_LIMIT {
            return start.elapsed();
        }
    }
    unreachable!("a cycle has no end")
}

/// Sends ordinary requests until the others are done. Returns their count and the longest duration.
fn send_ordinary_requests(network: &Client, remaining: &AtomicUsize) -> (usize, Duration) {
    let mut requests = 0;
    let mut slowest = Duration::ZERO;
    while remaining.load(Ordering::Relaxed) > 0 {
        let start = Instant::now();
        network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
        network.get("/affiliates/222").expect(200);
        slowest = slowest.max(start.elapsed());
        requests += 2;
    }
    (requests, slowest)
}

#[test]
fn idle_and_slow_clients_are_disconnected() {
    let idle =
        if runs_all_faults() { 10_000 } else { 500 }.min(max_open_files().saturating_sub(200));
    let arguments = ["--rate-limit", "0", "--connections-per-address", "0"];
    let server = Server::builder().arguments(&arguments).start();
    let network = server.network();
    let start = Instant::now();
    let connect = || TcpStream::connect(server.address()).expect("the server listens");
    let open_connections = || (0..idle / OPENER_THREADS).map(|_| connect()).collect::<Vec<_>>();
    let connections: Vec<TcpStream> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..OPENER_THREADS).map(|_| scope.spawn(open_connections)).collect();
        threads.into_iter().flat_map(|item| item.join().expect("connections")).collect()
    });
    let opened = start.elapsed();
    let slow = 20;
    let remaining = AtomicUsize::new(slow);
    let (requests, slowest) = std::thread::scope(|scope| {
        for _ in 0..slow {
            scope.spawn(|| {
                let took = send_byte_per_second(server.address());
                remaining.fetch_sub(1, Ordering::Relaxed);
                assert!(took < DISCONNECT_LIMIT, "the server listened for {took:?}");
            });
        }
        send_ordinary_requests(&network, &remaining)
    });
    for mut stream in connections {
        stream.set_read_timeout(Some(DISCONNECT_LIMIT)).expect("a timeout can be set");
        let received = stream.read(&mut [0; 512]);
        let hung_up = received.as_ref().map_or_else(
            |error| error.kind() == std::io::ErrorKind::ConnectionReset,
            |count| *count == 0,
        );
        assert!(hung_up, "{received:?}");
    }
    let duration = start.elapsed();
    eprintln!(
        "{idle} idle connections (opened in {opened:.1?}) and {slow} of a byte a second, all let go \
         after {duration:.1?}: meanwhile {requests} requests, two of them in {slowest:.1?} at most"
    );
    assert!(slowest < REQUEST_LIMIT, "others waited {slowest:?}");
    assert!(duration < opened + DISCONNECT_LIMIT, "disconnected after {duration:?}");
}

/// Sends the head of a request and the available part of its body.
fn send_partial_request(server: &Server, kind: &str, length: usize, body: &str) -> TcpStream {
    let network = server.network();
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n{body}",
        network.path("/calls"),
        network.token()
    );
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream
}

/// Reads until the server disconnects, and sends a byte now and then. Returns the response and the duration.
fn read_until_disconnect(
    mut stream: TcpStream,
    byte: Option<u8>,
    within: Duration,
) -> (String, Duration) {
    let start = Instant::now();
    let mut response = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout can be set");
    loop {
        // The server may have closed its receiving half after the response.
        if let Some(byte) = byte {
            stream.write_all(&[byte]).ok();
        }
        let mut open_connections = [0; 4096];
        match stream.read(&mut open_connections) {
            Ok(0) => break,
            Ok(count) => response.extend_from_slice(&open_connections[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(_) => {}
        }
        assert!(start.elapsed() < within, "the server listened for {:?}", start.elapsed());
    }
    (String::from_utf8_lossy(&response).into_owned(), start.elapsed())
}

/// Body time limit: the default in a full run, a short one otherwise. Arguments and duration.
fn body_time_limit() -> (Vec<String>, Duration) {
    let seconds: u64 = if runs_all_faults() { 30 } else { 2 };
    let mut arguments = vec!["--rate-limit".to_owned(), "0".to_owned()];
    if !runs_all_faults() {
        arguments.extend(["--body-time-limit".to_owned(), seconds.to_string()]);
    }
    (arguments, Duration::from_secs(seconds))
}

#[test]
fn stalled_and_slow_bodies_are_disconnected() {
    let (arguments, time) = body_time_limit();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::builder().arguments(&arguments).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let held =
        if runs_all_faults() { 1_000 } else { 100 }.min(max_open_files().saturating_sub(200));
    // The first requests allocate the memory that the server keeps.
    for _ in 0..held {
        network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
        network.put("/affiliates/222", body::affiliate("Surf")).expect(200);
    }
    let before = server.resident_memory_bytes();
    let late = time + Duration::from_secs(10);
    let start = Instant::now();
    // Eight clients have sent all but one byte of the largest accepted body: as many as one credential may.
    let most = "x".repeat((1 << 20) - 1);
    let stopped: Vec<TcpStream> = (0..held)
        .map(|at| {
            let sent = if at < LARGE_BODIES { most.as_str() } else { "{\"call\": {" };
            send_partial_request(&server, "application/json", 1 << 20, sent)
        })
        .collect();
    let mut peak = 0;
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| {
            let stream = send_partial_request(&server, "application/json", 1 << 20, "{");
            read_until_disconnect(stream, Some(b' '), late)
        });
        while start.elapsed() < time / 2 {
            network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
            peak = peak.max(server.resident_memory_bytes());
        }
        let (response, took) = dripping.join().expect("an answer");
        assert!(response.starts_with("HTTP/1.1 408"), "{response}");
        assert!(took >= time - Duration::from_secs(1), "disconnected after {took:?}");
    });
    for stream in stopped {
        let (response, _) = read_until_disconnect(stream, None, late);
        assert!(
            response.starts_with("HTTP/1.1 408") && response.contains("RequestTimeout"),
            "{response}"
        );
    }
    let duration = start.elapsed();
    let more = peak.saturating_sub(before) >> 20;
    eprintln!(
        "{held} bodies that stop, {LARGE_BODIES} of them after a MiB, and one of a byte a second: answered 408 after \
         {duration:.1?}; memory grew by {more} MiB meanwhile"
    );
    assert!(more < 100, "memory grew by {more} MiB");
}

#[test]
fn received_lines_are_stored_if_the_rest_stalls() {
    let (arguments, time) = body_time_limit();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::builder().arguments(&arguments).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let lines: String = (0..5)
        .map(|id| {
            let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
                "advertiser_campaign_id_from_network": "12"});
            format!("{}\n", json!({"call": call}))
        })
        .collect();
    let stream = send_partial_request(
        &server,
        "application/x-ndjson",
        lines.len() + 100,
        &format!("{lines}{{\"ca"),
    );
    let (response, _) = read_until_disconnect(stream, None, time + Duration::from_secs(10));
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(response.matches("\"status\":201").count(), 5, "{response}");
    // A truncated line gets an error result.
    assert_eq!(response.matches("\"status\":400").count(), 1, "{response}");
    let calls = network.extensions().get("/calls").body(200);
    assert_eq!(calls.as_array().expect("a list").len(), 5);
}

/// Every route has the time limit of bodies, also those that need no credential.
#[test]
fn sign_in_form_that_does_not_arrive_is_408() {
    let server = Server::builder().arguments(&["--body-time-limit", "1"]).start();
    let network = server.network();
    for path in ["/login", "/logout"] {
        let start = Instant::now();
        let mut stream = TcpStream::connect(network.address()).expect("the server listens");
        stream.set_read_timeout(Some(DISCONNECT_LIMIT)).expect("a timeout can be set");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\ne"
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers and closes");
        assert!(answer.starts_with("HTTP/1.1 408 "), "{path}: {answer}");
        assert!(start.elapsed() < Duration::from_secs(5), "{path}: {:?}", start.elapsed());
    }
}
