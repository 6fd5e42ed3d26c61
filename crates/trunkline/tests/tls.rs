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
