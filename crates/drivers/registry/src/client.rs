//! What lasts from one transfer to the next.

use crate::auth::Tokens;
use crate::hosts::{Connection, Endpoint, Hosts};
use crate::{Credentials, HostsConfig, Purpose, RegistryError, Repository, Result, RetryPolicy};
use oci::Reference;
use reqwest::{Certificate, Identity};
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(15);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// Connections, tokens and the user's wishes about hosts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    hosts: Hosts,
    user_agent: String,
    pub(crate) tokens: Tokens,
    pub(crate) retry: RetryPolicy,
    /// A client each for hosts that are reached in another way.
    http: Mutex<Vec<(Reached, reqwest::Client)>>,
    /// Hosts that turned out to speak plain HTTP.
    plain: Mutex<HashSet<String>>,
}

/// What clients are told apart by.
#[derive(Debug, Clone, PartialEq)]
struct Reached {
    https: bool,
    connection: Connection,
}

impl Client {
    /// A client that calls itself `user_agent`.
    pub fn new(hosts: HostsConfig, user_agent: &str, retry: RetryPolicy) -> Self {
        // TLS comes with one provider of cryptography a process; that it has one already is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            inner: Arc::new(Inner {
                hosts: Hosts::new(hosts),
                user_agent: user_agent.to_owned(),
                tokens: Tokens::default(),
                retry,
                http: Mutex::default(),
                plain: Mutex::default(),
            }),
        }
    }

    /// The repository of `reference`, for this user.
    ///
    /// # Errors
    /// [`RegistryError::Blocked`], or a configuration of hosts that cannot be read.
    pub fn repository(
        &self,
        reference: &Reference,
        credentials: Option<Credentials>,
        purpose: Purpose,
    ) -> Result<Repository> {
        let mut endpoints = self.inner.hosts.endpoints(reference, purpose)?;
        let plain = self.inner.plain.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.retain(|endpoint| !endpoint.is_https() || !plain.contains(endpoint.host()));
        drop(plain);
        Ok(Repository::new(self.clone(), reference, endpoints, credentials, purpose))
    }

    /// From now on the host is not asked by HTTPS any more.
    pub(crate) fn speaks_plain(&self, host: &str) {
        self.inner.plain.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }

    /// The HTTP client for an endpoint. Clients keep connections open for the next request.
    pub(crate) fn http(&self, endpoint: &Endpoint) -> Result<reqwest::Client> {
        let reached = Reached { https: endpoint.is_https(), connection: endpoint.connection.clone() };
        let mut known = self.inner.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, http)) = known.iter().find(|(other, _)| *other == reached) {
            return Ok(http.clone());
        }
        let http = build(&reached, &self.inner.user_agent, endpoint.host())?;
        known.push((reached, http.clone()));
        Ok(http)
    }
}

fn build(reached: &Reached, user_agent: &str, host: &str) -> Result<reqwest::Client> {
    let connection = &reached.connection;
    let setup = |source| RegistryError::Setup { host: host.to_owned(), source: Box::new(source) };
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .default_headers(connection.headers.clone())
        .hickory_dns(true)
        .tcp_nodelay(true);
    if connection.skip_verify {
        builder = builder.danger_accept_invalid_certs(true);
    }
    for path in &connection.authorities {
        let bundle = Certificate::from_pem_bundle(&read(path)?).map_err(setup)?;
        builder = builder.tls_certs_merge(bundle);
    }
    for (certificate, key) in &connection.identities {
        let mut pem = read(certificate)?;
        if key != certificate {
            pem.push(b'\n');
            pem.extend(read(key)?);
        }
        builder = builder.identity(Identity::from_pem(&pem).map_err(setup)?);
    }
    builder.build().map_err(setup)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| RegistryError::Unreadable { path: path.to_owned(), source })
}
