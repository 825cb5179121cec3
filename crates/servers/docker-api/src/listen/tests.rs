//! Sockets of each kind, with a client on the other side.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use server_tls::{TlsError, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

#[tokio::test]
async fn a_unix_socket_is_for_its_owner_and_group_and_replaces_a_dead_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // its owner died
    let listener = unix(&path, None).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(listener.to_string(), format!("unix://{}", path.display()));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left there");
    let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
    let mut server = listener.accept().await.unwrap().establish().await.unwrap();
    client.write_all(b"hi").await.unwrap();
    let mut bytes = [0; 2];
    server.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"hi");
    assert!(matches!(unix(&path, None), Err(ListenError::Busy { .. })), "a daemon that lives is left alone");
}

#[tokio::test]
async fn sockets_that_others_bound_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let bound = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(inherited(bound.into()).unwrap().to_string(), format!("unix://{}", path.display()));
    let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap();
    assert_eq!(inherited(bound.into()).unwrap().tcp_address(), Some(address));
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(matches!(inherited(file.into()), Err(ListenError::Inherited { .. })));
}

struct Authority {
    dir: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { dir: tempfile::tempdir().unwrap(), issuer };
        std::fs::write(authority.path("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A certificate with its key.
    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self) -> TlsFiles {
        let (certificate, key) = self.issue();
        let files = TlsFiles {
            certificate: self.path("cert.pem"),
            key: self.path("key.pem"),
            client_authority: Some(self.path("ca.pem")),
        };
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn client(&self, with_certificate: bool) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        if !with_certificate {
            return builder.with_no_client_auth();
        }
        let (certificate, key) = self.issue();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
    }
}

/// What the server reads from a client that says "hi".
async fn over_tls(files: &TlsFiles, client: ClientConfig) -> io::Result<Vec<u8>> {
    let listener = tls("127.0.0.1:0".parse().unwrap(), files.clone()).await.unwrap();
    let address = listener.tcp_address().unwrap();
    let server = async {
        let mut stream = listener.accept().await?.establish().await?;
        let mut bytes = vec![0; 2];
        stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    };
    let client = async {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::IpAddress(address.ip().into());
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
        stream.write_all(b"hi").await?;
        stream.flush().await
    };
    let (read, _) = tokio::join!(server, client);
    read
}

#[tokio::test]
async fn only_clients_of_the_authority_are_let_in() {
    let authority = Authority::new();
    let files = authority.server();
    assert_eq!(over_tls(&files, authority.client(true)).await.unwrap(), b"hi");
    assert!(over_tls(&files, authority.client(false)).await.is_err());
    let stranger = Authority::new();
    let mut client = stranger.client(true);
    // Trusts our server, but comes with a certificate of another authority.
    let mut roots = RootCertStore::empty();
    roots.add(authority.issuer.der().clone()).unwrap();
    client = {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let resolver = client.client_auth_cert_resolver;
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(resolver)
    };
    assert!(over_tls(&files, client).await.is_err());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let mut files = authority.server();
    files.key = authority.path("absent.pem");
    let refused = async |files| tls("127.0.0.1:0".parse().unwrap(), files).await.err().unwrap();
    let error = errors::chain(&refused(files).await);
    assert!(error.starts_with("read a private key from ") && error.contains("absent.pem"), "{error}");
    let mut files = authority.server();
    files.client_authority = Some(files.key.clone());
    assert!(matches!(refused(files).await, ListenError::Tls(TlsError::Empty { .. })));
}
