//! A client that does not wait long, and content to transfer.

use crate::scripted::Registry;
use oci::Digest;
use registry::{Client, Credentials, Download, HostsConfig, Purpose, Repository, RetryPolicy};
use sha2::Digest as _;
use std::time::Duration;

/// Three tries, and no patience.
pub(crate) fn hasty() -> RetryPolicy {
    RetryPolicy {
        attempts: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(20),
        connect: Duration::from_secs(2),
        silence: Duration::from_millis(300),
    }
}

pub(crate) fn client(hosts: HostsConfig) -> Client {
    Client::new(hosts, "tests", hasty())
}

/// The repository `app` of a registry.
pub(crate) fn app(registry: &Registry, purpose: Purpose) -> Repository {
    app_as(registry, None, purpose)
}

pub(crate) fn app_as(registry: &Registry, credentials: Option<Credentials>, purpose: Purpose) -> Repository {
    at(&client(HostsConfig::default()), &registry.host(), credentials, purpose)
}

/// The repository `app` at a host.
pub(crate) fn at(
    client: &Client,
    host: &str,
    credentials: Option<Credentials>,
    purpose: Purpose,
) -> Repository {
    client.repository(&format!("{host}/app").parse().unwrap(), credentials, purpose).unwrap()
}

pub(crate) fn user(name: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::Basic { user: name.to_owned(), password: password.to_owned() })
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest::sha256(sha2::Sha256::digest(bytes).into())
}

/// Bytes that are all different in order, so that a piece in the wrong place shows.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A blob in the repository `app`.
pub(crate) fn blob(registry: &Registry, length: usize) -> (Digest, Vec<u8>) {
    let content = noise(length);
    let digest = sha256(&content);
    registry.put_blob("app", digest.as_str(), content.clone());
    (digest, content)
}

/// All that still comes.
pub(crate) async fn rest(download: &mut Download) -> registry::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = download.piece().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Text of an error and of all its causes.
pub(crate) fn text(error: &registry::RegistryError) -> String {
    errors::chain(error)
}
