//! Heads of requests and of responses: `Host`, sizes, and headers that protect browsers.

use serde_json::json;
use trunkline_tests::{Response, Server, body, send_raw};

fn send(server: &Server, head: &str) -> Response {
    let bytes = format!("{head}Connection: close\r\n\r\n");
    send_raw(server.address(), bytes.as_bytes()).expect("a response")
}

#[test]
fn request_needs_exactly_one_host() {
    let server = Server::start();
    for path in ["/healthz", "/login", "/api/2018-11-01/1/affiliates"] {
        let line = format!("GET {path} HTTP/1.1\r\n");
        let valid = send(&server, &format!("{line}Host: x\r\n")).status;
        assert!([200, 401].contains(&valid), "{path}: {valid}");
        for hosts in ["", "Host: x\r\nHost: x\r\n", "Host: x\r\nhost: y\r\n"] {
            let response = send(&server, &format!("{line}{hosts}"));
            response.assert_error(400, "BadRequest");
            assert!(response.header("x-request-id").is_some());
        }
        assert_eq!(send(&server, &format!("GET {path} HTTP/1.0\r\n")).status, valid);
    }
}

#[test]
fn head_of_more_than_64_kib_is_431() {
    let server = Server::start();
    let head_of = |bytes: usize| {
        let start = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Filler: ";
        let end = "\r\nConnection: close\r\n\r\n";
        format!("{start}{}\r\n", "x".repeat(bytes - start.len() - end.len()))
    };
    assert_eq!(send(&server, &head_of(64 * 1024)).status, 200);
    for bytes in [64 * 1024 + 1, 80 * 1024, 120 * 1024] {
        assert_eq!(send(&server, &head_of(bytes)).status, 431, "{bytes}");
    }
}

#[test]
fn https_server_protects_its_cookie_and_asks_for_https() {
    let server = Server::builder().arguments(&["--base-url", "https://calls.example.com"]).start();
    let network = server.network();
    network.put("/network", json!({"users": [body::user("7")]})).expect(200);
    let response = network.get("/affiliates").expect(200);
    assert_eq!(response.header("strict-transport-security"), Some("max-age=31536000"));
    let cookie = server.sign_in("user7@example.com");
    let secret = cookie.strip_prefix("__Host-trunkline_session=").expect("the name of https");
    let status = |cookie: &str| {
        server.anon().request("GET", "/network").header("Cookie", cookie).send().status
    };
    assert_eq!(status(&cookie), 200);
    // Another host of the domain could set a cookie of this name.
    assert_eq!(status(&format!("trunkline_session={secret}")), 401);
    let plain = Server::start();
    assert_eq!(plain.anon().get("/affiliates").header("strict-transport-security"), None);
}
