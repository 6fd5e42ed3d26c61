//! Which PostgreSQL server's certificate is good enough.

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

/// What a certificate is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing: it is used, whoever it is of.
    Nothing,
    /// To be of an authority that is trusted.
    Authority,
    /// And to have the name that the server is reached by.
    Name,
}

/// Looks at certificates.
#[derive(Debug)]
pub(super) struct Trust {
    asked: Asked,
    by_authorities: Arc<WebPkiServerVerifier>,
    /// Certificates that are trusted themselves: a server's own, which it has signed itself.
    own: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// Trusts the authorities that are given, or else Mozilla's.
    pub(super) fn new(
        asked: Asked,
        given: Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let own = given.unwrap_or_default();
        let mut roots = RootCertStore::empty();
        for certificate in &own {
            let added = roots.add(certificate.clone());
            added
                .map_err(|error| format!("a certificate in sslrootcert cannot be used: {error}"))?;
        }
        if own.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let by_authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { asked, by_authorities, own, algorithms })
    }
}

/// A host as a certificate names it. Where names are not looked at, any will do.
pub(super) fn name_of(host: &str, by_name: bool) -> Option<ServerName<'static>> {
    match ServerName::try_from(host.to_owned()) {
        Ok(name) => Some(name),
        Err(_) if by_name => None,
        Err(_) => ServerName::try_from("postgres.invalid").ok(),
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.asked == Asked::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        if self.own.contains(certificate) {
            if self.asked == Asked::Name {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            self.by_authorities.verify_server_cert(certificate, intermediates, name, stapled, now);
        match verified {
            // Names are looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.asked == Asked::Authority => Ok(ServerCertVerified::assertion()),
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
