//! One request at a time, for what is not measured by how many there are.

use serde_json::Value;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Asks, and reads the answer to its end; what is not 2xx is an error. `head` is a method and a path.
pub(crate) fn ask(
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
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (status, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if !status.starts_with("HTTP/1.1 2") {
        return Err(format!("{head}: {answer}").into());
    }
    Ok(body.to_owned())
}
