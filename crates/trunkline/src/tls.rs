//! TLS by rustls with ring, from a certificate chain and a key in PEM files.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, crypto::ring};

/// Paths of a certificate chain and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub(crate) certificate: PathBuf,
    /// The key: PKCS#8, PKCS#1 or SEC1.
    pub(crate) key: PathBuf,
}

/// Error of loading a certificate or key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// File that cannot be read, or is not PEM.
    #[error("cannot read the TLS {kind} '{}'", file.display())]
    Read {
        /// `certificate` or `key`.
        kind: &'static str,
        /// The file.
        file: PathBuf,
        /// The underlying error.
        source: rustls_pki_types::pem::Error,
    },
    /// PEM file without a certificate.
    #[error("the TLS certificate '{}' has no certificate in it", .0.display())]
    Empty(PathBuf),
    /// Certificate that cannot serve as a trust anchor.
    #[error("the certificates in '{}' cannot be trusted", file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// The underlying error.
        source: rustls::Error,
    },
    /// Certificate and key that do not match, or are of a kind that rustls does not support.
    #[error("the TLS certificate '{}' and key '{}' cannot be used", files.certificate.display(), files.key.display())]
    Rejected {
        /// Both files.
        files: CertificateFiles,
        /// The underlying error.
        source: rustls::Error,
    },
}

/// Builds an acceptor for TLS 1.2 and 1.3 with HTTP/1.1.
pub(crate) fn acceptor(files: &CertificateFiles) -> Result<TlsAcceptor, Error> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| Error::Read {
        kind: "key",
        file: files.key.clone(),
        source,
    })?;
    let rejected = |source| Error::Rejected { files: files.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(rejected)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(rejected)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Reads the certificates of a PEM file; at least one.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |source| Error::Read { kind: "certificate", file: file.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    let chain = certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() { Err(Error::Empty(file.to_owned())) } else { Ok(chain) }
}
