//! A client that keeps its connection open between requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Reply {
    /// Value of a header, named in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection that is opened again when the server closed it.
#[derive(Debug)]
pub(super) struct Connection {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None }
    }

    /// Sends a request with a JSON body. Of an event stream only the head is read.
    pub(super) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            let length = body.len();
            let type_and_length =
                format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
            request.push_str(&type_and_length);
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        let mut stream = self.stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(&self.address).expect("the server listens");
            stream.set_nodelay(true).expect("nodelay can be set");
            BufReader::new(stream)
        });
        stream.get_mut().write_all(request.as_bytes()).expect("the server reads");
        let mut reply = read_head(&mut stream);
        if reply.header("content-type") == Some("text/event-stream") {
            return reply;
        }
        reply.body = read_body(&mut stream, &reply);
        if reply.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        reply
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).expect("the server sends a line");
    line.trim_end().to_owned()
}

fn read_head(stream: &mut BufReader<TcpStream>) -> Reply {
    let line = read_line(stream);
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("the status line is {line:?}"));
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream);
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Reply { status, headers, body: String::new() }
}

fn read_body(stream: &mut BufReader<TcpStream>, head: &Reply) -> String {
    if let Some(length) = head.header("content-length") {
        let mut bytes = vec![0; length.parse().expect("a length")];
        stream.read_exact(&mut bytes).expect("a complete body");
        return text(bytes);
    }
    if head.header("transfer-encoding") != Some("chunked") {
        return String::new();
    }
    let mut body = Vec::new();
    loop {
        let line = read_line(stream);
        let size = usize::from_str_radix(&line, 16).expect("the size of a chunk");
        let mut chunk = vec![0; size + "\r\n".len()];
        stream.read_exact(&mut chunk).expect("a complete chunk");
        if size == 0 {
            return text(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the body is UTF-8")
}
