//! A mail server that keeps what it is sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How long a mail may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail server that listens.
#[derive(Debug)]
pub struct Mailbox {
    port: u16,
    mails: mpsc::Receiver<Mail>,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who sent it, by the envelope.
    pub from: String,
    /// Whom it is for, by the envelope.
    pub to: Vec<String>,
    /// The lines of its head.
    pub head: Vec<String>,
    /// The lines of its text.
    pub text: Vec<String>,
}

impl Mailbox {
    /// Starts one; `reply` is what each recipient is answered (`250 ok`), by their number, from 0.
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
                    // The sender may hang up whenever it likes.
                    let _ended = converse(&stream, next, |mail| {
                        let _story_over = send.send(mail);
                    });
                });
            }
        });
        Self { port, mails }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The next mail, which must come.
    #[track_caller]
    pub fn gets(&self) -> Mail {
        self.mails.recv_timeout(PATIENCE).expect("a mail comes")
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_empty(&self) -> bool {
        matches!(self.mails.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

impl Mail {
    /// The values of a header, in order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let prefix = format!("{name}: ");
        self.head.iter().filter_map(|line| line.strip_prefix(&prefix)).collect()
    }
}

fn converse(
    mut stream: &TcpStream,
    mut reply: impl FnMut() -> &'static str,
    mut keep: impl FnMut(Mail),
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let (mut from, mut to) = (String::new(), Vec::new());
    let address = |line: &str| {
        let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
    };
    stream.write_all(b"220 mail.example.com\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250-mail.example.com\r\n250 8BITMIME",
            "MAIL" => {
                from = address(&line);
                "250 ok"
            }
            "RCPT" => {
                let answer = reply();
                if answer.starts_with('2') {
                    to.push(address(&line));
                }
                answer
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mut all = Vec::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    all.push(line);
                }
                let end = all.iter().position(String::is_empty).unwrap_or(all.len());
                let text = all.split_off(end);
                let to = std::mem::take(&mut to);
                keep(Mail { from: from.clone(), to, head: all, text });
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
