//! TLS connections to a PostgreSQL server, by rustls. Certificates are verified in
//! `certificate_verifier.rs`.

use super::certificate_verifier::{CertificateVerifier, Verification, server_name};
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

/// Required security of the connection, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS if the server offers it, with any certificate.
    Prefer,
    /// TLS with any certificate; with given authorities, as `VerifyCa`.
    Require,
    /// TLS with a certificate of a trusted authority.
    VerifyCa,
    /// As `VerifyCa`, and the certificate must be for the host name in use.
    VerifyFull,
}

impl TlsMode {
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                let known = "disable, prefer, require, verify-ca and verify-full";
                return Err(format!("sslmode={word} is not one of {known}"));
            }
        })
    }
}

/// PEM files that a URL names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// `sslrootcert`: authorities to trust instead of Mozilla's.
    pub(super) authorities: Option<PathBuf>,
    /// `sslcert`: client certificate.
    pub(super) certificate: Option<PathBuf>,
    /// `sslkey`: key of the client certificate.
    pub(super) key: Option<PathBuf>,
}

/// TLS settings of all connections to a server.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    /// True if an unencrypted connection is used where TLS fails.
    allow_fallback: bool,
    verify_name: bool,
}

impl Tls {
    /// Reads the files. The error says which of them is wrong.
    pub(super) fn new(mode: TlsMode, files: &TlsFiles) -> Result<Self, String> {
        let authorities = files.authorities.as_deref().map(certificates).transpose()?;
        let verification = match mode {
            TlsMode::VerifyFull => Verification::HostName,
            TlsMode::VerifyCa => Verification::Authority,
            TlsMode::Require if authorities.is_some() => Verification::Authority,
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => Verification::Skip,
        };
        let message = |error: Error| error.to_string();
        let verifier = CertificateVerifier::new(verification, authorities)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(message)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match (&files.certificate, &files.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let read =
                    |error| format!("cannot read the key in '{}': {}", key.display(), cause(error));
                let key = PrivateKeyDer::from_pem_file(key).map_err(read)?;
                config.with_client_auth_cert(chain, key).map_err(message)?
            }
            _ => return Err("sslcert and sslkey must be given together".to_owned()),
        };
        // Protocol that a server may require if it starts TLS without an `SSLRequest`.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        let allow_fallback = mode == TlsMode::Prefer;
        let verify_name = verification == Verification::HostName;
        Ok(Self { config: Arc::new(config), allow_fallback, verify_name })
    }

    /// Returns true if the connection is to be retried without TLS after this error.
    pub(super) fn may_retry_without_tls(&self, error: &tokio_postgres::Error) -> bool {
        use std::error::Error as _;
        let failed_here = error.source().is_some_and(|source| source.is::<TlsError>());
        let rejected_by_rule =
            Some(&tokio_postgres::error::SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
        self.allow_fallback && (failed_here || error.code() == rejected_by_rule)
    }
}

/// Reads the certificates of a PEM file; at least one.
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

/// Failure of a TLS handshake.
#[derive(Debug)]
pub(super) struct TlsError(String);

impl std::error::Error for TlsError {}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TlsError {
    /// Describes a rustls error for a person.
    fn from_rustls(error: &io::Error, host: &str) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        Self(match inner {
            Some(Error::InvalidCertificate(cause)) => match cause {
                CertificateError::UnknownIssuer => {
                    "the authority of the server's certificate is not trusted: \
                     add its certificate with sslrootcert=<file>"
                        .to_owned()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("the server's certificate is not for '{host}'")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the server's certificate has expired".to_owned()
                }
                cause => format!("the server's certificate cannot be trusted: {cause}"),
            },
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                "the server does not support TLS".to_owned()
            }
            Some(error) => error.to_string(),
            None => error.to_string(),
        })
    }
}

/// Connection about to be made to one host.
pub(super) struct PendingConnection {
    connector: TlsConnector,
    name: ServerName<'static>,
    host: String,
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = EncryptedStream;
    type TlsConnect = PendingConnection;
    type Error = TlsError;

    fn make_tls_connect(&mut self, host: &str) -> Result<PendingConnection, TlsError> {
        let name = server_name(host, self.verify_name).ok_or_else(|| {
            TlsError(format!("'{host}' is not a name that a certificate can contain"))
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        Ok(PendingConnection { connector, name, host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for PendingConnection {
    type Stream = EncryptedStream;
    type Error = TlsError;
    type Future = Pin<Box<dyn Future<Output = Result<EncryptedStream, TlsError>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let connected = self.connector.connect(self.name, socket).await;
            connected
                .map(EncryptedStream)
                .map_err(|error| TlsError::from_rustls(&error, &self.host))
        })
    }
}

/// Encrypted connection.
pub(super) struct EncryptedStream(tokio_rustls::client::TlsStream<Socket>);

impl AsyncRead for EncryptedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for EncryptedStream {
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

impl TlsStream for EncryptedStream {
    /// `tls-server-end-point` (RFC 5929) binds the password exchange to this server's certificate,
    /// which excludes a man in the middle.
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.0.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        match certificate.and_then(|certificate| tls_server_end_point(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

/// Hash of a certificate by the hash function of its signature; `None` if the signature has none of
/// its own.
fn tls_server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }
    let (0x30, whole, _) = split_der_element(certificate)? else { return None };
    let (0x30, _, rest) = split_der_element(whole)? else { return None };
    let (0x30, algorithm, _) = split_der_element(rest)? else { return None };
    let (0x06, id, _) = split_der_element(algorithm)? else { return None };
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let rsa = id.strip_prefix(RSA);
    let ecdsa = id.strip_prefix(ECDSA);
    Some(match (rsa, ecdsa) {
        // RFC 5929 replaces MD5 and SHA-1 by SHA-256.
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Sha256::digest(certificate).to_vec(),
        (Some([12]), _) | (_, Some([3, 3])) => Sha384::digest(certificate).to_vec(),
        (Some([13]), _) | (_, Some([3, 4])) => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

/// Splits the first DER element into its tag, its contents and the remaining bytes.
fn split_der_element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
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

    /// A certificate with only the parts that `tls_server_end_point` reads.
    fn signed_by(id: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| {
            let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
            [&[tag, 0x82], &length[..], inside].concat()
        };
        let algorithm = wrap(0x30, &[wrap(0x06, id), vec![5, 0]].concat());
        wrap(0x30, &[wrap(0x30, &[7; 300]), algorithm, vec![3, 1, 0]].concat())
    }

    #[test]
    fn certificate_is_hashed_by_its_signature_algorithm() {
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
            assert_eq!(tls_server_end_point(&certificate).map(|hash| hash.len()), bytes, "{id:x?}");
            for cut in 0..certificate.len() {
                assert_eq!(tls_server_end_point(&certificate[..cut]), None);
            }
        }
        assert_eq!(split_der_element(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None);
    }
}
