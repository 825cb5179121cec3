//! An etcd that shows a certificate and wants to see one.

use super::server::Etcd;
use super::{Options, open_etcd};
use crate::{StoreError, Transaction};
use errors::{Class, Classified};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::path::{Path, PathBuf};

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Files of a certificate and its key.
fn issue(authority: &CertifiedIssuer<'static, KeyPair>, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let files = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    std::fs::write(&files.0, certificate.pem()).unwrap();
    std::fs::write(&files.1, key.serialize_pem()).unwrap();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_both_sides_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, others) = (authority("ours"), authority("others"));
    let file = |name: &str, authority: &CertifiedIssuer<'static, KeyPair>| {
        let path = dir.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        path
    };
    let (ca, other_ca) = (file("ca.pem", &ours), file("other.pem", &others));
    let (certificate, key) = issue(&ours, dir.path(), "server");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (certificate, key, authorities) = (text(&certificate), text(&key), text(&ca));
    let flags = [
        "--cert-file",
        &certificate,
        "--key-file",
        &key,
        "--client-cert-auth",
        "--trusted-ca-file",
        &authorities,
    ];
    let server = Etcd::start(&flags);
    let (shown, shown_key) = issue(&ours, dir.path(), "engine");
    let options = Options {
        authority: Some(ca),
        certificate: Some(shown),
        key: Some(shown_key),
        ..Options::new(vec![server.url()], "p".into(), "one".into(), "host of one".into())
    };
    let store = open_etcd(&options).await.unwrap();
    store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    assert!(store.get("a").await.unwrap().is_some());

    let nothing_shown = Options { certificate: None, key: None, ..options.clone() };
    let error = open_etcd(&nothing_shown).await.unwrap_err();
    // The server's word comes or not, according to which side is quicker.
    assert!(error.class() == Class::Unavailable && error.to_string().contains(&server.url()), "{error}");
    let error = open_etcd(&Options { authority: Some(other_ca), ..options.clone() }).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    let missing = Options { authority: Some(dir.path().join("absent")), ..options };
    let error = open_etcd(&missing).await.unwrap_err();
    assert!(matches!(error, StoreError::BadOption { .. }) && error.to_string().contains("absent"), "{error}");
}
