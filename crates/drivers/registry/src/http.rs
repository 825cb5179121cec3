//! HTTP clients: the certificates that they know, the proxies that they use, and how long a silence may last.

use crate::client::Inner;
use crate::hosts::{Connection, Endpoint};
use crate::trust::{self, Asked};
use crate::{RegistryError, Result};
use reqwest::{ClientBuilder, Identity};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What clients are told apart by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reached {
    https: bool,
    sends: bool,
    connection: Connection,
    /// When the files of certificates were changed: what comes in their place counts from then on.
    versions: Vec<Option<SystemTime>>,
}

impl Reached {
    /// `sends`: for bodies that take their time.
    pub(crate) fn new(endpoint: &Endpoint, sends: bool) -> Self {
        let connection = endpoint.connection.clone();
        let files = connection.identities.iter().flat_map(|(certificate, key)| [certificate, key]);
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|stat| stat.modified()).ok();
        let versions = files.chain(&connection.authorities).map(changed).collect();
        Self { https: endpoint.is_https(), sends, connection, versions }
    }

    /// As a host that nobody has said anything about.
    pub(crate) fn anything(https: bool) -> Self {
        Self { https, sends: false, connection: Connection::default(), versions: Vec::new() }
    }

    /// Whether this is the same way with newer files.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        let Self { https, sends, connection, versions } = self;
        (*https, *sends, connection) == (other.https, other.sends, &other.connection)
            && *versions != other.versions
    }
}

pub(crate) fn build(reached: &Reached, client: &Inner, host: &str) -> Result<reqwest::Client> {
    let setup = |source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) };
    let connection = &reached.connection;
    if !connection.authorities.is_empty() && !connection.skip_verify {
        let asked = Asked { host: host.to_owned(), hosts: Arc::clone(&client.ask_for_certificates) };
        let settings = trust::config(authorities(connection)?, identity(connection)?, asked);
        let settings = settings.map_err(|error| RegistryError::BadConfig {
            path: connection.authorities[0].clone(),
            reason: error.to_string(),
        })?;
        return builder(reached, client, host)?.tls_backend_preconfigured(settings).build().map_err(setup);
    }
    let built = with_identities(builder(reached, client, host)?, connection, host)?.build();
    built.or_else(|error| {
        // A machine without any certificate authority still reaches what needs none of them.
        if reached.https {
            return Err(setup(error));
        }
        builder(reached, client, host)?.tls_certs_only([]).build().map_err(setup)
    })
}

fn builder(reached: &Reached, client: &Inner, host: &str) -> Result<ClientBuilder> {
    let connection = &reached.connection;
    let setup = |source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) };
    let mut builder = reqwest::Client::builder()
        .user_agent(&client.user_agent)
        .connect_timeout(client.retry.connect)
        .hickory_dns(true)
        // What a redirect leads to need not know whence.
        .referer(false)
        .tcp_nodelay(true);
    if !connection.headers.is_empty() {
        // Followed by hand then: what the user wants this server to be told is for no other.
        builder = builder.redirect(reqwest::redirect::Policy::none());
    }
    if !reached.sends {
        builder = builder.read_timeout(client.retry.silence);
    }
    builder = client.hosts.config().proxies.apply(builder).map_err(setup)?;
    if connection.skip_verify {
        builder = builder.danger_accept_invalid_certs(true);
    }
    Ok(builder)
}

/// The certificates that a client shows, where those of servers are the machine's business.
fn with_identities(mut builder: ClientBuilder, connection: &Connection, host: &str) -> Result<ClientBuilder> {
    let setup = |source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) };
    for (certificate, key) in &connection.identities {
        let mut pem = read(certificate)?;
        if key != certificate {
            pem.push(b'\n');
            pem.extend(read(key)?);
        }
        builder = builder.identity(Identity::from_pem(&pem).map_err(setup)?);
    }
    Ok(builder)
}

fn authorities(connection: &Connection) -> Result<Vec<CertificateDer<'static>>> {
    let each = connection.authorities.iter().map(|path| certificates(path));
    Ok(each.collect::<Result<Vec<_>>>()?.concat())
}

fn identity(
    connection: &Connection,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>> {
    let Some((certificate, key)) = connection.identities.last() else { return Ok(None) };
    let bad = |error: pem::Error| RegistryError::BadConfig { path: key.clone(), reason: error.to_string() };
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(bad)?;
    Ok(Some((certificates(certificate)?, private)))
}

/// The certificates in a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |reason: String| RegistryError::BadConfig { path: path.to_owned(), reason };
    let text = read(path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<std::result::Result<Vec<_>, _>>();
    let found = found.map_err(|error| bad(error.to_string()))?;
    if found.is_empty() { Err(bad("there is no certificate in it".to_owned())) } else { Ok(found) }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| RegistryError::Unreadable { path: path.to_owned(), source })
}
