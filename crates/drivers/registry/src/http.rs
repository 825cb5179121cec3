//! HTTP clients: the certificates that they know, the proxies that they use, and how long a silence may last.

use crate::client::Inner;
use crate::hosts::{Connection, Endpoint};
use crate::{RegistryError, Result};
use reqwest::{Certificate, ClientBuilder, Identity};
use std::fs;
use std::path::Path;

/// What clients are told apart by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reached {
    https: bool,
    sends: bool,
    connection: Connection,
}

impl Reached {
    /// `sends`: for bodies that take their time.
    pub(crate) fn new(endpoint: &Endpoint, sends: bool) -> Self {
        Self { https: endpoint.is_https(), sends, connection: endpoint.connection.clone() }
    }

    /// As a host that nobody has said anything about.
    pub(crate) fn anything(https: bool) -> Self {
        Self { https, sends: false, connection: Connection::default() }
    }
}

pub(crate) fn build(reached: &Reached, client: &Inner, host: &str) -> Result<reqwest::Client> {
    let setup = |source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) };
    let authorities = authorities(&reached.connection, host)?;
    let built = builder(reached, client, host)?.tls_certs_merge(authorities.clone()).build();
    built.or_else(|error| {
        // A machine without any certificate authority still reaches what needs none of them.
        if reached.https && authorities.is_empty() {
            return Err(setup(error));
        }
        builder(reached, client, host)?.tls_certs_only(authorities).build().map_err(setup)
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

fn authorities(connection: &Connection, host: &str) -> Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for path in &connection.authorities {
        let bundle = Certificate::from_pem_bundle(&read(path)?)
            .map_err(|source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) })?;
        found.extend(bundle);
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| RegistryError::Unreadable { path: path.to_owned(), source })
}
