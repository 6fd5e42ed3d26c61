//! `trunkline serve`: configuration, startup errors, shutdown, logs, metrics and limits.

mod support;

use std::io::Write;
use std::net::TcpListener;
use support::{Response, Server, TestDir};

#[test]
fn flags_take_precedence_over_environment_and_file() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let file = "base_url = \"https://file.example.com\"\nrate_limit = 11\nbody_limit = 20\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(dir.path("trunkline.toml"), file).unwrap();
    let url_and_rate_limit = |server: &Server| {
        let created =
            server.request("POST /api/2018-11-01/1/affiliates/1.json", &token, "{\"name\": \"A\"}");
        let limit = created.head.lines().find_map(|line| line.strip_prefix("ratelimit-limit: "));
        (created.json()["object_url"].as_str().unwrap().to_owned(), limit.unwrap().to_owned())
    };
    let url = |host: &str| format!("https://{host}.example.com/ps/1/dashboards/ui");
    let server = Server::start(dir.command(&["serve"]));
    assert_eq!(url_and_rate_limit(&server), (url("file"), "11".to_owned()));
    let long = "{\"name\": \"longer than 20 bytes\"}";
    assert_eq!(
        server.request("POST /api/2018-11-01/1/affiliates/2.json", &token, long).status,
        413
    );
    let mut command = dir.command(&["serve"]);
    command.env("TRUNKLINE_BASE_URL", "https://env.example.com").env("TRUNKLINE_RATE_LIMIT", "12");
    assert_eq!(url_and_rate_limit(&Server::start(command)), (url("env"), "12".to_owned()));
    let mut command = dir.command(&["serve", "--base-url", "https://flag.example.com"]);
    command.env("TRUNKLINE_BASE_URL", "https://env.example.com").env("TRUNKLINE_RATE_LIMIT", "");
    command.env_remove("TRUNKLINE_RATE_LIMIT");
    assert_eq!(url_and_rate_limit(&Server::start(command)), (url("flag"), "11".to_owned()));
    std::fs::write(dir.path("other.toml"), "lisen = 1").unwrap();
    let (line, code) = dir.expect_failure(&["serve", "--config", "other.toml"]);
    assert!(line.starts_with("other.toml: unknown key 'lisen'"), "{line}");
    assert_eq!(code, 1);
}

#[test]
fn startup_errors_are_one_line() {
    let dir = TestDir::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (line, code) = dir.expect_failure(&["serve", "--listen", &address]);
    assert_eq!(
        (line, code),
        (format!("cannot listen on {address}: the port is in use by another program"), 1)
    );

    dir.create_network();
    let newer = rusqlite::Connection::open(dir.path("trunkline.db")).unwrap();
    newer.pragma_update(None, "user_version", 1_000).unwrap();
    drop(newer);
    let (line, code) = dir.expect_failure(&["serve"]);
    assert!(line.contains("has version 1000") && code == 1, "{line}");

    for (args, message) in [
        (
            ["--database", "sqlite:///none/such/x.db"],
            "cannot open the database '/none/such/x.db': ",
        ),
        (["--database", "mysql://x"], "cannot use the database 'mysql://x': "),
        (["--base-url", "x.example.com"], "the base URL 'x.example.com' cannot be used: "),
    ] {
        let (line, code) =
            dir.expect_failure(&["serve", args[0], args[1], "--listen", "127.0.0.1:0"]);
        assert!(line.starts_with(message) && code == 1, "{line}");
    }
    std::fs::write(dir.path("bad.db"), "no database at all, but a text").unwrap();
    assert_eq!(dir.expect_failure(&["serve", "--database", "sqlite://bad.db"]).1, 1);
    std::fs::write(dir.path("c.pem"), "no certificate").unwrap();
    let (line, code) = dir.expect_failure(&["serve", "--tls-cert", "c.pem", "--tls-key", "c.pem"]);
    assert_eq!((line.as_str(), code), ("the TLS certificate 'c.pem' has no certificate in it", 1));
    assert_eq!(dir.expect_failure(&["serve", "--tls-cert", "c.pem"]).1, 2);
    assert_eq!(dir.expect_failure(&["serve", "--log", "loud"]).1, 2);
}

#[test]
fn sigterm_finishes_the_requests_in_progress() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let server = dir.serve(&[]);
    assert_eq!(server.request("GET /readyz", "", "").json()["status"], "ready");
    let body = "{\"name\": \"Slow\"}";
    let mut slow = server.connect();
    let head = format!(
        "POST /api/2018-11-01/1/affiliates/1.json HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request is in progress.
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut slow, &mut interim).unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"));
    let mut ready = server.connect();
    ready.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n").unwrap();
    // Connections are accepted in order: a response on a later one proves that `ready` was accepted.
    assert_eq!(server.request("GET /healthz", "", "").json()["status"], "ok");
    server.terminate();
    // The listener is closed, and its port free, while the requests are still in progress.
    let address = server.address.clone();
    while TcpListener::bind(&address).is_err() {
        std::thread::yield_now();
    }
    ready.write_all(b"\r\n").unwrap();
    let response = Response::read(&mut ready);
    assert_eq!((response.status, response.json()["status"].as_str()), (503, Some("draining")));
    slow.write_all(body.as_bytes()).unwrap();
    assert_eq!(Response::read(&mut slow).status, 201);
    let (code, log) = server.wait();
    assert_eq!(code, 0);
    assert!(log.contains("\"stopped\""), "{log}");
    let server = dir.serve(&[]);
    assert_eq!(server.request("GET /api/2018-11-01/1/affiliates/1.json", &token, "").status, 200);
}

#[test]
fn secrets_are_not_logged() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let server = dir.serve(&["--log", "trace"]);
    let path = format!("/api/2018-11-01/1/affiliates.json?oauth_token={token}");
    assert_eq!(server.request(&format!("GET {path}"), "", "").status, 200);
    assert_eq!(server.request("GET /api/2018-11-01/1/network.json", &token, "").status, 200);
    let body = format!("{{\"oauth_token\": \"{token}\", \"name\": \"A\"}}");
    assert_eq!(server.request("POST /api/2018-11-01/1/affiliates/1.json", "", &body).status, 201);
    server.request("GET /ps/1/dashboards/ui?access_token=tl1_secret", "", "");
    server.request("GET /api/2018-11-01/1/affiliates.json?oauth_token=tl_wrong", "", "");
    server.terminate();
    let (_, log) = server.wait();
    assert!(
        log.contains("\"route\":\"/api/affiliates/{affiliate}\"") && log.contains("\"status\":201"),
        "{log}"
    );
    for secret in ["tl_", "tl1_", "oauth_token", "access_token="] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn metrics_count_requests_by_route_and_status() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let server = dir.serve(&["--metrics-listen", "127.0.0.1:0"]);
    server.request("POST /api/2018-11-01/1/affiliates/1.json", &token, "{\"name\": \"A\"}");
    for path in ["/nowhere", "/elsewhere", "/api/2018-11-01/1/%zz"] {
        server.request(&format!("GET {path}"), "", "");
    }
    let text = server.request("GET /metrics", "", "").body;
    for line in [
        "trunkline_http_requests_total{method=\"POST\",route=\"/api/affiliates/{affiliate}\",status=\"201\"} 1",
        "trunkline_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "trunkline_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"400\"} 1",
        "trunkline_http_request_seconds_count{route=\"unmatched\"} 3",
        "trunkline_database_writes_total 1",
        "trunkline_database_commits_total 1",
        "trunkline_database_waits_seconds_count 1",
    ] {
        assert!(text.lines().any(|other| other == line), "no {line} in {text}");
    }
}

#[test]
fn request_head_is_limited_in_headers_and_bytes() {
    let dir = TestDir::new();
    let server = dir.serve(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let headers = "x: y\r\n".repeat(200);
    stream.write_all(headers.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    assert_eq!(Response::read(&mut stream).status, 431);
    let mut stream = server.connect();
    let head = format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(200_000));
    // The server may close the connection before it has read everything.
    stream.write_all(head.as_bytes()).ok();
    assert_eq!(Response::read(&mut stream).status, 431);
}
