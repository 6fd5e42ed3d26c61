//! A client of the API: one connection, one request at a time.

use crate::demo::Made;
use crate::failure::Failure;
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A connection to a server, with a credential.
#[derive(Debug)]
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    network: i64,
    token: String,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr, made: &Made) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(Failure::io(format!("connect to {address}")))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            // What ends the connection early, the next request reports.
            let _ended = connection.await;
        });
        Ok(Self { sender, address, network: made.network, token: made.token.clone() })
    }

    /// Sends a request of a version of the API; any answer but 200 and 201 is a failure.
    pub(super) async fn send(
        &mut self,
        method: Method,
        version: &str,
        path: &str,
        body: &'static str,
    ) -> Result<(), Failure> {
        let path = format!("/api/{version}/{}{path}.json", self.network);
        self.send_to(method, &path, Bytes::from_static(body.as_bytes())).await
    }

    /// Sets the sandbox's clock; `None` lets it go.
    pub(super) async fn set_clock(&mut self, now: Option<Timestamp>) -> Result<(), Failure> {
        let path = format!("/trunkline/v1/networks/{}/sandbox/clock", self.network);
        let body = json!({"now": now.map(|now| now.to_string())}).to_string();
        self.send_to(Method::POST, &path, body.into()).await
    }

    async fn send_to(&mut self, method: Method, path: &str, body: Bytes) -> Result<(), Failure> {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, &self.token)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| Failure::Demo(error.to_string()))?;
        self.sender.ready().await.map_err(broken)?;
        let response = self.sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let answer = response.into_body().collect().await.map_err(broken)?.to_bytes();
        if status.is_success() {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&answer);
        Err(Failure::Demo(format!("{method} {path} was answered {status}: {answer}")))
    }
}

fn broken(error: hyper::Error) -> Failure {
    Failure::Demo(error.to_string())
}
