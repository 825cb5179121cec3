//! TLS with the daemon: docker's three files (`ca.pem`, `cert.pem`, `key.pem`) made into a configuration.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the TLS material lies and whether the daemon's certificate is checked.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Authorities that may have signed the daemon's certificate.
    pub ca: Option<PathBuf>,
    /// This client's certificate chain.
    pub cert: Option<PathBuf>,
    /// This client's private key.
    pub key: Option<PathBuf>,
    /// `--tlsverify`: refuse a daemon whose certificate does not hold. Plain `--tls` encrypts only.
    pub verify: bool,
}

/// Which part of TLS failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing, unreadable or holds no PEM of the wanted kind.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: pem::Error,
    },
    /// Only one half of the client's pair was given.
    #[error("a client certificate needs both --tlscert and --tlskey")]
    HalfPair,
    /// Certificate and key do not fit each other, or an authority is malformed.
    #[error("unusable certificate material")]
    Material(#[source] rustls::Error),
    /// The host is no valid name to check a certificate against.
    #[error("{0:?} is not a valid server name")]
    Name(String),
    /// The handshake failed: wrong authority, expired, refused client certificate, or no TLS at all.
    #[error("handshake")]
    Handshake(#[source] io::Error),
}

/// The configuration that those files describe.
pub(crate) fn config(files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Material)?;
    let builder = if files.verify {
        builder.with_root_certificates(roots(files.ca.as_deref())?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
    };
    match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|cause| file(key, cause))?;
            builder.with_client_auth_cert(certificates(cert)?, key).map_err(TlsError::Material)
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(TlsError::HalfPair),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            store.add(certificate).map_err(TlsError::Material)?;
        }
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|cause| file(path, cause))
}

fn file(path: &Path, cause: pem::Error) -> TlsError {
    TlsError::File { path: path.to_owned(), cause }
}

/// `--tls` without `--tlsverify`: encryption without proof of who is there, as docker offers it.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
