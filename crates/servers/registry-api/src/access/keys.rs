//! Public keys of token services: from certificates (distribution's `rootcertbundle`) or a JWKS (RFC 7517).

use super::AccessError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, Header};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, crypto};

/// Keys whose signatures are believed.
#[derive(Clone, Default)]
pub struct TrustedKeys {
    keys: Vec<(Option<String>, DecodingKey)>,
    /// Authorities of certificates that come with a token.
    authorities: Option<Arc<dyn ClientCertVerifier>>,
}

impl TrustedKeys {
    /// The keys of the certificates in a file, PEM; and of certificates that these have signed.
    ///
    /// # Errors
    /// [`AccessError::File`], [`AccessError::NoKey`], [`AccessError::BadAuthority`].
    pub fn certificates(path: &Path) -> Result<Self, AccessError> {
        let text = read(path)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok).collect();
        let keys: Vec<_> = chain.iter().filter_map(key_of).map(|key| (None, key)).collect();
        if keys.is_empty() {
            return Err(AccessError::NoKey { path: path.to_owned() });
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain);
        let provider = Arc::new(crypto::ring::default_provider());
        let authorities = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|source| AccessError::BadAuthority { path: path.to_owned(), source })?;
        Ok(Self { keys, authorities: Some(authorities) })
    }

    /// The keys of a JWKS file. Those of kinds that nobody signs with here are left out.
    ///
    /// # Errors
    /// [`AccessError::File`], [`AccessError::BadKeys`], [`AccessError::NoKey`].
    pub fn jwks(path: &Path) -> Result<Self, AccessError> {
        let set: JwkSet = serde_json::from_str(&read(path)?)
            .map_err(|source| AccessError::BadKeys { path: path.to_owned(), source })?;
        let key = |jwk: &jsonwebtoken::jwk::Jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            // A secret that is in a file of public keys is none.
            (key.family() != AlgorithmFamily::Hmac).then(|| (jwk.common.key_id.clone(), key))
        };
        let keys: Vec<_> = set.keys.iter().filter_map(key).collect();
        if keys.is_empty() {
            Err(AccessError::NoKey { path: path.to_owned() })
        } else {
            Ok(Self { keys, authorities: None })
        }
    }

    /// One key.
    pub(crate) fn one(id: String, key: DecodingKey) -> Self {
        Self { keys: vec![(Some(id), key)], authorities: None }
    }

    /// The keys that may have signed a token: those that it names, or all of its kind.
    pub(crate) fn candidates(&self, header: &Header) -> Vec<DecodingKey> {
        let named = |id: &Option<String>| match (id, &header.kid) {
            (Some(id), Some(named)) => id == named,
            _ => true,
        };
        let known = self.keys.iter().filter(|(id, _)| named(id)).map(|(_, key)| key.clone());
        let mut keys: Vec<_> = known.chain(self.brought_along(header)).collect();
        keys.retain(|key| key.family() == header.alg.family());
        keys
    }

    /// The key of a certificate that the token brings along, if an authority has signed it (RFC 7515, section 4.1.6).
    fn brought_along(&self, header: &Header) -> Option<DecodingKey> {
        let authorities = self.authorities.as_ref()?;
        let chain: Option<Vec<_>> =
            header.x5c.as_ref()?.iter().map(|text| BASE64_STANDARD.decode(text).ok()).collect();
        let chain: Vec<_> = chain?.into_iter().map(CertificateDer::from).collect();
        let (leaf, between) = chain.split_first()?;
        authorities.verify_client_cert(leaf, between, UnixTime::now()).ok()?;
        key_of(leaf)
    }
}

/// The public key of a certificate.
fn key_of(certificate: &CertificateDer<'_>) -> Option<DecodingKey> {
    let text = BASE64_STANDARD.encode(certificate);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let pem = pem.as_bytes();
    let key = DecodingKey::from_ec_pem(pem).or_else(|_| DecodingKey::from_rsa_pem(pem));
    key.or_else(|_| DecodingKey::from_ed_pem(pem)).ok()
}

fn read(path: &Path) -> Result<String, AccessError> {
    std::fs::read_to_string(path).map_err(|source| AccessError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedKeys({})", self.keys.len())
    }
}
