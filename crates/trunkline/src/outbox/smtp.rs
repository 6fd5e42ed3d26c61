//! How mail is sent: one mail server, by SMTP.

use super::mail::TIME;
use axum::http::Uri;
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;
use trunkline_network::MailRecord;
use trunkline_network::outbox::Outcome;

/// What a mailer is told.
#[derive(Clone, Default)]
pub(crate) struct MailerSettings {
    /// `smtp://`, `starttls://` or `smtps://`, with a user and password if needed.
    pub(crate) url: Option<String>,
    /// Whom mail is from: an address, with a name if wanted.
    pub(crate) from: Option<String>,
    /// More certificates to trust, a PEM file.
    pub(crate) trust: Option<PathBuf>,
}

/// Sends mail.
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

/// Where a mail server is, and how it is talked to.
struct Server {
    host: String,
    port: u16,
    tls: Secrecy,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    /// In the clear.
    None,
    /// TLS is asked for, and nothing said before it.
    StartTls,
    /// TLS from the start.
    Tls,
}

impl Mailer {
    /// A mailer, if there is a URL; `Err` says what cannot be used, without repeating it: it has a
    /// password in it.
    pub(crate) fn new(settings: MailerSettings) -> Result<Option<Self>, String> {
        let MailerSettings { url, from, trust } = settings;
        let Some(url) = url else { return Ok(None) };
        let server = Server::parse(&url).ok_or(
            "the SMTP URL cannot be used: expected smtp://, starttls:// or smtps://, and a host",
        )?;
        let from = from.ok_or("mail needs a sender: --mail-from is missing")?;
        let wrong = |_| format!("'{from}' is no sender: expected an address, or 'Name <address>'");
        let from: Mailbox = from.parse().map_err(wrong)?;
        if server.tls == Secrecy::None && server.credentials.is_some() {
            tracing::warn!(
                "the mail server's password is sent in the clear: use starttls or smtps"
            );
        }
        let mut tls = TlsParameters::builder(server.host.clone());
        if let Some(file) = trust {
            let cannot = || format!("cannot read the certificates in '{}'", file.display());
            let pem = std::fs::read(&file).map_err(|_| cannot())?;
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| cannot())?);
        }
        let tls = tls.build_rustls().map_err(|error| format!("TLS cannot be used: {error}"))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host)
            .port(server.port)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(TIME))
            .tls(match server.tls {
                Secrecy::None => Tls::None,
                Secrecy::StartTls => Tls::Required(tls),
                Secrecy::Tls => Tls::Wrapper(tls),
            });
        if let Some(credentials) = server.credentials {
            transport = transport.credentials(credentials);
        }
        Ok(Some(Self { transport: transport.build(), from }))
    }

    /// Sends a mail.
    pub(super) async fn send(&self, mail: &MailRecord, now: Timestamp) -> Outcome {
        let refused = |error: String| Outcome::Refused { status: None, error };
        let address: Address = match mail.address.parse() {
            Ok(address) => address,
            Err(_) => return refused("mail cannot be sent to this address".to_owned()),
        };
        let message = match self.message(mail, address, now) {
            Ok(message) => message,
            Err(error) => return refused(format!("the mail cannot be written: {error}")),
        };
        match self.transport.send(message).await {
            Ok(_) => Outcome::Done { status: None },
            Err(error) => {
                // What is refused for its address or its text is refused again. What else a server
                // refuses for good, such as our password, is put right there or here.
                let code = error.status().map(u16::from);
                let text = error.to_string().chars().take(200).collect();
                match code {
                    Some(550..=554) => refused(text),
                    _ => Outcome::Failed { status: None, error: text },
                }
            }
        }
    }

    /// The message. Its id is the same each time it is sent. Whatever a name or an address has in
    /// it, each header is one: it is encoded, and addresses have been parsed.
    fn message(
        &self,
        mail: &MailRecord,
        to: Address,
        now: Timestamp,
    ) -> Result<Message, lettre::error::Error> {
        let made = mail.created_at.as_millisecond();
        let id = format!("<trunkline.{}.{made}@{}>", mail.id, self.from.email.domain());
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()])?;
        Message::builder()
            .envelope(envelope)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
    }
}

impl Server {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (tls, usual) = match uri.scheme_str()? {
            "smtp" => (Secrecy::None, 25),
            "starttls" => (Secrecy::StartTls, 587),
            "smtps" => (Secrecy::Tls, 465),
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none() && !host.is_empty();
        let credentials = match authority.as_str().rsplit_once('@') {
            None => None,
            Some((said, _)) => {
                let (user, password) = said.split_once(':')?;
                let decode = |text| percent_decode_str(text).decode_utf8().ok();
                Some(Credentials::new(decode(user)?.into_owned(), decode(password)?.into_owned()))
            }
        };
        let port = authority.port_u16().unwrap_or(usual);
        plain.then_some(Self { host, port, tls, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_servers_url_is_read() {
        let port = |url: &str| Server::parse(url).map(|server| server.port);
        assert_eq!(port("smtp://mail.example.com"), Some(25));
        assert_eq!(port("starttls://me:p%40ss@mail.example.com"), Some(587));
        assert_eq!(port("smtps://mail.example.com:2465/"), Some(2465));
        let bad = ["mail.example.com", "http://x", "smtp://", "smtp://me@x", "smtp://x/y", ""];
        assert!(bad.iter().all(|url| port(url).is_none()));
    }

    #[test]
    fn a_mail_needs_a_sender() {
        let with = |from: Option<&str>| {
            let url = Some("smtp://localhost".to_owned());
            let settings = MailerSettings { url, from: from.map(str::to_owned), trust: None };
            Mailer::new(settings).map(|mailer| mailer.is_some())
        };
        assert_eq!(with(Some("Trunkline <calls@example.com>")), Ok(true));
        assert!(with(None).is_err() && with(Some("nobody")).is_err());
        assert!(with(Some("a@example.com\r\nBcc: b@example.com")).is_err());
        assert_eq!(Mailer::new(MailerSettings::default()).map(|it| it.is_some()), Ok(false));
    }
}
