//! How a server starts, what it refuses to start with, and how it ends.

mod support;

use std::io::Write;
use std::net::TcpListener;
use support::{Answer, Place, Server};

#[test]
fn flags_win_over_environment_over_file() {
    let place = Place::new();
    let token = place.network();
    let file = "base_url = \"https://file.example.com\"\nrate_limit = 11\nbody_limit = 20\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(place.path("trunkline.toml"), file).unwrap();
    let ask = |server: &Server| {
        let made =
            server.ask("POST /api/2018-11-01/1/affiliates/1.json", &token, "{\"name\": \"A\"}");
        let limit = made.head.lines().find_map(|line| line.strip_prefix("ratelimit-limit: "));
        (made.json()["object_url"].as_str().unwrap().to_owned(), limit.unwrap().to_owned())
    };
    let of = |host: &str| format!("https://{host}.example.com/ps/1/dashboards/ui");
    let server = Server::start(place.command(&["serve"]));
    assert_eq!(ask(&server), (of("file"), "11".to_owned()));
    let long = "{\"name\": \"longer than 20 bytes\"}";
    assert_eq!(server.ask("POST /api/2018-11-01/1/affiliates/2.json", &token, long).status, 413);
    let mut command = place.command(&["serve"]);
    command.env("TRUNKLINE_BASE_URL", "https://env.example.com").env("TRUNKLINE_RATE_LIMIT", "12");
    assert_eq!(ask(&Server::start(command)), (of("env"), "12".to_owned()));
    let mut command = place.command(&["serve", "--base-url", "https://flag.example.com"]);
    command.env("TRUNKLINE_BASE_URL", "https://env.example.com").env("TRUNKLINE_RATE_LIMIT", "");
    command.env_remove("TRUNKLINE_RATE_LIMIT");
    assert_eq!(ask(&Server::start(command)), (of("flag"), "11".to_owned()));
    std::fs::write(place.path("other.toml"), "lisen = 1").unwrap();
    let (line, code) = place.failure(&["serve", "--config", "other.toml"]);
    assert!(line.starts_with("other.toml: unknown key 'lisen'"), "{line}");
    assert_eq!(code, 1);
}

#[test]
fn what_it_cannot_start_with_is_one_line() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (line, code) = place.failure(&["serve", "--listen", &address]);
    assert_eq!(
        (line, code),
        (format!("cannot listen on {address}: the port is in use by another program"), 1)
    );

    place.network();
    let newer = rusqlite::Connection::open(place.path("trunkline.db")).unwrap();
    newer.pragma_update(None, "user_version", 1_000).unwrap();
    drop(newer);
    let (line, code) = place.failure(&["serve"]);
    assert!(line.contains("has version 1000") && code == 1, "{line}");

    for (args, said) in [
        (
            ["--database", "sqlite:///none/such/x.db"],
            "cannot open the database '/none/such/x.db': ",
        ),
        (["--database", "mysql://x"], "cannot use the database 'mysql://x': "),
        (["--base-url", "x.example.com"], "the base URL 'x.example.com' cannot be used: "),
    ] {
        let (line, code) = place.failure(&["serve", args[0], args[1], "--listen", "127.0.0.1:0"]);
        assert!(line.starts_with(said) && code == 1, "{line}");
    }
    std::fs::write(place.path("bad.db"), "no database at all, but a text").unwrap();
    assert_eq!(place.failure(&["serve", "--database", "sqlite://bad.db"]).1, 1);
    std::fs::write(place.path("c.pem"), "no certificate").unwrap();
    let (line, code) = place.failure(&["serve", "--tls-cert", "c.pem", "--tls-key", "c.pem"]);
    assert_eq!((line.as_str(), code), ("the TLS certificate 'c.pem' has no certificate in it", 1));
    assert_eq!(place.failure(&["serve", "--tls-cert", "c.pem"]).1, 2);
    assert_eq!(place.failure(&["serve", "--log", "loud"]).1, 2);
}

#[test]
fn sigterm_finishes_what_is_under_way() {
    let place = Place::new();
    let token = place.network();
    let server = place.serve(&[]);
    assert_eq!(server.ask("GET /readyz", "", "").json()["status"], "ready");
    let body = "{\"name\": \"Slow\"}";
    let mut slow = server.connect();
    let head = format!(
        "POST /api/2018-11-01/1/affiliates/1.json HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // It asks for the body: the request is under way.
    let mut going = [0; 25];
    std::io::Read::read_exact(&mut slow, &mut going).unwrap();
    assert!(going.starts_with(b"HTTP/1.1 100"));
    let mut ready = server.connect();
    ready.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n").unwrap();
    // Another's answer tells that the connection made before has been accepted.
    assert_eq!(server.ask("GET /healthz", "", "").json()["status"], "ok");
    server.terminate();
    // It accepts no more: the port is free again before what is under way is done.
    let address = server.address.clone();
    while TcpListener::bind(&address).is_err() {
        std::thread::yield_now();
    }
    ready.write_all(b"\r\n").unwrap();
    let answer = Answer::read(&mut ready);
    assert_eq!((answer.status, answer.json()["status"].as_str()), (503, Some("draining")));
    slow.write_all(body.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut slow).status, 201);
    let (code, log) = server.end();
    assert_eq!(code, 0);
    assert!(log.contains("\"stopped\""), "{log}");
    let server = place.serve(&[]);
    assert_eq!(server.ask("GET /api/2018-11-01/1/affiliates/1.json", &token, "").status, 200);
}

#[test]
fn no_secret_is_logged() {
    let place = Place::new();
    let token = place.network();
    let server = place.serve(&["--log", "trace"]);
    let path = format!("/api/2018-11-01/1/affiliates.json?oauth_token={token}");
    assert_eq!(server.ask(&format!("GET {path}"), "", "").status, 200);
    assert_eq!(server.ask("GET /api/2018-11-01/1/network.json", &token, "").status, 200);
    let body = format!("{{\"oauth_token\": \"{token}\", \"name\": \"A\"}}");
    assert_eq!(server.ask("POST /api/2018-11-01/1/affiliates/1.json", "", &body).status, 201);
    server.ask("GET /ps/1/dashboards/ui?access_token=tl1_secret", "", "");
    server.ask("GET /api/2018-11-01/1/affiliates.json?oauth_token=tl_wrong", "", "");
    server.terminate();
    let (_, log) = server.end();
    assert!(
        log.contains("\"route\":\"/api/affiliates/{affiliate}\"") && log.contains("\"status\":201"),
        "{log}"
    );
    for secret in ["tl_", "tl1_", "oauth_token", "access_token="] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn metrics_count_by_route_and_status() {
    let place = Place::new();
    let token = place.network();
    let server = place.serve(&[]);
    server.ask("POST /api/2018-11-01/1/affiliates/1.json", &token, "{\"name\": \"A\"}");
    for path in ["/nowhere", "/elsewhere", "/api/2018-11-01/1/%zz"] {
        server.ask(&format!("GET {path}"), "", "");
    }
    let text = server.ask("GET /metrics", "", "").body;
    for line in [
        "trunkline_http_requests_total{method=\"POST\",route=\"/api/affiliates/{affiliate}\",status=\"201\"} 1",
        "trunkline_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "trunkline_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"400\"} 1",
        "trunkline_http_request_seconds_count{route=\"unmatched\"} 3",
        "trunkline_database_writes_total 1",
        "trunkline_database_commits_total 1",
        "trunkline_database_waits_seconds_count 1",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line} in {text}");
    }
}

#[test]
fn a_head_may_not_be_endless() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let headers = "x: y\r\n".repeat(200);
    stream.write_all(headers.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream).status, 431);
    let mut stream = server.connect();
    let _cut_off =
        stream.write_all(format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(200_000)).as_bytes());
    assert_eq!(Answer::read(&mut stream).status, 431);
}
