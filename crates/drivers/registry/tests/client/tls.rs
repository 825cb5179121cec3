//! Registries over TLS: authorities of one's own, certificates of clients, and none at all.

use crate::scripted::Registry;
use crate::support::{at, client, text, user};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use registry::{HostsConfig, Purpose, RegistryError, Target};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// An authority, that certificates for servers and clients come from.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    /// A registry on loopback; `clients`: it wants to see certificates of this authority.
    async fn registry(&self, clients: bool) -> Registry {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (certificate, key) = self.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.0.der().to_vec())).unwrap();
        let builder = ServerConfig::builder();
        let builder = if clients {
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        serving(config).await
    }
}

/// On loopback.
async fn serving(config: ServerConfig) -> Registry {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    Registry::serve(Listener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) }, address)
}

struct Listener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // A client that does not trust it goes away; the next one may.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

fn hosts(directory: &Path) -> HostsConfig {
    HostsConfig { directories: vec![directory.to_owned()], ..HostsConfig::default() }
}

fn manifest(registry: &Registry) -> Target {
    registry.put("app/manifests/latest", None, r#"{"schemaVersion":2,"manifests":[]}"#);
    Target::Tag("latest".to_owned())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_believed_and_no_other() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let registry = authority.registry(false).await;
    let latest = manifest(&registry);
    let certificates = dir.path().join(registry.host());
    fs::create_dir(&certificates).unwrap();
    fs::write(certificates.join("ca.crt"), authority.0.pem()).unwrap();
    at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull).manifest(&latest).await.unwrap();
    fs::write(certificates.join("ca.crt"), Authority::new().0.pem()).unwrap();
    let stranger = at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull);
    let error = stranger.manifest(&latest).await.unwrap_err();
    assert!(text(&error).contains("certificate"), "{}", text(&error));
    fs::write(certificates.join("ca.crt"), "nothing").unwrap();
    let broken = at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull);
    let error = broken.manifest(&latest).await.unwrap_err();
    assert!(matches!(error, RegistryError::BadConfig { .. }), "{}", text(&error));
    assert!(text(&error).ends_with("ca.crt: there is no certificate in it"), "{}", text(&error));
}

#[tokio::test]
async fn an_authority_that_is_exchanged_counts_at_once() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let registry = authority.registry(false).await;
    let latest = manifest(&registry);
    let file = dir.path().join(registry.host()).join("ca.crt");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, Authority::new().0.pem()).unwrap();
    let client = client(hosts(dir.path()));
    let asked = async || at(&client, &registry.host(), None, Purpose::Pull).manifest(&latest).await;
    let error = text(&asked().await.unwrap_err());
    assert!(error.contains("certs.d/HOST/ca.crt"), "it says what to do: {error}");
    fs::write(&file, authority.0.pem()).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
    fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
    asked().await.unwrap();
}

/// As `openssl req -x509` makes it: an authority by its own words, and its own server.
#[tokio::test]
async fn a_certificate_that_signs_itself_is_believed_by_name_and_in_its_time() {
    let year = |year| rcgen::date_time_ymd(year, 1, 1);
    let made = async |name: &str, until: i32| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (year(2020), year(until));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        (serving(config).await, certificate.pem())
    };
    let asked = async |(registry, pem): &(Registry, String)| {
        let (dir, latest) = (tempfile::tempdir().unwrap(), manifest(registry));
        fs::create_dir(dir.path().join(registry.host())).unwrap();
        fs::write(dir.path().join(registry.host()).join("ca.crt"), pem).unwrap();
        at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull).manifest(&latest).await
    };
    asked(&made("127.0.0.1", 2090).await).await.unwrap();
    let other = text(&asked(&made("127.0.0.2", 2090).await).await.unwrap_err());
    assert!(other.contains("not valid for"), "{other}");
    let expired = text(&asked(&made("127.0.0.1", 2021).await).await.unwrap_err());
    assert!(expired.to_lowercase().contains("expired"), "{expired}");
    let (good, _) = made("127.0.0.1", 2090).await;
    let unknown = asked(&(good, made("127.0.0.1", 2090).await.1)).await;
    assert!(unknown.is_err(), "only the one that was written down");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let registry = authority.registry(true).await;
    let latest = manifest(&registry);
    let certificates = dir.path().join(registry.host());
    fs::create_dir(&certificates).unwrap();
    fs::write(certificates.join("ca.crt"), authority.0.pem()).unwrap();
    let without = at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull);
    let error = without.manifest(&latest).await.unwrap_err();
    let wanted = format!("put it into certs.d/{}/client.cert", registry.host());
    assert!(text(&error).contains(&wanted), "{}", text(&error));
    let (certificate, key) = authority.issue("someone", ExtendedKeyUsagePurpose::ClientAuth);
    fs::write(certificates.join("me.cert"), certificate.pem()).unwrap();
    fs::write(certificates.join("me.key"), key.serialize_pem()).unwrap();
    at(&client(hosts(dir.path())), &registry.host(), None, Purpose::Pull).manifest(&latest).await.unwrap();
}

/// Docker's rule: what is on this machine may show any certificate, and what it answers over TLS is the answer.
#[tokio::test]
async fn on_loopback_any_certificate_is_good() {
    let registry = Authority::new().registry(false).await;
    let latest = manifest(&registry);
    let client = client(HostsConfig::default());
    let repository = at(&client, &registry.host(), None, Purpose::Pull);
    repository.manifest(&latest).await.unwrap();
    let gone = repository.manifest(&Target::Tag("gone".to_owned())).await.unwrap_err();
    assert!(matches!(gone, RegistryError::ManifestUnknown { .. }), "{}", text(&gone));
    registry.guard(|_| Some(crate::scripted::says(401, &[("www-authenticate", "Basic realm=x")], "")));
    let wrong = client.login(&registry.host(), &user("a", "c").unwrap()).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::Unauthorized { .. }), "{}", text(&wrong));
}
