//! TLS with client certificates, as `--tlsverify` does it.

use errors::{Class, Classified};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

/// The files of a TLS listener, PEM each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its root.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// Authorities whose clients are let in; none: every client is, which is root access for everybody who can
    /// reach the port.
    pub client_authority: Option<PathBuf>,
}

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or is no PEM.
    #[error("read {what} from {}", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        #[source]
        #[allow(missing_docs, reason = "the reader's reason")]
        cause: pem::Error,
    },
    /// No certificate in the file.
    #[error("no certificate in {}", path.display())]
    Empty {
        /// Its path.
        path: PathBuf,
    },
    /// Certificate and key do not belong together, or are unusable.
    #[error("use the certificate {}", path.display())]
    Pair {
        /// Of the certificate.
        path: PathBuf,
        #[source]
        #[allow(missing_docs, reason = "the library's reason")]
        cause: rustls::Error,
    },
    /// The authorities are unusable.
    #[error("use the client authorities in {}", path.display())]
    Authority {
        /// Of the authorities.
        path: PathBuf,
        #[source]
        #[allow(missing_docs, reason = "the library's reason")]
        cause: VerifierBuilderError,
    },
}

impl Classified for TlsError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// The configuration of a TLS listener, for [`crate::tls`].
///
/// # Errors
/// Names the file that can't be used.
pub fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|cause| TlsError::File {
        what: "a private key",
        path: files.key.clone(),
        cause,
    })?;
    let pair = |cause| TlsError::Pair { path: files.certificate.clone(), cause };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let authority = |cause| TlsError::Authority { path: path.clone(), cause };
            let mut roots = RootCertStore::empty();
            let (added, _) = roots.add_parsable_certificates(certificates(path)?);
            if added == 0 {
                return Err(TlsError::Empty { path: path.clone() });
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(authority)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |cause| TlsError::File { what: "certificates", path: path.to_owned(), cause };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if chain.is_empty() { Err(TlsError::Empty { path: path.to_owned() }) } else { Ok(chain) }
}
