//! TLS: a certificate chain and its key, as PEM files, by rustls with ring.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, crypto::ring};

/// Where the certificate chain and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// The chain, the server's own certificate first.
    pub(crate) certificate: PathBuf,
    /// The key: PKCS#8, PKCS#1 or SEC1.
    pub(crate) key: PathBuf,
}

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read, or not as PEM.
    #[error("cannot read the TLS {what} '{}'", file.display())]
    Read {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// A file has no certificate in it.
    #[error("the TLS certificate '{}' has no certificate in it", .0.display())]
    Empty(PathBuf),
    /// A certificate is none that others can be verified by.
    #[error("the certificates in '{}' cannot be trusted", file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The two do not go together, or are of a kind that rustls does not take.
    #[error("the TLS certificate '{}' and key '{}' cannot be used", files.certificate.display(), files.key.display())]
    Refused {
        /// Both files.
        files: Files,
        /// Why.
        source: rustls::Error,
    },
}

/// What accepts TLS connections with this certificate: TLS 1.2 and 1.3, HTTP/1.1.
pub(crate) fn acceptor(files: &Files) -> Result<TlsAcceptor, Error> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| Error::Read {
        what: "key",
        file: files.key.clone(),
        source,
    })?;
    let refused = |source| Error::Refused { files: files.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificates of a PEM file; at least one.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = |source| Error::Read { what: "certificate", file: file.to_owned(), source };
    let found = CertificateDer::pem_file_iter(file).map_err(read)?;
    let chain = found.collect::<Result<Vec<_>, _>>().map_err(read)?;
    if chain.is_empty() { Err(Error::Empty(file.to_owned())) } else { Ok(chain) }
}
