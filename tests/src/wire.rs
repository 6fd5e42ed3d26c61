//! HTTP/1.1 as bytes over a socket, so that a test can send what no client library would.

use crate::Answer;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// How long a server may take to answer anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends bytes and reads the answer. `None` when the server hangs up without one.
pub fn exchange(address: &str, bytes: &[u8]) -> Option<Answer> {
    talk(connect(address), bytes, false)
}

/// The same with a server that may be gone, which is no answer either; an answer that breaks off has
/// what came of it.
pub fn attempt(address: &str, bytes: &[u8]) -> Option<Answer> {
    let received = hear(TcpStream::connect(address).ok()?, bytes, false);
    parse(&received, |rest| chunks(rest).0)
}

/// Sends bytes, says that there will be no more, and reads the answer: a client that goes away
/// in the middle of its request.
pub fn exchange_half(address: &str, bytes: &[u8]) -> Option<Answer> {
    talk(connect(address), bytes, true)
}

fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address).expect("the server listens")
}

fn talk(stream: TcpStream, bytes: &[u8], hangs_up: bool) -> Option<Answer> {
    parse(&hear(stream, bytes, hangs_up), |rest| {
        let (body, is_whole) = chunks(rest);
        assert!(is_whole, "the answer ends with its last chunk");
        body
    })
}

fn hear(mut stream: TcpStream, bytes: &[u8], hangs_up: bool) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream.set_nodelay(true).expect("nodelay can be set");
    // A server may answer, and hang up, before it has read everything.
    let sent = stream.write_all(bytes);
    if sent.is_ok() && hangs_up {
        let _already_gone = stream.shutdown(Shutdown::Write);
    }
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(_) if !received.is_empty() => break,
            Err(error) => {
                assert!(!timed_out(&error), "no answer within {PATIENCE:?}");
                break;
            }
        }
    }
    received
}

fn timed_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn parse(received: &[u8], dechunk: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Answer> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, rest) = received.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = rest.get(4..).unwrap_or_default();
    let chunked =
        headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { dechunk(rest) } else { rest.to_vec() };
    Some(Answer::new(status, headers, body))
}

/// What is in chunks, and whether it ends with the last one.
fn chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") else {
            return (body, false);
        };
        let (size, after) = rest.split_at(end);
        let size = std::str::from_utf8(size).expect("a chunk's size is text");
        let size = usize::from_str_radix(size, 16).expect("a chunk's size is hexadecimal");
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = after.get(2..2 + size) else { return (body, false) };
        body.extend_from_slice(chunk);
        let Some(next) = after.get(2 + size + 2..) else { return (body, false) };
        rest = next;
    }
}
