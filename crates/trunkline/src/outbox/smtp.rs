//! SMTP client for one mail server.

use super::mail::MAIL_TIMEOUT;
use axum::http::Uri;
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;
use trunkline_network::MailRecord;
use trunkline_network::outbox::AttemptOutcome;

/// Settings of the SMTP client.
#[derive(Clone, Default)]
pub(crate) struct MailerSettings {
    /// `smtp://`, `starttls://` or `smtps://` URL, optionally with user and password.
    pub(crate) url: Option<String>,
    /// Sender: an address, optionally with a name.
    pub(crate) from: Option<String>,
    /// PEM file of additional certificate authorities to trust.
    pub(crate) ca_file: Option<PathBuf>,
}

/// SMTP client with a fixed sender.
#[derive(Clone)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({})", self.from)
    }
}

/// Endpoint of a mail server.
struct Server {
    host: String,
    port: u16,
    tls: Encryption,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    /// Plain text.
    None,
    /// STARTTLS, required before anything else is sent.
    StartTls,
    /// Implicit TLS.
    Tls,
}

impl Mailer {
    /// Builds a client; `None` without a URL. The error names the wrong setting and does not quote the
    /// URL, which may contain a password.
    pub(crate) fn new(settings: MailerSettings) -> Result<Option<Self>, String> {
        let MailerSettings { url, from, ca_file } = settings;
        let Some(url) = url else { return Ok(None) };
        let server = Server::parse(&url).ok_or(
            "the SMTP URL cannot be used: expected smtp://, starttls:// or smtps://, and a host",
        )?;
        let from = from.ok_or("mail needs a sender: --mail-from is missing")?;
        let invalid =
            |_| format!("'{from}' is not a sender: expected an address, or 'Name <address>'");
        let from: Mailbox = from.parse().map_err(invalid)?;
        if server.tls == Encryption::None && server.credentials.is_some() {
            tracing::warn!(
                "the mail server's password is sent unencrypted: use starttls:// or smtps://"
            );
        }
        let mut tls = TlsParameters::builder(server.host.clone());
        if let Some(file) = ca_file {
            let unreadable = || format!("cannot read the certificates in '{}'", file.display());
            let pem = std::fs::read(&file).map_err(|_| unreadable())?;
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| unreadable())?);
        }
        let tls = tls.build_rustls().map_err(|error| format!("TLS cannot be used: {error}"))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host)
            .port(server.port)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(MAIL_TIMEOUT))
            .tls(match server.tls {
                Encryption::None => Tls::None,
                Encryption::StartTls => Tls::Required(tls),
                Encryption::Tls => Tls::Wrapper(tls),
            });
        if let Some(credentials) = server.credentials {
            transport = transport.credentials(credentials);
        }
        Ok(Some(Self { transport: transport.build(), from }))
    }

    /// Sends a mail. The outcome is `Refused` if sending it again cannot succeed.
    pub(super) async fn send(&self, mail: &MailRecord, now: Timestamp) -> AttemptOutcome {
        let refused = |error: String| AttemptOutcome::Rejected { status: None, error };
        let address: Address = match mail.address.parse() {
            Ok(address) => address,
            Err(_) => return refused("mail cannot be sent to this address".to_owned()),
        };
        let message = match self.message(mail, address, now) {
            Ok(message) => message,
            Err(error) => return refused(format!("the mail cannot be written: {error}")),
        };
        match self.transport.send(message).await {
            Ok(_) => AttemptOutcome::Delivered { status: None },
            Err(error) => {
                // 550–554 reject the recipient or the content, which will not change. Other permanent
                // errors, such as a wrong password, can be corrected in the configuration.
                let code = error.status().map(u16::from);
                let text = error.to_string().chars().take(200).collect();
                match code {
                    Some(550..=554) => refused(text),
                    _ => AttemptOutcome::Retryable { status: None, error: text },
                }
            }
        }
    }

    /// Builds the message. Its id is the same for each attempt. Headers cannot be injected: addresses
    /// are parsed and all other values are encoded.
    fn message(
        &self,
        mail: &MailRecord,
        to: Address,
        now: Timestamp,
    ) -> Result<Message, lettre::error::Error> {
        let created = mail.created_at.as_millisecond();
        let id = format!("<trunkline.{}.{created}@{}>", mail.id, self.from.email.domain());
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()])?;
        Message::builder()
            .envelope(envelope)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(mail.body.clone())
    }
}

/// `Auto-Submitted: auto-generated` (RFC 3834), which keeps automatic replies away.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Server {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (tls, default_port) = match uri.scheme_str()? {
            "smtp" => (Encryption::None, 25),
            "starttls" => (Encryption::StartTls, 587),
            "smtps" => (Encryption::Tls, 465),
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_valid = matches!(uri.path(), "" | "/") && uri.query().is_none() && !host.is_empty();
        let credentials = match authority.as_str().rsplit_once('@') {
            None => None,
            Some((user_info, _)) => {
                let (user, password) = user_info.split_once(':')?;
                let decode = |text| percent_decode_str(text).decode_utf8().ok();
                Some(Credentials::new(decode(user)?.into_owned(), decode(password)?.into_owned()))
            }
        };
        let port = authority.port_u16().unwrap_or(default_port);
        is_valid.then_some(Self { host, port, tls, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smtp_url_determines_the_port() {
        let port = |url: &str| Server::parse(url).map(|server| server.port);
        assert_eq!(port("smtp://mail.example.com"), Some(25));
        assert_eq!(port("starttls://me:p%40ss@mail.example.com"), Some(587));
        assert_eq!(port("smtps://mail.example.com:2465/"), Some(2465));
        let invalid = ["mail.example.com", "http://x", "smtp://", "smtp://me@x", "smtp://x/y", ""];
        assert!(invalid.iter().all(|url| port(url).is_none()));
    }

    #[test]
    fn mailer_needs_a_valid_sender() {
        let mailer_with = |from: Option<&str>| {
            let url = Some("smtp://localhost".to_owned());
            let settings = MailerSettings { url, from: from.map(str::to_owned), ca_file: None };
            Mailer::new(settings).map(|mailer| mailer.is_some())
        };
        assert_eq!(mailer_with(Some("Trunkline <calls@example.com>")), Ok(true));
        assert!(mailer_with(None).is_err());
        assert!(mailer_with(Some("nobody")).is_err());
        assert!(mailer_with(Some("a@example.com\r\nBcc: b@example.com")).is_err());
        assert_eq!(Mailer::new(MailerSettings::default()).map(|it| it.is_some()), Ok(false));
    }
}
