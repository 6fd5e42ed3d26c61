//! HTTP/1.1 as bytes over a socket, so that tests can send malformed requests.

use crate::Response;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Time limit for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends bytes and reads the response. Returns `None` if the server closes the connection without one.
pub fn send_raw(address: &str, bytes: &[u8]) -> Option<Response> {
    exchange(connect(address), bytes, false)
}

/// Sends bytes to a server that may have ended: then there is no response. A response that breaks off has
/// the body that arrived.
pub fn try_send_raw(address: &str, bytes: &[u8]) -> Option<Response> {
    let received = transfer(TcpStream::connect(address).ok()?, bytes, false);
    parse(&received, |rest| decode_chunks(rest).0)
}

/// Sends bytes, closes the sending half of the connection, and reads the response: a client that
/// disconnects within its request.
pub fn send_raw_and_half_close(address: &str, bytes: &[u8]) -> Option<Response> {
    exchange(connect(address), bytes, true)
}

fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address).expect("the server listens")
}

fn exchange(stream: TcpStream, bytes: &[u8], half_close: bool) -> Option<Response> {
    parse(&transfer(stream, bytes, half_close), |rest| {
        let (body, is_whole) = decode_chunks(rest);
        assert!(is_whole, "the response ends with the last chunk");
        body
    })
}

fn transfer(mut stream: TcpStream, bytes: &[u8], half_close: bool) -> Vec<u8> {
    stream.set_read_timeout(Some(RESPONSE_TIMEOUT)).expect("a timeout can be set");
    stream.set_nodelay(true).expect("nodelay can be set");
    // The server may respond and close the connection before it has read everything.
    let sent = stream.write_all(bytes);
    if sent.is_ok() && half_close {
        // The server may have closed the connection.
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(_) if !received.is_empty() => break,
            Err(error) => {
                assert!(!timed_out(&error), "no response within {RESPONSE_TIMEOUT:?}");
                break;
            }
        }
    }
    received
}

fn timed_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn parse(received: &[u8], dechunk: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Response> {
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
    Some(Response::new(status, headers, body))
}

/// Decodes a chunked body. Returns `true` if the last chunk is there.
fn decode_chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
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
