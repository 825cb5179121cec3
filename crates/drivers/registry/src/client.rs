//! What lasts from one transfer to the next.

use crate::auth::Tokens;
use crate::hosts::{Endpoint, Hosts};
use crate::http::{self, Reached};
use crate::{Credentials, HostsConfig, Purpose, Repository, Result, RetryPolicy};
use oci::Reference;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections, tokens and the user's wishes about hosts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) hosts: Hosts,
    pub(crate) user_agent: String,
    pub(crate) tokens: Tokens,
    pub(crate) retry: RetryPolicy,
    /// A client each for hosts that are reached in another way.
    http: Mutex<Vec<(Reached, reqwest::Client)>>,
    /// Hosts that turned out to speak plain HTTP.
    plain: Mutex<HashSet<String>>,
    /// Hosts whose servers have asked for a certificate that there is none of.
    pub(crate) ask_for_certificates: Arc<Mutex<HashSet<String>>>,
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
                ask_for_certificates: Arc::default(),
            }),
        }
    }

    /// The repository of `reference`, for this user.
    ///
    /// # Errors
    /// [`crate::RegistryError::Blocked`], or a configuration of hosts that cannot be read.
    pub fn repository(
        &self,
        reference: &Reference,
        credentials: Option<Credentials>,
        purpose: Purpose,
    ) -> Result<Repository> {
        let endpoints = self.inner.hosts.endpoints(reference, purpose)?;
        Ok(Repository::new(self.clone(), reference, endpoints, credentials, purpose))
    }

    /// Remembers whether a host that may speak plain HTTP does, so that it is not asked by HTTPS again and again.
    pub(crate) fn remember_plain(&self, host: &str, speaks_plain: bool) {
        let mut plain = self.inner.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if speaks_plain {
            plain.insert(host.to_owned());
        } else {
            plain.remove(host);
        }
    }

    /// Whether the host spoke plain HTTP when it was last asked.
    pub(crate) fn speaks_plain(&self, host: &str) -> bool {
        self.inner.plain.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }

    /// The HTTP client for an endpoint. Clients keep connections open for the next request.
    pub(crate) fn http(&self, endpoint: &Endpoint) -> Result<reqwest::Client> {
        self.client_for(endpoint, false)
    }

    /// The HTTP client for long bodies: the other side is silent while it receives, so nothing limits that.
    pub(crate) fn http_to_send(&self, endpoint: &Endpoint) -> Result<reqwest::Client> {
        self.client_for(endpoint, true)
    }

    fn client_for(&self, endpoint: &Endpoint, sends: bool) -> Result<reqwest::Client> {
        self.http_to(Reached::new(endpoint, sends), endpoint.host())
    }

    pub(crate) fn http_to(&self, reached: Reached, host: &str) -> Result<reqwest::Client> {
        let mut known = self.inner.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, http)) = known.iter().find(|(other, _)| *other == reached) {
            return Ok(http.clone());
        }
        known.retain(|(other, _)| !reached.replaces(other));
        let http = http::build(&reached, &self.inner, host)?;
        known.push((reached, http.clone()));
        Ok(http)
    }
}
