//! TLS of the server and of webhooks, with self-signed certificates.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use support::{Response, TestDir};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[test]
fn server_with_a_certificate_serves_https() {
    let dir = TestDir::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let server = dir.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    assert!(server.url.starts_with("https://"), "{}", server.url);

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(&server.address).unwrap());
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(Response::read(&mut stream).json()["status"], "ok");

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path("other.pem"), other.signing_key.serialize_pem()).unwrap();
    let (line, code) =
        dir.expect_failure(&["serve", "--tls-cert", "cert.pem", "--tls-key", "other.pem"]);
    assert!(
        line.starts_with("the TLS certificate 'cert.pem' and key 'other.pem' cannot be used"),
        "{line}"
    );
    assert_eq!(code, 1);
}

#[test]
fn certificate_of_a_webhook_receiver_is_verified() {
    let dir = TestDir::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let receiver = dir.serve(&[
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
        "--database",
        "sqlite://other.db",
    ]);
    let url = receiver.url.replace("127.0.0.1", "localhost");
    let token = dir.create_network();
    let sending = ["--webhook-allow-private", "--sending-first-wait", "20"];
    // The receiver rejects POST with 405; reaching it proves that its certificate was accepted.
    let trusting: Vec<&str> = sending.into_iter().chain(["--outgoing-ca", "cert.pem"]).collect();
    for (arguments, error) in [(sending.to_vec(), "certificate"), (trusting, "answered 405")] {
        let server = dir.serve(&arguments);
        let post = |path: &str, body: &str| {
            let answer = server.request(&format!("POST {path}"), &token, body);
            assert!(answer.status < 300, "{path}: {}", answer.body);
            answer.json()
        };
        let body = format!("{{\"url\": \"{url}/healthz\"}}");
        let webhook = post("/trunkline/v1/networks/1/webhooks", &body)["id"].to_string();
        let id = error.len();
        post("/api/2018-11-01/1/advertisers/1", "{\"name\": \"A\"}");
        let campaign = format!("/api/2018-11-01/1/advertisers/1/advertiser_campaigns/{id}");
        let flow = "{\"root\": {\"node_type\": \"EndCall\"}}";
        post(
            &campaign,
            &format!(
                "{{\"name\": \"C\", \"campaign_type\": \"DirectOnly\", \"ivr_tree\": {flow}}}"
            ),
        );
        post(&format!("{campaign}/go_live"), "{}");
        let deliveries = format!("GET /trunkline/v1/networks/1/webhooks/{webhook}/deliveries");
        let last_error = loop {
            let body = server.request(&deliveries, &token, "").body;
            if let Some((_, rest)) = body.split_once("\"last_error\":\"") {
                break rest.split('"').next().unwrap().to_owned();
            }
        };
        assert!(last_error.contains(error), "{last_error}");
        server.terminate();
        assert_eq!(server.wait().0, 0);
    }
}
