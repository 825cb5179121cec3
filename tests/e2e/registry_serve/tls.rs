//! Our registry over TLS: a certificate of an authority that the engine was told of, one that changes, and clients that
//! have to show one.

use std::fs;
use std::path::Path;
use std::process::Command;
use tests::{Need, OwnRegistry, Run, Settings, TestEngine, eventually, lacks, skip, with_private_engine};

/// An authority for one test, with `openssl`.
struct Authority<'a>(&'a Path);

impl<'a> Authority<'a> {
    fn new(directory: &'a Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        let this = Self(directory);
        this.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt");
        this
    }

    #[track_caller]
    fn openssl(&self, arguments: &str) {
        Run::of(Command::new("openssl").args(arguments.split(' ')).current_dir(self.0)).ok();
    }

    /// `<name>.crt` and `<name>.key`.
    fn sign(&self, name: &str) {
        fs::write(self.0.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        self.openssl(&format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        self.openssl(&format!("x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.crt"));
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

/// Runs a test with an engine that reads certificates in `certs` of its directory.
#[track_caller]
fn with_certificates(test: impl FnOnce(&TestEngine, &Authority<'_>, &Path)) {
    if let Some(lacking) = lacks(&[Need::Program("openssl")]) {
        return skip(&lacking);
    }
    let place = tempfile::tempdir().unwrap();
    let certificates = place.path().join("certs");
    let config = format!("registry: {{config_dirs: ['{}']}}\n", certificates.display());
    with_private_engine(Settings { config, ..Settings::default() }, |engine| {
        test(engine, &Authority::new(&place.path().join("authority")), &certificates);
    });
}

/// Where the engine looks for what concerns a registry.
fn of(certificates: &Path, registry: &OwnRegistry) -> std::path::PathBuf {
    let directory = certificates.join(registry.host());
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn only_who_knows_the_authority_trusts_the_registry() {
    with_certificates(|engine, authority, certificates| {
        authority.sign("server");
        let (certificate, key) = (authority.path("server.crt"), authority.path("server.key"));
        let flags = ["--tls-certificate", &certificate, "--tls-key", &key];
        let registry = OwnRegistry::start(&engine.directory().join("storage"), &flags);
        let name = registry.name("app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        fs::copy(authority.path("ca.crt"), of(certificates, &registry).join("ca.crt")).unwrap();
        engine.docker(&["push", &name]).ok();
        engine.docker(&["rmi", &name]).ok();
        engine.docker(&["pull", &name]).ok();
        // Of another authority, without a restart of the registry: who was trusted is not any more.
        let place = engine.directory().join("other");
        let other = Authority::new(&place);
        other.sign("server");
        fs::copy(other.path("server.key"), &key).unwrap();
        fs::copy(other.path("server.crt"), &certificate).unwrap();
        let new_clients_trust = |authority: &Authority<'_>| {
            let ca = authority.path("ca.crt");
            let mut client = Command::new("openssl");
            client.args(["s_client", "-verify_return_error", "-CAfile", &ca, "-connect", &registry.host()]);
            Run::of(&mut client).code == 0
        };
        eventually("the new certificate", || new_clients_trust(&other).then_some(()));
        assert!(!new_clients_trust(authority));
        // The engine may go on over a connection that it has.
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        engine.docker(&["pull", &name]).fails(1, "certificate");
        engine.kill_daemon();
        fs::copy(other.path("ca.crt"), of(certificates, &registry).join("ca.crt")).unwrap();
        engine.restart_daemon(&[]);
        engine.docker(&["pull", &name]).ok();
    });
}

#[test]
fn clients_without_a_certificate_stay_outside() {
    with_certificates(|engine, authority, certificates| {
        authority.sign("server");
        authority.sign("client");
        let ca = authority.path("ca.crt");
        let (certificate, key) = (authority.path("server.crt"), authority.path("server.key"));
        let flags = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-client-ca", &ca];
        let registry = OwnRegistry::start(&engine.directory().join("storage"), &flags);
        let name = registry.name("app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        let directory = of(certificates, &registry);
        fs::copy(&ca, directory.join("ca.crt")).unwrap();
        engine.docker(&["push", &name]).fails(1, "asks for a certificate of the client");
        fs::copy(authority.path("client.crt"), directory.join("client.cert")).unwrap();
        fs::copy(authority.path("client.key"), directory.join("client.key")).unwrap();
        engine.docker(&["push", &name]).ok();
        engine.docker(&["pull", &name]).ok();
    });
}
