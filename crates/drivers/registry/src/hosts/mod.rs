//! Where to ask for a repository: the registry itself, its mirrors, and how to reach each of them.
//!
//! Four sources, the first that knows the host wins: our own configuration, `hosts.toml` of containerd, `registries.conf` of
//! the containers project, and the default. Certificates come from docker's `certs.d` beside all of them.

mod certificates;
mod hosts_toml;
mod own;
mod registries_conf;

use crate::{Proxies, RegistryError, Result};
use oci::{DEFAULT_DOMAIN, Reference};
use reqwest::header::HeaderMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where Docker Hub's registry is.
const HUB: &str = "registry-1.docker.io";

/// What the user says about registries.
#[derive(Debug, Clone, Default)]
pub struct HostsConfig {
    /// Registry of names that say none; empty: Docker Hub.
    pub default: String,
    /// Hosts, `host:port`s and networks (`10.0.0.0/8`) that may speak plain HTTP or show any certificate. Loopback always may.
    pub insecure: Vec<String>,
    /// Base URLs to ask before the registry, by its host; `*` for all others.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// What a name that begins so is fetched as: `docker.io/library` as `registry.example/hub`.
    pub rewrites: BTreeMap<String, String>,
    /// Directories with one directory a host, that holds `hosts.toml` or certificates.
    pub directories: Vec<PathBuf>,
    /// Files in the format of `registries.conf`, and directories of such files.
    pub registries_conf: Vec<PathBuf>,
    /// Between this machine and registries elsewhere.
    pub proxies: Proxies,
    /// Whether the registry itself is asked and nobody in its place: who is a mirror may be named in those files.
    pub direct: bool,
}

/// What is going to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading.
    Pull,
    /// Writing: never to a mirror, unless it says that it takes it.
    Push,
}

/// One place that has a repository.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Up to and without the slash behind `v2`.
    pub(crate) base: String,
    /// The repository there.
    pub(crate) path: String,
    /// The registry that a mirror stands for, to be told to it.
    pub(crate) namespace: Option<String>,
    /// Whether it stands for another registry.
    pub(crate) is_mirror: bool,
    /// Whether it is the server of the registry that the image's name says: that one alone gets the user's password for it.
    pub(crate) is_origin: bool,
    pub(crate) connection: Connection,
}

/// How to reach a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Whether any certificate is good.
    pub(crate) skip_verify: bool,
    /// Further certificate authorities, PEM.
    pub(crate) authorities: Vec<PathBuf>,
    /// Client certificates and their keys, PEM; the two may be one file.
    pub(crate) identities: Vec<(PathBuf, PathBuf)>,
    /// Sent with each request.
    pub(crate) headers: HeaderMap,
}

impl Endpoint {
    /// `host` or `host:port` of the base.
    pub(crate) fn host(&self) -> &str {
        let rest = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.starts_with("https://")
    }
}

/// The user's wishes, to be asked for each repository: files may change at any time.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    config: HostsConfig,
}

impl Hosts {
    pub(crate) fn new(config: HostsConfig) -> Self {
        Self { config }
    }

    pub(crate) fn config(&self) -> &HostsConfig {
        &self.config
    }

    /// The places to try, in this order.
    pub(crate) fn endpoints(&self, reference: &Reference, purpose: Purpose) -> Result<Vec<Endpoint>> {
        let mut found = match own::by_default(&self.config, reference)? {
            Some(elsewhere) => {
                let mut found = self.configured(&elsewhere, purpose)?;
                // Behind it: who owns a name there must not get somebody else's image.
                found.extend(own::mirrors(&self.config, reference, purpose)?);
                found
            }
            None => self.configured(&own::rewritten(&self.config.rewrites, reference)?, purpose)?,
        };
        let host = origin_host(reference.domain());
        found.iter_mut().for_each(|endpoint| endpoint.is_origin = endpoint.host() == host);
        Ok(found)
    }

    fn configured(&self, reference: &Reference, purpose: Purpose) -> Result<Vec<Endpoint>> {
        if self.config.direct {
            return origin(&self.config, reference.domain(), reference.path(), false);
        }
        if let Some(found) = own::endpoints(&self.config, reference, purpose)? {
            return Ok(found);
        }
        if let Some(found) = hosts_toml::endpoints(&self.config, reference, purpose)? {
            return Ok(found);
        }
        if let Some(found) = registries_conf::endpoints(&self.config, reference, purpose)? {
            return Ok(found);
        }
        origin(&self.config, reference.domain(), reference.path(), false)
    }
}

/// Where a registry is.
fn origin_host(domain: &str) -> &str {
    if domain == DEFAULT_DOMAIN { HUB } else { domain }
}

/// The registry itself; one that may be insecure by HTTPS without a look at its certificate, then by HTTP.
fn origin(config: &HostsConfig, domain: &str, path: &str, insecure: bool) -> Result<Vec<Endpoint>> {
    let host = origin_host(domain);
    let insecure = insecure || is_insecure(config, host);
    let connection = certificates::of(&config.directories, domain)?;
    let endpoint = |scheme: &str, connection: Connection| Endpoint {
        base: format!("{scheme}://{host}/v2"),
        path: path.to_owned(),
        namespace: None,
        is_mirror: false,
        is_origin: true,
        connection,
    };
    let secure =
        Connection { skip_verify: insecure && connection.authorities.is_empty(), ..connection.clone() };
    let mut places = vec![endpoint("https", secure)];
    if insecure {
        places.push(endpoint("http", connection));
    }
    Ok(places)
}

/// Whether a host may speak plain HTTP: it is this machine, or the user says so.
fn is_insecure(config: &HostsConfig, host: &str) -> bool {
    let name = host_name(host);
    let address: Option<IpAddr> = name.parse().ok();
    let loopback = name == "localhost" || address.is_some_and(|address| address.is_loopback());
    loopback
        || config.insecure.iter().any(|entry| {
            entry == host || entry == name || address.is_some_and(|address| own::network_has(entry, address))
        })
}

/// A host without its port and brackets.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// A URL as users write it, with or without a scheme, as a base for requests.
fn base_of(url: &str, insecure: bool, whole_path: bool) -> Result<String> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some(_) => return Err(RegistryError::BadHost { host: url.to_owned() }),
        None => (if insecure { "http" } else { "https" }, url),
    };
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return Err(RegistryError::BadHost { host: url.to_owned() });
    }
    let versioned = whole_path || rest.ends_with("/v2");
    Ok(if versioned { format!("{scheme}://{rest}") } else { format!("{scheme}://{rest}/v2") })
}

#[cfg(test)]
mod tests;
