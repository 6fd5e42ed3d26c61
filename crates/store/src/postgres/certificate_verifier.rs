//! Verification of a PostgreSQL server's certificate.

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Properties that a server's certificate must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    /// None: any certificate is accepted.
    Skip,
    /// It must be signed by a trusted authority.
    Authority,
    /// It must be signed by a trusted authority for the host name in use.
    HostName,
}

/// Verifier of server certificates for rustls.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    verification: Verification,
    authorities: Arc<WebPkiServerVerifier>,
    /// Certificates that are trusted by themselves: self-signed ones of a server.
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl CertificateVerifier {
    /// Trusts the given authorities, or Mozilla's if none are given.
    pub(super) fn new(
        verification: Verification,
        given: Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let pinned = given.unwrap_or_default();
        let mut roots = RootCertStore::empty();
        for certificate in &pinned {
            let result = roots.add(certificate.clone());
            result
                .map_err(|error| format!("a certificate in sslrootcert cannot be used: {error}"))?;
        }
        if pinned.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { verification, authorities, pinned, algorithms })
    }
}

/// Server name for a host. Where names are not verified, a host that is no valid name gets a
/// placeholder.
pub(super) fn server_name(host: &str, verify_name: bool) -> Option<ServerName<'static>> {
    match ServerName::try_from(host.to_owned()) {
        Ok(name) => Some(name),
        Err(_) if verify_name => None,
        Err(_) => ServerName::try_from("postgres.invalid").ok(),
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verification == Verification::Skip {
            return Ok(ServerCertVerified::assertion());
        }
        if self.pinned.contains(certificate) {
            if self.verification == Verification::HostName {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            self.authorities.verify_server_cert(certificate, intermediates, name, stapled, now);
        match verified {
            // The name is verified last, so everything else about the certificate is valid.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.verification == Verification::Authority => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
