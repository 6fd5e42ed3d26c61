//! SMTP server that records the mails that it receives.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Time limit for a mail to arrive.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// A running SMTP server.
#[derive(Debug)]
pub struct Mailbox {
    port: u16,
    mails: mpsc::Receiver<Mail>,
}

/// A received mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Sender of the envelope.
    pub from: String,
    /// Accepted recipients of the envelope.
    pub to: Vec<String>,
    /// Header lines.
    pub head: Vec<String>,
    /// Body lines, from the empty line after the header on.
    pub text: Vec<String>,
}

impl Mailbox {
    /// Starts a server. `reply` maps the index of each `RCPT`, from 0, to its reply, such as `250 ok`.
    pub fn start(reply: impl Fn(usize) -> &'static str + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("an address").port();
        let (send, mails) = mpsc::channel();
        let shared = Arc::new((reply, AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (shared, send) = (Arc::clone(&shared), send.clone());
                std::thread::spawn(move || {
                    let (reply, count) = &*shared;
                    let next = || reply(count.fetch_add(1, Ordering::SeqCst));
                    // The client may disconnect at any time.
                    serve_connection(&stream, next, |mail| {
                        // The test may have dropped the mailbox.
                        send.send(mail).ok();
                    })
                    .ok();
                });
            }
        });
        Self { port, mails }
    }

    /// URL of the server.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Waits for the next mail. Panics if none arrives in time.
    #[track_caller]
    pub fn expect_mail(&self) -> Mail {
        self.mails.recv_timeout(RECEIVE_TIMEOUT).expect("a mail arrives")
    }

    /// `true` if there is no unread mail.
    pub fn is_empty(&self) -> bool {
        matches!(self.mails.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

impl Mail {
    /// Values of a header, in order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let prefix = format!("{name}: ");
        self.head.iter().filter_map(|line| line.strip_prefix(&prefix)).collect()
    }
}

fn serve_connection(
    mut stream: &TcpStream,
    mut reply: impl FnMut() -> &'static str,
    mut record: impl FnMut(Mail),
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let mut from = String::new();
    let mut to = Vec::new();
    let address = |line: &str| {
        let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
    };
    stream.write_all(b"220 mail.example.com\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let response = match verb.as_str() {
            "EHLO" | "HELO" => "250-mail.example.com\r\n250 8BITMIME",
            "MAIL" => {
                from = address(&line);
                "250 ok"
            }
            "RCPT" => {
                let response = reply();
                if response.starts_with('2') {
                    to.push(address(&line));
                }
                response
            }
            "DATA" => {
                stream.write_all(b"354 continue\r\n")?;
                let mut all = Vec::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    all.push(line);
                }
                let end = all.iter().position(String::is_empty).unwrap_or(all.len());
                let text = all.split_off(end);
                let to = std::mem::take(&mut to);
                record(Mail { from: from.clone(), to, head: all, text });
                "250 accepted"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{response}\r\n").as_bytes())?;
    }
    Ok(())
}
