//! HTTP server that receives webhook deliveries and replies as the test says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Time limit for a delivery to arrive.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// Reply of a receiver to a delivery.
#[derive(Debug, Clone)]
pub enum WebhookReply {
    /// Status without a body.
    Status(u16),
    /// Redirect to a URL.
    Redirect(String),
    /// No response; the connection stays open.
    Hang,
}

/// A running receiver on 127.0.0.1.
#[derive(Debug)]
pub struct WebhookReceiver {
    port: u16,
    deliveries: mpsc::Receiver<Delivery>,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Path of the request.
    pub target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl WebhookReceiver {
    /// Starts a receiver. `reply` maps the index of each request, from 0, to its reply.
    pub fn start(reply: impl Fn(usize) -> WebhookReply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("an address").port();
        let (send, deliveries) = mpsc::channel();
        let count = AtomicUsize::new(0);
        let open_connections = Mutex::new(Vec::new());
        let shared = Arc::new((reply, count, open_connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (shared, send) = (Arc::clone(&shared), send.clone());
                std::thread::spawn(move || {
                    let (reply, count, open_connections) = &*shared;
                    let Some(delivery) = read_request(&stream) else { return };
                    let reply = reply(count.fetch_add(1, Ordering::SeqCst));
                    // The test sees the delivery before the server gets the reply. The test may have
                    // dropped the receiver.
                    send.send(delivery).ok();
                    match reply {
                        WebhookReply::Hang => {
                            open_connections.lock().expect("no one panics").push(stream)
                        }
                        WebhookReply::Status(status) => {
                            write_response(stream, &format!("{status} x\r\n"))
                        }
                        WebhookReply::Redirect(to) => {
                            write_response(stream, &format!("302 x\r\nLocation: {to}\r\n"))
                        }
                    }
                });
            }
        });
        Self { port, deliveries }
    }

    /// Starts a receiver that replies 204 to every request.
    pub fn accepting_all() -> Self {
        Self::start(|_| WebhookReply::Status(204))
    }

    /// URL of the receiver.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Port of the receiver.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the next delivery. Panics if none arrives in time.
    #[track_caller]
    pub fn expect_delivery(&self) -> Delivery {
        self.deliveries.recv_timeout(DELIVERY_TIMEOUT).expect("a delivery arrives")
    }

    /// Takes the unread deliveries.
    pub fn drain_deliveries(&self) -> Vec<Delivery> {
        self.deliveries.try_iter().collect()
    }

    /// `true` if there is no unread delivery.
    pub fn is_empty(&self) -> bool {
        matches!(self.deliveries.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

fn read_request(stream: &TcpStream) -> Option<Delivery> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    let target = line()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Delivery { target, headers, body: String::from_utf8(body).ok()? })
}

fn write_response(mut stream: TcpStream, head: &str) {
    let text = format!("HTTP/1.1 {head}Content-Length: 0\r\n\r\n");
    // The sender may have closed the connection.
    stream.write_all(text.as_bytes()).ok();
}

impl Delivery {
    /// Value of a header. Panics if it is missing.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(existing, _)| existing == name);
        &header.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    /// Body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// Verifies the signature by the Standard Webhooks scheme. Returns the message id.
    #[track_caller]
    pub fn verify(&self, secret: &str) -> String {
        assert!(self.is_signed_with(secret), "{self:?}");
        self.header("webhook-id").to_owned()
    }

    /// Returns true if one of the delivery's signatures is by a secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = format!("{id}.{timestamp}.{}", self.body);
        self.header("webhook-signature").split(' ').any(|signature| {
            let signature = signature.strip_prefix("v1,").expect("version 1");
            let signature = STANDARD.decode(signature).expect("base64");
            ring::hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
        })
    }
}
