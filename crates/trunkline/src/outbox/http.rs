//! One POST to a webhook: to an address that was looked at, over a connection of its own, signed,
//! without following anything.

use axum::http::{HeaderValue, Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls_pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use trunkline_domain::webhook::{Host, Secret, Webhook, WebhookUrl, is_public};
use trunkline_network::outbox::Outcome;

/// Bytes of an answer's head, and of its body, that are read.
const ANSWER: usize = 16 * 1024;
/// Headers of an answer.
const HEADERS: usize = 100;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// How much of an error is kept, in characters.
const ERROR: usize = 200;

/// What sends.
pub(super) struct Http {
    pub(super) tls: TlsConnector,
    /// Whether addresses inside the host's own network will do.
    pub(super) allow_private: bool,
}

/// What is sent.
pub(super) struct Message {
    /// The same each time it is sent.
    pub(super) id: String,
    /// When this attempt is made.
    pub(super) at: Timestamp,
    /// JSON.
    pub(super) body: String,
}

impl Http {
    /// Sends a message. 2xx is taken; 410 says that nothing will be; anything else, redirects too,
    /// may go better another time.
    pub(super) async fn send(&self, webhook: &Webhook, message: Message) -> Outcome {
        let asked = async {
            let stream = self.connect(&webhook.url).await?;
            let request = request(webhook, message)?;
            if !webhook.url.is_https() {
                return ask(stream, request).await;
            }
            let name = server_name(&webhook.url)?;
            let stream =
                self.tls.connect(name, stream).await.map_err(|error| why("TLS", &error))?;
            ask(stream, request).await
        };
        match asked.await {
            Ok(status @ 200..=299) => Outcome::Done { status: Some(status) },
            Ok(410) => Outcome::Refused { status: Some(410), error: "answered 410".to_owned() },
            Ok(status) => {
                Outcome::Failed { status: Some(status), error: format!("answered {status}") }
            }
            Err(error) => Outcome::Failed { status: None, error },
        }
    }

    /// A connection to one of the addresses that the host has right now, each of which was looked
    /// at: what a name led to before, or leads to after, does not count.
    async fn connect(&self, url: &WebhookUrl) -> Result<TcpStream, String> {
        let addresses: Vec<SocketAddr> = match url.host() {
            Host::Address(address) => vec![(*address, url.port()).into()],
            Host::Name(name) => {
                let found = lookup_host((name.as_str(), url.port())).await;
                found.map_err(|_| "its host cannot be looked up".to_owned())?.collect()
            }
        };
        if !self.allow_private && !addresses.iter().all(|it| is_public(it.ip())) {
            return Err("its host is inside the server's own network".to_owned());
        }
        let mut last = "its host has no address".to_owned();
        for address in addresses.into_iter().take(ADDRESSES) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = why("cannot connect", &error),
            }
        }
        Err(last)
    }
}

fn server_name(url: &WebhookUrl) -> Result<ServerName<'static>, String> {
    match url.host() {
        Host::Address(IpAddr::V4(address)) => Ok(ServerName::from(*address)),
        Host::Address(IpAddr::V6(address)) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|error| why("TLS", &error)),
    }
}

/// The request, by the Standard Webhooks scheme.
fn request(webhook: &Webhook, message: Message) -> Result<Request<Full<Bytes>>, String> {
    let Message { id, at, body } = message;
    let timestamp = at.as_second().to_string();
    let signature = sign(&webhook.secret, &id, &timestamp, &body);
    let request = Request::post(webhook.url.target())
        .header(header::HOST, webhook.url.authority())
        .header(header::USER_AGENT, concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(header::CONNECTION, HeaderValue::from_static("close"))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(Bytes::from(body)));
    request.map_err(|error| why("the URL cannot be asked for", &error))
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body`.
fn sign(secret: &Secret, id: &str, timestamp: &str, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret.key());
    let signed = ring::hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

/// Sends a request and returns the answer's status. Of the answer's body a little is read, so that a
/// receiver that writes one is not cut off; what it says does not matter.
async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| why("no answer", &error);
    let mut http = http1::Builder::new();
    http.max_buf_size(ANSWER).max_headers(HEADERS);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Dropped at the end, and the connection with it.
    let mut running = JoinSet::new();
    running.spawn(connection);
    let answer = sender.send_request(request).await.map_err(failed)?;
    let status = answer.status().as_u16();
    let _read = Limited::new(answer.into_body(), ANSWER).collect().await;
    Ok(status)
}

/// What failed, and why, in a line that is not too long.
fn why(what: &str, error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    format!("{what}: {}", causes.join(": ")).chars().take(ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the scheme's own libraries.
    #[test]
    fn signatures_are_those_of_the_scheme() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
