//! Client of the server-sent event stream.

use crate::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Time limit for an event to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// An open event stream.
#[derive(Debug)]
pub struct EventStream {
    reader: BufReader<TcpStream>,
    /// Received text that is not a whole event yet.
    buffer: String,
}

/// A received event.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    /// Field `id`, for `Last-Event-ID`.
    pub id: String,
    /// Field `event`.
    pub kind: String,
    /// Field `data`, the envelope.
    pub body: Value,
}

impl Client {
    /// Opens a stream. `query` is empty or begins with a question mark. Returns once the server has
    /// subscribed the stream to new events.
    #[track_caller]
    pub fn open_event_stream(&self, query: &str, headers: &[(&str, &str)]) -> EventStream {
        let request = self.extensions().request("GET", &format!("/events{query}"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let mut stream = TcpStream::connect(self.address()).expect("the server listens");
        stream.set_read_timeout(Some(READ_TIMEOUT)).expect("a timeout can be set");
        stream.write_all(&request.to_bytes()).expect("the server reads");
        let mut stream = EventStream { reader: BufReader::new(stream), buffer: String::new() };
        let status = stream.read_line();
        assert!(status.starts_with("HTTP/1.1 200"), "the status line is {status}");
        while !stream.read_line().is_empty() {}
        let greeting = stream.read_block().expect("a greeting");
        assert!(greeting.starts_with("retry:"), "the first block is {greeting}");
        stream
    }
}

impl EventStream {
    /// Next event. `None` at the end of the stream.
    #[track_caller]
    pub fn next_event(&mut self) -> Option<StreamEvent> {
        loop {
            let block = self.read_block()?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(id), Some(kind), Some(data)) =
                (field("id: "), field("event: "), field("data: "))
            {
                let body = serde_json::from_str(data).expect("an envelope of JSON");
                return Some(StreamEvent { id: id.to_owned(), kind: kind.to_owned(), body });
            }
            assert!(block.starts_with(':'), "neither an event nor a comment: {block}");
        }
    }

    /// Next event. Panics at the end of the stream.
    #[track_caller]
    pub fn expect_event(&mut self) -> StreamEvent {
        self.next_event().expect("the stream has another event")
    }

    /// Text up to the next blank line.
    fn read_block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                return Some(block);
            }
            let size = usize::from_str_radix(&self.read_line(), 16).unwrap_or(0);
            if size == 0 {
                return None;
            }
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).expect("a complete chunk");
            chunk.truncate(size);
            self.buffer.push_str(&String::from_utf8(chunk).expect("events are UTF-8"));
        }
    }

    /// Line of the HTTP response. Empty at the end of the connection.
    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the server sends a line or closes the connection");
        line.trim_end().to_owned()
    }
}
