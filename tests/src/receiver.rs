//! A webhook's receiver: a real HTTP server that does with each request what a story says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// How long a delivery may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It answers with a status, and nothing else.
    Status(u16),
    /// It answers with a redirect.
    Redirect(String),
    /// It answers nothing, and keeps the connection.
    Hang,
}

/// A receiver that listens, on every address of this machine that is loopback.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    heard: mpsc::Receiver<Delivered>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The request's path.
    pub target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Receiver {
    /// Starts one; `reply` is asked with each request's number, from 0.
    pub fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("an address").port();
        let (send, heard) = mpsc::channel();
        let (count, held) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let shared = Arc::new((reply, count, held));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (shared, send) = (Arc::clone(&shared), send.clone());
                std::thread::spawn(move || {
                    let (reply, count, held) = &*shared;
                    let Some(delivered) = read(&stream) else { return };
                    let reply = reply(count.fetch_add(1, Ordering::SeqCst));
                    // It is told before it is answered: what a story hears of has not been settled.
                    let _story_over = send.send(delivered);
                    match reply {
                        Reply::Hang => held.lock().expect("no one panics").push(stream),
                        Reply::Status(status) => answer(stream, &format!("{status} x\r\n")),
                        Reply::Redirect(to) => {
                            answer(stream, &format!("302 x\r\nLocation: {to}\r\n"))
                        }
                    }
                });
            }
        });
        Self { port, heard }
    }

    /// A receiver that takes everything.
    pub fn taking() -> Self {
        Self::start(|_| Reply::Status(204))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next request, which must come.
    #[track_caller]
    pub fn hears(&self) -> Delivered {
        self.heard.recv_timeout(PATIENCE).expect("a delivery comes")
    }

    /// What has come that was not heard of yet.
    pub fn heard(&self) -> Vec<Delivered> {
        self.heard.try_iter().collect()
    }

    /// Whether nothing has come that was not heard of yet.
    pub fn heard_nothing(&self) -> bool {
        matches!(self.heard.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

fn read(stream: &TcpStream) -> Option<Delivered> {
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
    Some(Delivered { target, headers, body: String::from_utf8(body).ok()? })
}

fn answer(mut stream: TcpStream, head: &str) {
    let text = format!("HTTP/1.1 {head}Content-Length: 0\r\n\r\n");
    // The sender may have given up.
    let _gone = stream.write_all(text.as_bytes());
}

impl Delivered {
    /// A header; every one that a delivery has is asked for by a story.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    /// What was sent.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// Verifies it as the Standard Webhooks scheme has it, and returns its id.
    #[track_caller]
    pub fn verified(&self, secret: &str) -> String {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signature = self.header("webhook-signature").strip_prefix("v1,").expect("version 1");
        let signature = STANDARD.decode(signature).expect("base64");
        let signed = format!("{id}.{at}.{}", self.body);
        assert!(ring::hmac::verify(&key, signed.as_bytes(), &signature).is_ok(), "{self:?}");
        id.to_owned()
    }
}
