//! HTTP client for single requests, outside the measured loads.

use serde_json::Value;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request and returns the response's body. A status other than 2xx is an error. `head` is
/// method and path.
pub(crate) fn send(
    address: &str,
    token: &str,
    head: &str,
    body: Option<&Value>,
) -> Result<String, Box<dyn Error>> {
    let body = body.map(ToString::to_string).unwrap_or_default();
    let length = body.len();
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (status, body) = response.split_once("\r\n\r\n").ok_or("the response is not HTTP")?;
    if !status.starts_with("HTTP/1.1 2") {
        return Err(format!("{head}: {response}").into());
    }
    Ok(body.to_owned())
}
