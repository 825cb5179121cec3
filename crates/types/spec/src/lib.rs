//! What a container, or a process in it, is asked to be: the engine's own vocabulary.
//!
//! Servers translate their wire types into these; records store them; the runtime driver turns them into an OCI
//! bundle. Nothing here knows a wire format, and nothing here is resolved yet: a user may still be a name, an
//! image still a reference, a volume still without a directory.

mod filesystem;
mod ids;
mod network;
mod ports;
mod process;
mod resources;
mod security;
mod sysctl;

pub use filesystem::{Bind, Filesystem, Mount, MountKind, Propagation, Tmpfs, VolumeMount};
pub use ids::{BadIdMaps, IdMap, IdMaps, id_map_list};
pub use network::{Dns, EndpointRequest, NetworkMode, NetworkRequest};
pub use ports::{ExposedPort, PortBinding, PortProtocol, PortRange, PortSet};
pub use process::{ExecSpec, Healthcheck, Process, Rlimit, is_variable};
pub use resources::{BlkioThrottle, BlkioWeight, Resources};
pub use security::{Device, IpcMode, JoinMode, Namespaces, Seccomp, Security};
pub use sysctl::SysctlNamespace;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything a client says about a container when it creates it, merged with its image's defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// The image as the client named it.
    pub image: String,
    /// `linux/arm64` and the like, when the client insisted on one.
    pub platform: Option<String>,
    /// The init process.
    pub process: Process,
    /// Host name; empty: the short id.
    pub hostname: String,
    /// NIS domain name.
    pub domainname: String,
    /// Labels, the image's included.
    pub labels: BTreeMap<String, String>,
    /// OCI annotations.
    pub annotations: BTreeMap<String, String>,
    /// Which namespaces are new, shared or the host's.
    pub namespaces: Namespaces,
    /// Capabilities, seccomp, AppArmor, masked paths.
    pub security: Security,
    /// cgroup limits.
    pub resources: Resources,
    /// Mounts and the root file system's manners.
    pub filesystem: Filesystem,
    /// Networks, ports and names.
    pub network: NetworkRequest,
    /// Where output goes.
    pub log: LogConfig,
    /// What to do when the init process ends.
    pub restart: RestartPolicy,
    /// How to tell whether the container is healthy.
    pub health: Option<Healthcheck>,
    /// Remove the container, with its anonymous volumes, when it exits.
    pub auto_remove: bool,
    /// Name of a configured runtime; none: the engine's default.
    pub runtime: Option<String>,
    /// Parent cgroup; none: the engine's.
    pub cgroup_parent: Option<String>,
    /// Console size (rows, columns) that the client had at creation.
    pub console_size: Option<(u16, u16)>,
    /// What `ONBUILD` triggers the image left (kept for `inspect`).
    pub on_build: Vec<String>,
    /// Shell for shell-form commands (kept for `inspect` and `commit`).
    pub shell: Vec<String>,
}

/// A log driver and its options, as in `--log-driver` and `--log-opt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// `json-file`, `local`, `none`, …
    pub driver: String,
    /// Options by name, validated by the driver.
    pub options: BTreeMap<String, String>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { driver: "json-file".into(), options: BTreeMap::new() }
    }
}

/// Whether and when an exited container is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// After every exit, and when the engine starts.
    Always,
    /// As `Always`, unless a person stopped it.
    UnlessStopped,
    /// After an exit code other than 0.
    OnFailure {
        /// At most this often; 0: without end.
        max_retries: u32,
    },
}
