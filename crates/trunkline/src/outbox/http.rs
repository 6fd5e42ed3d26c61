//! HTTP client for webhooks and recordings: one request per connection, to an address that was checked,
//! without following redirects.

use super::sound_file::{SoundFile, is_audio};
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
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use trunkline_domain::webhook::{Host, SigningSecret, Webhook, WebhookUrl, is_public_address};
use trunkline_network::StoredSound;
use trunkline_network::outbox::AttemptOutcome;

/// Bytes read of a response's head, and of its body.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;
/// Time for which a response's body is read.
const MAX_BODY_TIME: Duration = Duration::from_secs(1);
/// Most headers of a response.
const MAX_RESPONSE_HEADERS: usize = 100;
/// Addresses of one host name that are tried.
const MAX_ADDRESSES: usize = 4;
/// Characters of an error message that are stored.
const MAX_ERROR_CHARS: usize = 200;

/// Name of the client.
const USER_AGENT: &str = concat!("Trunkline/", env!("CARGO_PKG_VERSION"));

/// Error of connecting to a host.
struct ConnectError {
    reason: String,
    /// True if the host is inside the server's own network.
    is_private: bool,
}

/// Error of fetching a sound.
pub(super) enum SoundError {
    /// Another attempt would fail, too.
    Final(String),
    /// Another attempt may succeed.
    Retryable(String),
}

/// Client settings.
pub(super) struct HttpClient {
    pub(super) tls: TlsConnector,
    /// True if addresses inside the host's own network are allowed.
    pub(super) allow_private: bool,
}

/// Webhook message.
pub(super) struct Message {
    /// Id of the message, the same for each attempt.
    pub(super) id: String,
    /// Time of this attempt.
    pub(super) sent_at: Timestamp,
    /// JSON body.
    pub(super) body: String,
}

impl HttpClient {
    /// Sends a message. The outcome is `Succeeded` for 2xx, `Refused` for 410, which ends the deliveries to
    /// this webhook, and `Failed`, to be retried, for any other status and for redirects.
    pub(super) async fn send(&self, webhook: &Webhook, message: Message) -> AttemptOutcome {
        let status = async {
            let stream = self.connect(&webhook.url).await.map_err(|error| error.reason)?;
            let request = request(webhook, message)?;
            if !webhook.url.is_https() {
                return send_request(stream, request).await;
            }
            let name = server_name(&webhook.url)?;
            let stream = self
                .tls
                .connect(name, stream)
                .await
                .map_err(|error| describe_error("TLS", &error))?;
            send_request(stream, request).await
        };
        match status.await {
            Ok(status @ 200..=299) => AttemptOutcome::Delivered { status: Some(status) },
            Ok(410) => {
                AttemptOutcome::Rejected { status: Some(410), error: "answered 410".to_owned() }
            }
            Ok(status) => AttemptOutcome::Retryable {
                status: Some(status),
                error: format!("answered {status}"),
            },
            Err(error) => AttemptOutcome::Retryable { status: None, error },
        }
    }

    /// Fetches a sound into a file. Only 200 with a media type of sounds is accepted, and at most `max_bytes`.
    pub(super) async fn fetch_sound(
        &self,
        url: &WebhookUrl,
        file: NamedTempFile,
        max_bytes: u64,
    ) -> Result<(StoredSound, NamedTempFile), SoundError> {
        let stream = self.connect(url).await.map_err(|error| match error.is_private {
            true => SoundError::Final(error.reason),
            false => SoundError::Retryable(error.reason),
        })?;
        let request = Request::get(url.target())
            .header(header::HOST, url.authority())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, HeaderValue::from_static("audio/*"))
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .body(Full::default());
        let request = request
            .map_err(|error| SoundError::Final(describe_error("cannot request the URL", &error)))?;
        if !url.is_https() {
            return receive_sound(stream, request, file, max_bytes).await;
        }
        let name = server_name(url).map_err(SoundError::Final)?;
        let stream = self.tls.connect(name, stream).await;
        let stream =
            stream.map_err(|error| SoundError::Retryable(describe_error("TLS", &error)))?;
        receive_sound(stream, request, file, max_bytes).await
    }

    /// Connects to one of the host's current addresses. All addresses are checked before, and the
    /// connection uses the checked ones, so that a DNS answer that changes in between (DNS rebinding)
    /// cannot lead to a private address.
    async fn connect(&self, url: &WebhookUrl) -> Result<TcpStream, ConnectError> {
        let failed = |reason| ConnectError { reason, is_private: false };
        let addresses: Vec<SocketAddr> = match url.host() {
            Host::Address(address) => vec![(*address, url.port()).into()],
            Host::Name(name) => {
                let addresses = lookup_host((name.as_str(), url.port())).await;
                addresses.map_err(|_| failed("its host cannot be looked up".to_owned()))?.collect()
            }
        };
        if !self.allow_private && !addresses.iter().all(|address| is_public_address(address.ip())) {
            let reason = "its host is inside the server's own network".to_owned();
            return Err(ConnectError { reason, is_private: true });
        }
        let mut last_error = "its host has no address".to_owned();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last_error = describe_error("cannot connect", &error),
            }
        }
        Err(failed(last_error))
    }
}

fn server_name(url: &WebhookUrl) -> Result<ServerName<'static>, String> {
    match url.host() {
        Host::Address(IpAddr::V4(address)) => Ok(ServerName::from(*address)),
        Host::Address(IpAddr::V6(address)) => Ok(ServerName::from(*address)),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|error| describe_error("TLS", &error))
        }
    }
}

/// Builds the request according to the Standard Webhooks specification.
fn request(webhook: &Webhook, message: Message) -> Result<Request<Full<Bytes>>, String> {
    let Message { id, sent_at, body } = message;
    let timestamp = sent_at.as_second().to_string();
    let signatures: Vec<String> = webhook
        .signing_secrets(sent_at)
        .map(|secret| sign(secret, &id, &timestamp, &body))
        .collect();
    let request = Request::post(webhook.url.target())
        .header(header::HOST, webhook.url.authority())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(header::CONNECTION, HeaderValue::from_static("close"))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.join(" "))
        .body(Full::new(Bytes::from(body)));
    request.map_err(|error| describe_error("cannot request the URL", &error))
}

/// Signature: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64.
fn sign(secret: &SigningSecret, id: &str, timestamp: &str, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret.key());
    let signature = ring::hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signature))
}

/// Sends a request and returns the response's status as soon as its head is there. Up to
/// [`MAX_RESPONSE_BYTES`] of the body are then read and ignored for a short time, so that the receiver
/// does not see a reset connection while it writes. The body does not change the outcome.
async fn send_request<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| describe_error("no answer", &error);
    let mut http = http1::Builder::new();
    http.max_buf_size(MAX_RESPONSE_BYTES).max_headers(MAX_RESPONSE_HEADERS);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Dropping the set aborts the connection's task.
    let mut connection_task = JoinSet::new();
    connection_task.spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status().as_u16();
    tokio::spawn(async move {
        let _connection_task = connection_task;
        let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES).collect();
        tokio::time::timeout(MAX_BODY_TIME, body).await.ok();
    });
    Ok(status)
}

/// Sends a request and writes the sound of the response to a file.
async fn receive_sound<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    file: NamedTempFile,
    max_bytes: u64,
) -> Result<(StoredSound, NamedTempFile), SoundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| SoundError::Retryable(describe_error("no answer", &error));
    let mut http = http1::Builder::new();
    http.max_buf_size(MAX_RESPONSE_BYTES).max_headers(MAX_RESPONSE_HEADERS);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Dropping the set aborts the connection's task.
    let mut connection_task = JoinSet::new();
    connection_task.spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(SoundError::Retryable(format!("answered {status}")));
    }
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !is_audio(&media_type) {
        return Err(SoundError::Final(format!("answered '{media_type}', which is no sound")));
    }
    let mut sound_file = SoundFile::new(file);
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(failed)?;
        let Ok(data) = frame.into_data() else { continue };
        if sound_file.bytes + data.len() as u64 > max_bytes {
            return Err(SoundError::Final(format!("is larger than {max_bytes} bytes")));
        }
        let write = tokio::task::spawn_blocking(move || sound_file.write(&data));
        let written = write.await.map_err(std::io::Error::other).and_then(|written| written);
        sound_file = written
            .map_err(|error| SoundError::Retryable(describe_error("cannot write", &error)))?;
    }
    Ok(sound_file.finish(media_type))
}

/// Formats an error and its sources after a prefix, up to [`MAX_ERROR_CHARS`].
fn describe_error(prefix: &str, error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let chain: Vec<String> = chain.map(ToString::to_string).collect();
    format!("{prefix}: {}", chain.join(": ")).chars().take(MAX_ERROR_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example of the specification's reference libraries.
    #[test]
    fn signature_matches_the_specification() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
