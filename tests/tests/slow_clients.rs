//! Clients that say little or nothing keep nobody else from being answered, and are let go.

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
