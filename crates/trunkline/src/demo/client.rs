//! API client on one connection, with one request at a time.

use crate::cli_error::CliError;
use crate::demo::DemoNetwork;
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
use trunkline_domain::id::NetworkId;

/// Connection to a server, with the token of a network.
#[derive(Debug)]
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    network_id: NetworkId,
    token: String,
}

impl Client {
    pub(super) async fn connect(
        address: SocketAddr,
        network: &DemoNetwork,
    ) -> Result<Self, CliError> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(CliError::io(format!("connect to {address}")))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(demo_error)?;
        tokio::spawn(async move {
            // The next request reports an error of the connection.
            connection.await.ok();
        });
        Ok(Self { sender, address, network_id: network.id, token: network.token.clone() })
    }

    /// Sends a request of a version of the API. A status other than 2xx is an error.
    pub(super) async fn send(
        &mut self,
        method: Method,
        version: &str,
        path: &str,
        body: &'static str,
    ) -> Result<(), CliError> {
        let path = format!("/api/{version}/{}{path}.json", self.network_id);
        self.send_to(method, &path, Bytes::from_static(body.as_bytes())).await
    }

    /// Sets the sandbox's clock; `None` makes it follow the system's clock again.
    pub(super) async fn set_clock(&mut self, now: Option<Timestamp>) -> Result<(), CliError> {
        let path = format!("/trunkline/v1/networks/{}/sandbox/clock", self.network_id);
        let body = json!({"now": now.map(|now| now.to_string())}).to_string();
        self.send_to(Method::POST, &path, body.into()).await
    }

    async fn send_to(&mut self, method: Method, path: &str, body: Bytes) -> Result<(), CliError> {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, &self.token)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| CliError::Demo(error.to_string()))?;
        self.sender.ready().await.map_err(demo_error)?;
        let response = self.sender.send_request(request).await.map_err(demo_error)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(demo_error)?.to_bytes();
        if status.is_success() {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&body);
        Err(CliError::Demo(format!("{method} {path} returned {status}: {body}")))
    }
}

fn demo_error(error: hyper::Error) -> CliError {
    CliError::Demo(error.to_string())
}
