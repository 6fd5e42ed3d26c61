//! TLS to a PostgreSQL server, by rustls: whom to trust is in `trust.rs`.

use super::trust::{Asked, Trust, name_of};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, InvalidMessage};

/// How much TLS has to be: libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// None.
    Disable,
    /// Where the server offers it, whoever it is.
    Prefer,
    /// Whoever the server is; with authorities that are given, as `VerifyCa`.
    Require,
    /// A server with a certificate of an authority that is trusted.
    VerifyCa,
    /// And with the name that it is reached by.
    VerifyFull,
}

impl Mode {
    pub(super) fn parse(said: &str) -> Result<Self, String> {
        Ok(match said {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                let known = "disable, prefer, require, verify-ca and verify-full";
                return Err(format!("sslmode={said} is none of {known}"));
            }
        })
    }
}

/// Files of PEM that a URL names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// `sslrootcert`: authorities, in the place of Mozilla's.
    pub(super) authorities: Option<PathBuf>,
    /// `sslcert`: who we are.
    pub(super) certificate: Option<PathBuf>,
    /// `sslkey`: its key.
    pub(super) key: Option<PathBuf>,
}

/// How every connection to a server is made.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    /// Whether a server that cannot do it is talked to in the clear.
    optional: bool,
    by_name: bool,
}

impl Tls {
    /// Reads the files; else what is wrong with them.
    pub(super) fn new(mode: Mode, files: &Files) -> Result<Self, String> {
        let authorities = files.authorities.as_deref().map(certificates).transpose()?;
        let asked = match mode {
            Mode::VerifyFull => Asked::Name,
            Mode::VerifyCa => Asked::Authority,
            Mode::Require if authorities.is_some() => Asked::Authority,
            Mode::Disable | Mode::Prefer | Mode::Require => Asked::Nothing,
        };
        let said = |error: Error| error.to_string();
        let trust = Trust::new(asked, authorities)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(said)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust));
        let mut config = match (&files.certificate, &files.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let read =
                    |error| format!("cannot read the key in '{}': {}", key.display(), cause(error));
                let key = PrivateKeyDer::from_pem_file(key).map_err(read)?;
                config.with_client_auth_cert(chain, key).map_err(said)?
            }
            _ => return Err("sslcert and sslkey go together".to_owned()),
        };
        // What a server asks for that talks TLS from the first byte.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        let (optional, by_name) = (mode == Mode::Prefer, asked == Asked::Name);
        Ok(Self { config: Arc::new(config), optional, by_name })
    }

    /// Whether to try again in the clear, after an error.
    pub(super) fn may_do_without(&self, error: &tokio_postgres::Error) -> bool {
        use std::error::Error as _;
        let by_us = error.source().is_some_and(|source| source.is::<Refused>());
        let by_rule = Some(&tokio_postgres::error::SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
        self.optional && (by_us || error.code() == by_rule)
    }
}

/// Certificates of a PEM file; at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = file.display();
    let read = |error| format!("cannot read the certificates in '{name}': {}", cause(error));
    let found = CertificateDer::pem_file_iter(file).map_err(read)?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(read)?;
    if found.is_empty() { Err(format!("there is no certificate in '{name}'")) } else { Ok(found) }
}

fn cause(error: pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// TLS could not be agreed on.
#[derive(Debug)]
pub(super) struct Refused(String);

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Refused {
    /// Says what is wrong with a server, by what rustls says.
    fn by(error: &io::Error, host: &str) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        Self(match inner {
            Some(Error::InvalidCertificate(why)) => match why {
                CertificateError::UnknownIssuer => {
                    "the server's certificate is of no authority that is trusted: \
                     sslrootcert=<file> names others"
                        .to_owned()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("the server's certificate is not for '{host}'")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the server's certificate has expired".to_owned()
                }
                why => format!("the server's certificate cannot be trusted: {why}"),
            },
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                "the server does not speak TLS".to_owned()
            }
            Some(error) => error.to_string(),
            None => error.to_string(),
        })
    }
}

/// One connection to be made.
pub(super) struct Connecting {
    connector: TlsConnector,
    name: ServerName<'static>,
    host: String,
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Connecting;
    type Error = Refused;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connecting, Refused> {
        let name = name_of(host, self.by_name).ok_or_else(|| {
            Refused(format!("'{host}' is no name that a certificate could be for"))
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        Ok(Connecting { connector, name, host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Stream;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Refused>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let connected = self.connector.connect(self.name, socket).await;
            connected.map(Stream).map_err(|error| Refused::by(&error, &self.host))
        })
    }
}

/// A connection that is encrypted.
pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl TlsStream for Stream {
    /// `tls-server-end-point` (RFC 5929): a password is proved to this server alone, and not to whoever
    /// stands in between.
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.0.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        match certificate.and_then(|it| end_point(it)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

/// The hash of a certificate that its signature is made with; `None` where that has none of its own.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }
    let (0x30, whole, _) = element(certificate)? else { return None };
    let (0x30, _, rest) = element(whole)? else { return None };
    let (0x30, algorithm, _) = element(rest)? else { return None };
    let (0x06, id, _) = element(algorithm)? else { return None };
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let (rsa, ecdsa) = (id.strip_prefix(RSA), id.strip_prefix(ECDSA));
    Some(match (rsa, ecdsa) {
        // MD5 and SHA-1 count as SHA-256.
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Sha256::digest(certificate).to_vec(),
        (Some([12]), _) | (_, Some([3, 3])) => Sha384::digest(certificate).to_vec(),
        (Some([13]), _) | (_, Some([3, 4])) => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

/// The first element of DER: its tag, what is in it, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (long, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        if long.len() > 4 {
            return None;
        }
        (long.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), rest)
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some((tag, inside, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate as far as it is looked at.
    fn signed_by(id: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| {
            let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
            [&[tag, 0x82], &length[..], inside].concat()
        };
        let algorithm = wrap(0x30, &[wrap(0x06, id), vec![5, 0]].concat());
        wrap(0x30, &[wrap(0x30, &[7; 300]), algorithm, vec![3, 1, 0]].concat())
    }

    #[test]
    fn a_certificate_is_hashed_as_it_is_signed() {
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
        let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
        for (id, bytes) in [
            ([&rsa[..], &[11]].concat(), Some(32)),
            ([&rsa[..], &[5]].concat(), Some(32)),
            ([&rsa[..], &[12]].concat(), Some(48)),
            ([&rsa[..], &[13]].concat(), Some(64)),
            ([&rsa[..], &[10]].concat(), None),
            ([&ecdsa[..], &[3, 2]].concat(), Some(32)),
            ([&ecdsa[..], &[3, 3]].concat(), Some(48)),
            ([&ecdsa[..], &[3, 4]].concat(), Some(64)),
            (vec![0x2b, 0x65, 0x70], None),
        ] {
            let certificate = signed_by(&id);
            assert_eq!(end_point(&certificate).map(|it| it.len()), bytes, "{id:x?}");
            for cut in 0..certificate.len() {
                assert_eq!(end_point(&certificate[..cut]), None);
            }
        }
        assert_eq!(element(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None);
    }
}
