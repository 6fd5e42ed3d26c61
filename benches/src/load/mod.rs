//! The client: so many connections, each asking again as soon as it is answered, on one thread. It is
//! on the machine that it measures, so it does as little as it can: requests are bytes, an answer is
//! read as far as its status and its end.

mod answer;
mod histogram;

use histogram::Histogram;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes the next request.
pub(crate) type Next<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

/// A load, and how long it lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    /// `host:port` of each server; the clients take turns.
    pub(crate) addresses: &'a [&'a str],
    /// Clients at once.
    pub(crate) connections: usize,
    /// What every answer has to be.
    pub(crate) status: u16,
    /// For so long nothing is counted.
    pub(crate) warm_up: Duration,
    /// For so long it is.
    pub(crate) window: Duration,
}

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carried {
    /// Answers, those before and after the window too.
    pub(crate) all: u64,
    /// Answers in the window.
    pub(crate) requests: u64,
    /// How long the window was.
    pub(crate) seconds: f64,
    /// What half of them took at the most (microseconds).
    pub(crate) p50: f64,
    /// What 99 of 100 took at the most (microseconds).
    pub(crate) p99: f64,
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
    asked: Instant,
    is_idle: bool,
}

impl Load<'_> {
    /// Runs it, until its time is over and something was answered. An answer with another status, or a connection that ends, is an error.
    pub(crate) fn run(&self, next: &mut Next<'_>) -> Result<Carried, Box<dyn Error>> {
        let mut poll = Poll::new()?;
        let mut connections = self.connect(&poll)?;
        let mut events = Events::with_capacity(self.connections);
        let begun = Instant::now();
        let (from, until) = (begun + self.warm_up, begun + self.warm_up + self.window);
        let (mut latencies, mut seconds) = (Histogram::new(), self.window.as_secs_f64());
        let (mut waiting, mut all) = (connections.len(), 0);
        for connection in &mut connections {
            connection.ask(begun, next)?;
        }
        while waiting > 0 {
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            if Instant::now() > until + PATIENCE {
                return Err(format!("{waiting} requests were never answered").into());
            }
            for event in &events {
                let Token(index) = event.token();
                let Some(connection) = connections.get_mut(index) else { continue };
                let Some(status) = connection.go_on(event)? else { continue };
                let now = Instant::now();
                if status != self.status {
                    return Err(connection.complaint(status).into());
                }
                all += 1;
                let is_over = now >= until && latencies.total() > 0;
                if now >= from && !is_over {
                    latencies.record(now - connection.asked);
                    seconds = seconds.max((now - from).as_secs_f64());
                }
                if !is_over {
                    connection.ask(now, next)?;
                } else {
                    connection.is_idle = true;
                    waiting -= 1;
                }
            }
        }
        Ok(Carried {
            all,
            requests: latencies.total(),
            seconds,
            p50: latencies.at(0.5),
            p99: latencies.at(0.99),
        })
    }

    fn connect(&self, poll: &Poll) -> Result<Vec<Connection>, Box<dyn Error>> {
        let mut connections = Vec::new();
        let addresses = self.addresses.iter().cycle();
        for (index, address) in addresses.take(self.connections).enumerate() {
            let address: SocketAddr = address.parse()?;
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            connections.push(Connection {
                stream,
                request: Vec::with_capacity(1024),
                sent: 0,
                answer: Vec::with_capacity(8192),
                asked: Instant::now(),
                is_idle: false,
            });
        }
        Ok(connections)
    }
}

impl Connection {
    fn ask(&mut self, now: Instant, next: &mut Next<'_>) -> Result<(), Box<dyn Error>> {
        self.request.clear();
        self.answer.clear();
        self.sent = 0;
        self.asked = now;
        next(&mut self.request);
        self.send()
    }

    fn send(&mut self) -> Result<(), Box<dyn Error>> {
        while let Some(rest) = self.request.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The status of the answer, when this event completed it. It is not read beyond that: the next
    /// answer's bytes are another event.
    fn go_on(&mut self, event: &Event) -> Result<Option<u16>, Box<dyn Error>> {
        if self.is_idle {
            return Ok(None);
        }
        if event.is_writable() {
            self.send()?;
        }
        while event.is_readable() {
            let held = self.answer.len();
            self.answer.resize(held + 4096, 0);
            let read = self.stream.read(self.answer.get_mut(held..).unwrap_or_default());
            self.answer.truncate(held + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Err("a connection was closed".into()),
                Ok(_) => {
                    let status = answer::complete(&self.answer)?;
                    if status.is_some() {
                        return Ok(status);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn complaint(&self, status: u16) -> String {
        let request = String::from_utf8_lossy(&self.request);
        let answer = String::from_utf8_lossy(&self.answer);
        format!("a request was answered {status}:\n{request}\n\n{answer}")
    }
}
