//! Load generator: one thread with many connections, each of which sends its next request when it has
//! received a response. It shares the machine with the server, so it does little work: requests are
//! prepared bytes, and responses are parsed for their status and end only.

mod histogram;
mod response;

use histogram::Histogram;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Longest time to wait for the last responses.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Function that writes the next request into a buffer.
pub(crate) type RequestWriter<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

/// Load: connections and duration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    /// `host:port` of each server; connections are distributed evenly.
    pub(crate) addresses: &'a [&'a str],
    /// Concurrent connections.
    pub(crate) connections: usize,
    /// Expected status of every response.
    pub(crate) status: u16,
    /// Time before the measurement.
    pub(crate) warm_up: Duration,
    /// Measured time.
    pub(crate) window: Duration,
}

/// Result of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadResult {
    /// Responses, including those outside the measured time.
    pub(crate) total_responses: u64,
    /// Responses in the measured time.
    pub(crate) measured_responses: u64,
    /// Measured time.
    pub(crate) seconds: f64,
    /// Median latency (microseconds).
    pub(crate) p50: f64,
    /// 99th percentile of the latency (microseconds).
    pub(crate) p99: f64,
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    response: Vec<u8>,
    sent_at: Instant,
    is_idle: bool,
}

impl Load<'_> {
    /// Runs the load for its time, and until at least one response was measured. Errors: a response with
    /// another status, a closed connection, a response that does not arrive.
    pub(crate) fn run(&self, next: &mut RequestWriter<'_>) -> Result<LoadResult, Box<dyn Error>> {
        let mut poll = Poll::new()?;
        let mut connections = self.connect(&poll)?;
        let mut events = Events::with_capacity(self.connections);
        let started = Instant::now();
        let from = started + self.warm_up;
        let until = from + self.window;
        let mut latencies = Histogram::new();
        let mut seconds = self.window.as_secs_f64();
        let mut waiting = connections.len();
        let mut total_responses = 0;
        for connection in &mut connections {
            connection.start_request(started, next)?;
        }
        while waiting > 0 {
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            if Instant::now() > until + RESPONSE_TIMEOUT {
                return Err(format!("{waiting} requests got no response").into());
            }
            for event in &events {
                let Token(index) = event.token();
                let Some(connection) = connections.get_mut(index) else { continue };
                let Some(status) = connection.handle_event(event)? else { continue };
                let now = Instant::now();
                if status != self.status {
                    return Err(connection.unexpected_status(status).into());
                }
                total_responses += 1;
                let is_over = now >= until && latencies.total() > 0;
                if now >= from && !is_over {
                    latencies.record(now - connection.sent_at);
                    seconds = seconds.max((now - from).as_secs_f64());
                }
                if !is_over {
                    connection.start_request(now, next)?;
                } else {
                    connection.is_idle = true;
                    waiting -= 1;
                }
            }
        }
        Ok(LoadResult {
            total_responses,
            measured_responses: latencies.total(),
            seconds,
            p50: latencies.quantile(0.5),
            p99: latencies.quantile(0.99),
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
                response: Vec::with_capacity(8192),
                sent_at: Instant::now(),
                is_idle: false,
            });
        }
        Ok(connections)
    }
}

impl Connection {
    /// Writes the next request and begins to send it.
    fn start_request(
        &mut self,
        now: Instant,
        next: &mut RequestWriter<'_>,
    ) -> Result<(), Box<dyn Error>> {
        self.request.clear();
        self.response.clear();
        self.sent = 0;
        self.sent_at = now;
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

    /// Sends and receives after an event; returns the status of a response that is complete now. Nothing
    /// is read beyond a complete response, because the next request is not sent yet.
    fn handle_event(&mut self, event: &Event) -> Result<Option<u16>, Box<dyn Error>> {
        if self.is_idle {
            return Ok(None);
        }
        if event.is_writable() {
            self.send()?;
        }
        while event.is_readable() {
            let length = self.response.len();
            self.response.resize(length + 4096, 0);
            let read = self.stream.read(self.response.get_mut(length..).unwrap_or_default());
            self.response.truncate(length + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Err("a connection was closed".into()),
                Ok(_) => {
                    let status = response::complete_status(&self.response)?;
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

    fn unexpected_status(&self, status: u16) -> String {
        let request = String::from_utf8_lossy(&self.request);
        let response = String::from_utf8_lossy(&self.response);
        format!("unexpected status {status} of a request:\n{request}\n\n{response}")
    }
}
