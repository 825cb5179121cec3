//! A registry that stands for others: what it lacks it fetches there, and keeps.
//!
//! What a tag means is asked there at most once in a while, and served as it was last known where nobody answers. What
//! has a digest never changes and is asked for once. A blob goes to its clients while it is stored, see `flight`.
//!
//! The repository `library/debian` of `docker.io` is kept as `docker.io/library/debian`, so that each upstream has names
//! of its own.

mod blobs;
mod checked;
mod flight;
mod manifests;

pub use manifests::Mirrored;

use crate::{Repositories, RepositoryError, RepositoryName, Result};
use checked::Checked;
use flight::Flights;
use oci::Reference;
use registry::{Client, Credentials, Purpose, Repository};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So many repositories of upstreams are remembered, with the tokens that they wanted.
const REMEMBERED: usize = 1000;

/// A registry to fetch from.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// As names of images have it: `docker.io`, `registry.example:5000`.
    pub host: String,
    /// What to prove an identity with there.
    pub credentials: Option<Credentials>,
}

/// Repositories that are filled from others. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirror {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    repositories: Repositories,
    client: Client,
    upstreams: Vec<Upstream>,
    ttl: Duration,
    checked: Checked,
    flights: Flights,
    known: Mutex<HashMap<RepositoryName, Repository>>,
}

/// One repository: here, and where it comes from.
#[derive(Debug, Clone)]
struct Place {
    local: RepositoryName,
    remote: Repository,
}

impl Mirror {
    /// Of these upstreams, of which the first is meant where a client names none. What a tag means is asked once in `ttl`.
    pub fn new(repositories: Repositories, client: Client, upstreams: Vec<Upstream>, ttl: Duration) -> Self {
        let (checked, flights, known) = Default::default();
        Self { inner: Arc::new(Inner { repositories, client, upstreams, ttl, checked, flights, known }) }
    }

    /// Where a name is, here and there. `namespace`: the upstream that the client means.
    fn place(&self, name: &RepositoryName, namespace: Option<&str>) -> Result<Place> {
        let upstream = match namespace {
            None => self.inner.upstreams.first(),
            Some(wanted) => self.inner.upstreams.iter().find(|upstream| upstream.host == canonical(wanted)),
        };
        let unknown = || RepositoryError::NameUnknown { name: name.clone() };
        let upstream = upstream.ok_or_else(unknown)?;
        let reference: Reference = format!("{}/{name}", upstream.host).parse().map_err(|_| unknown())?;
        let local: RepositoryName = format!("{}/{}", component(&upstream.host), reference.path()).parse()?;
        let mut known = self.inner.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remote) = known.get(&local) {
            return Ok(Place { local, remote: remote.clone() });
        }
        let remote = self.inner.client.repository(&reference, upstream.credentials.clone(), Purpose::Pull)?;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(local.clone(), remote.clone());
        Ok(Place { local, remote })
    }
}

/// The name of Docker Hub that images have, for those of its machines.
fn canonical(host: &str) -> &str {
    match host {
        "registry-1.docker.io" | "index.docker.io" => oci::DEFAULT_DOMAIN,
        host => host,
    }
}

/// A host as a component of a name: ports and brackets become hyphens.
fn component(host: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    host.chars().map(safe).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_components_of_names() {
        for (host, expected) in [
            ("docker.io", "docker.io"),
            ("Registry.Example:5000", "registry.example-5000"),
            ("[::1]:5000", "1--5000"),
        ] {
            assert_eq!(component(host), expected);
            assert!(expected.parse::<RepositoryName>().is_ok(), "{expected}");
        }
    }
}
