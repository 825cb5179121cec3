//! TLS for servers: certificates that may change while the server runs, and authorities of clients.

use errors::{Class, Classified};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

/// How often, at most, it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(1);

/// The files of a TLS listener, PEM each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its root.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// Authorities whose clients are let in; none: every client is.
    pub client_authority: Option<PathBuf>,
}

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum TlsError {
    /// A file can't be read or is no PEM.
    #[error("read {what} from {}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    /// No certificate in the file.
    #[error("no certificate in {}", path.display())]
    Empty { path: PathBuf },
    /// Certificate and key do not belong together, or are unusable.
    #[error("use the certificate {}", path.display())]
    Pair {
        path: PathBuf,
        #[source]
        source: rustls::Error,
    },
    /// The authorities are unusable.
    #[error("use the client authorities in {}", path.display())]
    Authority {
        path: PathBuf,
        #[source]
        source: VerifierBuilderError,
    },
}

impl Classified for TlsError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// A configuration that follows its files. While new files can't be used, the old configuration stays.
#[derive(Debug)]
pub struct ReloadingConfig {
    files: TlsFiles,
    protocols: Vec<Vec<u8>>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    version: Vec<Option<SystemTime>>,
    looked: Instant,
}

impl TlsFiles {
    /// What tells one version of the files from the next.
    fn version(&self) -> Vec<Option<SystemTime>> {
        let files = [Some(&self.certificate), Some(&self.key), self.client_authority.as_ref()];
        let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|stat| stat.modified()).ok();
        files.into_iter().flatten().map(changed).collect()
    }
}

impl ReloadingConfig {
    /// The configuration of a TLS listener that speaks these protocols (ALPN), the best first.
    ///
    /// # Errors
    /// Names the file that can't be used.
    pub fn load(files: TlsFiles, protocols: &[&str]) -> Result<Arc<Self>, TlsError> {
        let version = files.version();
        let protocols: Vec<Vec<u8>> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let current = Current { config: load(&files, &protocols)?, version, looked: Instant::now() };
        Ok(Arc::new(Self { files, protocols, current: Mutex::new(current) }))
    }

    /// For the next client. Looks, at most once a second, whether the files have changed.
    pub fn current(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK {
            current.looked = Instant::now();
            let version = self.files.version();
            if version != current.version {
                match load(&self.files, &self.protocols) {
                    Ok(config) => {
                        tracing::info!(certificate = %self.files.certificate.display(), "reloaded");
                        (current.config, current.version) = (config, version);
                    }
                    // Mostly one of the two files is not there yet: the next look tells.
                    Err(error) => tracing::warn!(error = %errors::chain(&error), "keep the old certificate"),
                }
            }
        }
        Arc::clone(&current.config)
    }
}

fn load(files: &TlsFiles, protocols: &[Vec<u8>]) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::File {
        what: "a private key",
        path: files.key.clone(),
        source,
    })?;
    let pair = |source| TlsError::Pair { path: files.certificate.clone(), source };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let authority = |source| TlsError::Authority { path: path.clone(), source };
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
    config.alpn_protocols = protocols.to_vec();
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::File { what: "certificates", path: path.to_owned(), source };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if chain.is_empty() { Err(TlsError::Empty { path: path.to_owned() }) } else { Ok(chain) }
}
