//! Whom a connection believes where the user has written down authorities for a host.
//!
//! Beside those of the machine: the authorities themselves, and a server that shows one of them as its own certificate. That is
//! what `openssl req -x509` makes and every guide to private registries tells to put into `certs.d`; the rules for chains refuse it,
//! since it says of itself that it is an authority. Trusted by name, it needs no chain.

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

/// Settings of connections that believe `authorities` too, and show the certificate of a client if there is one; else `asked` notes
/// that a server wants to see one.
///
/// # Errors
/// For authorities and certificates that are none.
pub(crate) fn config(
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    asked: Asked,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let chains = Verifier::new_with_extra_roots(authorities.clone(), Arc::clone(&provider))?;
    let verifier = Arc::new(Trust { chains, authorities });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_client_cert_resolver(Arc::new(asked)),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Shows no certificate, and notes that the server of a host asked for one: if it insists, it only ends the connection.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whose server it is.
    pub(crate) host: String,
    /// Hosts that have asked.
    pub(crate) hosts: Arc<Mutex<HashSet<String>>>,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).insert(self.host.clone());
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct Trust {
    chains: Verifier,
    authorities: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.authorities.iter().any(|authority| authority == shown) {
            return self.chains.verify_server_cert(shown, intermediates, server, ocsp_response, now);
        }
        verify_server_name(&ParsedCertificate::try_from(shown)?, server)?;
        check_time(shown, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether the certificate is valid now.
fn check_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
    let (now, validity) = (now.ok_or(CertificateError::BadEncoding)?, parsed.validity());
    if now < validity.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after { Err(CertificateError::Expired.into()) } else { Ok(()) }
}
