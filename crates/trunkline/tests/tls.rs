//! HTTPS, with a certificate made for the test.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use support::{Answer, Place};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[test]
fn a_server_with_a_certificate_speaks_https() {
    let place = Place::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(place.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(place.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let server = place.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
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
    assert_eq!(Answer::read(&mut stream).json()["status"], "ok");

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(place.path("other.pem"), other.signing_key.serialize_pem()).unwrap();
    let (line, code) =
        place.failure(&["serve", "--tls-cert", "cert.pem", "--tls-key", "other.pem"]);
    assert!(
        line.starts_with("the TLS certificate 'cert.pem' and key 'other.pem' cannot be used"),
        "{line}"
    );
    assert_eq!(code, 1);
}

/// A webhook is sent over TLS only to who can prove who they are.
#[test]
fn a_webhooks_certificate_is_verified() {
    let place = Place::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(place.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(place.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let receiver = place.serve(&[
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
        "--database",
        "sqlite://other.db",
    ]);
    let url = receiver.url.replace("127.0.0.1", "localhost");
    let token = place.network();
    let sending = ["--webhook-allow-private", "--sending-first-wait", "20"];
    // It takes no POST, but it has been reached: its certificate was found good.
    let trusting: Vec<&str> = sending.into_iter().chain(["--outgoing-ca", "cert.pem"]).collect();
    for (arguments, said) in [(sending.to_vec(), "certificate"), (trusting, "answered 405")] {
        let server = place.serve(&arguments);
        let post = |path: &str, body: &str| {
            let answer = server.ask(&format!("POST {path}"), &token, body);
            assert!(answer.status < 300, "{path}: {}", answer.body);
            answer.json()
        };
        let body = format!("{{\"url\": \"{url}/healthz\"}}");
        let webhook = post("/trunkline/v1/networks/1/webhooks", &body)["id"].to_string();
        let id = said.len();
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
        let told = loop {
            let found = server.ask(&deliveries, &token, "").body;
            if let Some((_, told)) = found.split_once("\"last_error\":\"") {
                break told.to_owned();
            }
        };
        assert!(told.split('"').next().unwrap().contains(said), "{told}");
        server.terminate();
        assert_eq!(server.end().0, 0);
    }
}
