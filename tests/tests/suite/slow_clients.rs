//! Clients that say little or nothing keep nobody else from being answered, and are let go.

use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Server, body, is_full};

/// A request's head may take ten seconds; some more on a machine with much else to do.
const LET_GO: Duration = Duration::from_secs(15);
/// Threads that open the idle connections.
const OPENERS: usize = 10;
/// How long an ordinary request may take meanwhile.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Files that this process may have open.
fn files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().next()).expect("a limit");
    most.parse().unwrap_or(usize::MAX)
}

/// Sends one byte of a request each second; how long until the server hangs up.
fn drip(address: &str) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout can be set");
    let head = b"GET /api/2023-10-09/1/affiliates.json HTTP/1.1\r\n";
    for byte in head.iter().cycle() {
        let sent = stream.write_all(&[*byte]);
        let heard = stream.read(&mut [0; 512]);
        if sent.is_err() || heard.is_ok_and(|count| count == 0) {
            return begun.elapsed();
        }
        if begun.elapsed() > LET_GO {
            return begun.elapsed();
        }
    }
    unreachable!("a cycle has no end")
}

/// How long the slowest of many ordinary requests takes, until it is over.
fn others(network: &Client, left: &AtomicUsize) -> (usize, Duration) {
    let (mut asked, mut slowest) = (0, Duration::ZERO);
    while left.load(Ordering::Relaxed) > 0 {
        let begun = Instant::now();
        network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
        network.get("/affiliates/222").expect(200);
        slowest = slowest.max(begun.elapsed());
        asked += 2;
    }
    (asked, slowest)
}

#[test]
fn clients_who_say_nothing_or_little_are_let_go() {
    let idle = if is_full() { 10_000 } else { 500 }.min(files().saturating_sub(200));
    let server = Server::start_with(&["--rate-limit", "0"]);
    let network = server.network();
    let begun = Instant::now();
    let connect = || TcpStream::connect(server.address()).expect("the server listens");
    let some = || (0..idle / OPENERS).map(|_| connect()).collect::<Vec<_>>();
    let connections: Vec<TcpStream> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..OPENERS).map(|_| scope.spawn(some)).collect();
        threads.into_iter().flat_map(|it| it.join().expect("connections")).collect()
    });
    let opened = begun.elapsed();
    let slow = 20;
    let left = AtomicUsize::new(slow);
    let (asked, slowest) = std::thread::scope(|scope| {
        for _ in 0..slow {
            scope.spawn(|| {
                let took = drip(server.address());
                left.fetch_sub(1, Ordering::Relaxed);
                assert!(took < LET_GO, "the server listened for {took:?}");
            });
        }
        others(&network, &left)
    });
    for mut stream in connections {
        stream.set_read_timeout(Some(LET_GO)).expect("a timeout can be set");
        let heard = stream.read(&mut [0; 512]);
        let hung_up = heard.as_ref().map_or_else(
            |error| error.kind() == std::io::ErrorKind::ConnectionReset,
            |count| *count == 0,
        );
        assert!(hung_up, "{heard:?}");
    }
    let gone = begun.elapsed();
    eprintln!(
        "{idle} idle connections (opened in {opened:.1?}) and {slow} of a byte a second, all let go \
         after {gone:.1?}: meanwhile {asked} requests, two of them in {slowest:.1?} at most"
    );
    assert!(slowest < AT_ONCE, "others waited {slowest:?}");
    assert!(gone < opened + LET_GO, "let go after {gone:?}");
}

/// A request's head, and as much of its body as there is at once.
fn begin(server: &Server, kind: &str, length: usize, body: &str) -> TcpStream {
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

/// What comes until the server hangs up, while a byte is sent now and then; and how long that took.
fn answer_to(mut stream: TcpStream, byte: Option<u8>, within: Duration) -> (String, Duration) {
    let begun = Instant::now();
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout can be set");
    loop {
        // Whoever was answered may not be listened to any more.
        let _sent = byte.map(|byte| stream.write_all(&[byte]));
        let mut some = [0; 4096];
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&some[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(_) => {}
        }
        assert!(begun.elapsed() < within, "the server listened for {:?}", begun.elapsed());
    }
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

/// A body's time: the usual one in full, a short one else.
fn body_time() -> (Vec<String>, Duration) {
    let seconds: u64 = if is_full() { 30 } else { 2 };
    let mut arguments = vec!["--rate-limit".to_owned(), "0".to_owned()];
    if !is_full() {
        arguments.extend(["--body-time-limit".to_owned(), seconds.to_string()]);
    }
    (arguments, Duration::from_secs(seconds))
}

#[test]
fn bodies_that_stop_or_trickle_are_let_go() {
    let (arguments, time) = body_time();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start_with(&arguments);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let held = if is_full() { 1_000 } else { 100 }.min(files().saturating_sub(200));
    // What it keeps in memory anyway is there by then.
    for _ in 0..held {
        network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
        network.put("/affiliates/222", body::affiliate("Surf")).expect(200);
    }
    let before = server.memory();
    let late = time + Duration::from_secs(10);
    let begun = Instant::now();
    // Each has sent the most that a body may have, but for one byte.
    let most = "x".repeat((1 << 20) - 1);
    let stopped: Vec<TcpStream> = (0..held)
        .map(|at| {
            let sent = if at < 20 { most.as_str() } else { "{\"call\": {" };
            begin(&server, "application/json", 1 << 20, sent)
        })
        .collect();
    let mut peak = 0;
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| {
            let stream = begin(&server, "application/json", 1 << 20, "{");
            answer_to(stream, Some(b' '), late)
        });
        while begun.elapsed() < time / 2 {
            network.put("/affiliates/222", body::affiliate("Surf Oz")).expect(200);
            peak = peak.max(server.memory());
        }
        let (answer, took) = dripping.join().expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(took >= time - Duration::from_secs(1), "let go after {took:?}");
    });
    for stream in stopped {
        let (answer, _) = answer_to(stream, None, late);
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("RequestTimeout"),
            "{answer}"
        );
    }
    let (gone, more) = (begun.elapsed(), peak.saturating_sub(before) >> 20);
    eprintln!(
        "{held} bodies that stop, 20 of them after a MiB, and one of a byte a second: answered 408 after \
         {gone:.1?}; memory grew by {more} MiB meanwhile"
    );
    assert!(more < 100, "memory grew by {more} MiB");
}

#[test]
fn lines_that_came_are_stored_though_the_rest_trickles_or_stops() {
    let (arguments, time) = body_time();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start_with(&arguments);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let lines: String = (0..5)
        .map(|id| {
            let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
                "advertiser_campaign_id_from_network": "12"});
            format!("{}\n", json!({"call": call}))
        })
        .collect();
    let stream =
        begin(&server, "application/x-ndjson", lines.len() + 100, &format!("{lines}{{\"ca"));
    let (answer, _) = answer_to(stream, None, time + Duration::from_secs(10));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("\"status\":201").count(), 5, "{answer}");
    // What is not a line is said not to be one.
    assert_eq!(answer.matches("\"status\":400").count(), 1, "{answer}");
    let calls = network.extensions().get("/calls").body(200);
    assert_eq!(calls.as_array().expect("a list").len(), 5);
}
