//! The registry that the engine serves.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The registry that the engine serves, in its root directory: what is pushed to it is run without a copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// `address:port`; none: no registry is served.
    pub listen: Option<SocketAddr>,
    /// File of users, as of `htpasswd -B`; none: everybody may do everything.
    pub htpasswd: Option<PathBuf>,
    /// Whether everybody may pull, where there are users.
    pub anonymous_pull: bool,
    /// Users who may only pull.
    pub read_only: Vec<String>,
    /// Whether users get tokens, instead of being asked for passwords with each request.
    pub token: bool,
    /// TLS; none: plain HTTP.
    pub tls: Option<ServeTls>,
    /// Registries to fetch from and to keep what comes; then nobody can push. The first is meant unless a client says which.
    pub mirror_of: Vec<String>,
    /// Seconds for which a tag is not asked for there again.
    pub mirror_ttl: u64,
    /// File of names and passwords for them, as `docker login` writes it: whoever may pull here pulls with them.
    pub mirror_credentials: Option<PathBuf>,
    /// Seconds between two looks for what no image needs; 0: never.
    pub gc_interval: u64,
    /// Whether manifests without a tag go too.
    pub gc_untagged: bool,
    /// Connections at a time; further ones wait until one of these ends.
    pub max_connections: usize,
}

/// Files for TLS, PEM each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeTls {
    /// Certificate of the server and those above it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose clients are let in; none: every client is.
    #[serde(default)]
    pub client_authority: Option<PathBuf>,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: None,
            htpasswd: None,
            anonymous_pull: false,
            read_only: Vec::new(),
            token: false,
            tls: None,
            mirror_of: Vec::new(),
            mirror_ttl: 300,
            mirror_credentials: None,
            gc_interval: 24 * 3600,
            gc_untagged: false,
            max_connections: 1024,
        }
    }
}

impl Serve {
    /// For how long a tag is not asked for again.
    pub fn mirror_ttl(&self) -> Duration {
        Duration::from_secs(self.mirror_ttl)
    }

    /// Time between two looks for what no image needs; zero: never.
    pub fn gc_interval(&self) -> Duration {
        Duration::from_secs(self.gc_interval)
    }
}
