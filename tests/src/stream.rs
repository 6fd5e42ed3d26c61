//! Server-sent events, as a client hears them.

use crate::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long anything may take to be told.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stream of events that is open.
#[derive(Debug)]
pub struct Stream {
    reader: BufReader<TcpStream>,
    /// What was received and is no whole event yet.
    text: String,
}

/// An event that was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// `id:`, for `Last-Event-ID`.
    pub id: String,
    /// `event:`.
    pub kind: String,
    /// `data:`, the envelope.
    pub body: Value,
}

impl Client {
    /// Opens a stream; `query` begins with a question mark, or is empty. Returns when the server
    /// listens for what is new.
    #[track_caller]
    pub fn listen(&self, query: &str, headers: &[(&str, &str)]) -> Stream {
        let request = self.extensions().request("GET", &format!("/events{query}"));
        let request = headers.iter().fold(request, |it, (name, value)| it.header(name, value));
        let mut stream = TcpStream::connect(self.address()).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.write_all(&request.to_bytes()).expect("the server reads");
        let mut stream = Stream { reader: BufReader::new(stream), text: String::new() };
        let status = stream.line();
        assert!(status.starts_with("HTTP/1.1 200"), "the answer was {status}");
        while !stream.line().is_empty() {}
        let greeting = stream.block().expect("a greeting");
        assert!(greeting.starts_with("retry:"), "the greeting was {greeting}");
        stream
    }
}

impl Stream {
    /// The next event; `None` when the stream has ended.
    #[track_caller]
    pub fn next_event(&mut self) -> Option<Told> {
        loop {
            let block = self.block()?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(id), Some(kind), Some(data)) =
                (field("id: "), field("event: "), field("data: "))
            {
                let body = serde_json::from_str(data).expect("an envelope of JSON");
                return Some(Told { id: id.to_owned(), kind: kind.to_owned(), body });
            }
            assert!(block.starts_with(':'), "neither an event nor a comment: {block}");
        }
    }

    /// The next event, which there must be.
    #[track_caller]
    pub fn hears(&mut self) -> Told {
        self.next_event().expect("the stream goes on")
    }

    /// What stands before the next blank line.
    fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let size = usize::from_str_radix(&self.line(), 16).unwrap_or(0);
            if size == 0 {
                return None;
            }
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).expect("a chunk is whole");
            chunk.truncate(size);
            self.text.push_str(&String::from_utf8(chunk).expect("events are UTF-8"));
        }
    }

    /// A line of HTTP; empty at the end of the connection.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the server goes on, or hangs up");
        line.trim_end().to_owned()
    }
}
