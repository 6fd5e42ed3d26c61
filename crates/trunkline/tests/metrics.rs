//! Access to `/metrics`.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use support::{Response, Server, TestDir};

const TOKEN: &str = "0123456789abcdef";

/// Requests a path from an address, with a bearer token if it is not empty.
fn get(address: &str, path: &str, token: &str) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    let authorization = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    Response::read(&mut stream)
}

fn status(server: &Server, token: &str) -> u16 {
    get(&server.address, "/metrics", token).status
}

/// Address of the metrics listener, from the log.
fn metrics_address(server: &Server) -> String {
    let (_, rest) = server.startup_log.split_once("serving metrics on http://").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

#[test]
fn metrics_are_not_served_by_default() {
    let server = TestDir::new().serve(&[]);
    assert_eq!(status(&server, ""), 404);
    assert_eq!(get(&server.address, "/healthz", "").status, 200);
}

#[test]
fn metrics_token_protects_the_main_listener() {
    let dir = TestDir::new();
    let server = dir.serve(&["--metrics-token", TOKEN]);
    assert_eq!(status(&server, TOKEN), 200);
    let rejected = get(&server.address, "/metrics", "");
    assert_eq!(rejected.status, 401);
    assert!(rejected.head.contains("www-authenticate: Bearer"), "{}", rejected.head);
    assert!(!rejected.body.contains("trunkline_"), "{}", rejected.body);
    for wrong in ["0123456789abcdeF", "0123456789abcde", "0123456789abcdef0"] {
        assert_eq!(status(&server, wrong), 401, "{wrong}");
    }
    let (line, code) = dir.expect_failure(&["serve", "--metrics-token", "short"]);
    assert_eq!(
        (line.as_str(), code),
        ("the metrics token is too short: it needs 16 characters", 2)
    );
}

#[test]
fn metrics_listener_serves_metrics_and_the_main_listener_does_not() {
    let dir = TestDir::new();
    let server = dir.serve(&["--metrics-listen", "127.0.0.2:0"]);
    let address = metrics_address(&server);
    assert_eq!(status(&server, ""), 404);
    let metrics = get(&address, "/metrics", "");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("trunkline_database_writes_total 0"), "{}", metrics.body);
    assert_eq!(get(&address, "/readyz", "").status, 200);
    assert_eq!(get(&address, "/", "").status, 404);
    drop(server);
    let server = dir.serve(&["--metrics-listen", "127.0.0.2:0", "--metrics-token", TOKEN]);
    let address = metrics_address(&server);
    assert_eq!(status(&server, TOKEN), 404);
    assert_eq!(get(&address, "/metrics", "").status, 401);
    assert_eq!(get(&address, "/metrics", TOKEN).status, 200);
}

#[test]
fn metrics_listen_address_of_the_main_listener_serves_them_there() {
    let server = TestDir::new().serve(&["--metrics-listen", "127.0.0.1:0"]);
    assert_eq!(status(&server, ""), 200);
}

#[test]
fn unknown_area_codes_are_counted_and_can_be_added() {
    let dir = TestDir::new();
    for (content, message) in [
        ("836,US,TX\n837,US,ZZ\n", "codes.csv:2: 'ZZ' is not a state or province of United States"),
        ("36,US,TX\n", "codes.csv:1: '36' is not an area code (200 to 999)"),
    ] {
        std::fs::write(dir.path("codes.csv"), content).unwrap();
        let (line, code) = dir.expect_failure(&["serve", "--area-codes", "codes.csv"]);
        assert_eq!((line.as_str(), code), (message, 2));
    }
    let (line, code) = dir.expect_failure(&["serve", "--area-codes", "none.csv"]);
    assert!(line.starts_with("cannot read the area codes in none.csv") && code == 1, "{line}");
    std::fs::write(dir.path("codes.csv"), "# new\n836,US,TX\n").unwrap();
    let token = dir.create_network();
    let server = dir.serve(&["--area-codes", "codes.csv", "--metrics-token", TOKEN]);
    assert!(server.startup_log.contains("1 area codes were added"), "{}", server.startup_log);
    let campaign = "/api/2022-08-01/1/advertisers/1/advertiser_campaigns/12.json";
    for (path, body) in [
        ("/api/2022-08-01/1/advertisers/1.json", r#"{"name":"A"}"#),
        (campaign, r#"{"name":"C","campaign_type":"DirectOnly"}"#),
    ] {
        assert_eq!(server.request(&format!("PUT {path}"), &token, body).status, 200);
    }
    // The campaign is not live, so the calls are turned away; they count all the same.
    for area_code in ["836", "974", "974", "212"] {
        let body = format!(
            r#"{{"advertiser_campaign":"12","calling_phone_number":"+1{area_code}5550123"}}"#
        );
        let response = server.request("POST /trunkline/v1/networks/1/calls", &token, &body);
        assert_eq!(response.status, 201, "{}", response.body);
    }
    let metrics = get(&server.address, "/metrics", TOKEN).body;
    let counts = metrics.lines().filter(|line| line.contains("area_code="));
    let counts: Vec<&str> = counts.collect();
    assert_eq!(counts, [r#"trunkline_unknown_area_codes_total{area_code="974"} 2"#]);
}
