//! The tree of settings as types, with all its defaults.
//!
//! Section and key names follow `container-runtime.yaml`; a key that is absent has the default given here.

use crate::{Cni, Gc, Serve, State};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// All settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Directories, runtimes and what every container gets.
    pub runtime: Runtime,
    /// The default bridge.
    pub network: Network,
    /// Layers and blobs.
    pub storage: Storage,
    /// Registries that images come from and go to.
    pub registry: Registry,
    /// Where names are looked up.
    pub dns: Dns,
    /// The containers' logs, and the daemon's own.
    pub logging: Logging,
    /// What is measured.
    pub metrics: Metrics,
    /// The engine's records.
    pub state: State,
}

/// Directories, runtimes and what every container gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// What must survive a reboot.
    pub root_dir: PathBuf,
    /// What need not: sockets, bundles, namespaces.
    pub state_dir: PathBuf,
    /// Most containers that may exist at once; 0: no limit.
    pub max_containers: usize,
    /// Name of the runtime for containers that name none.
    pub default_runtime: String,
    /// Further runtimes by name.
    pub runtimes: BTreeMap<String, RuntimeEntry>,
    /// Whether a command that finds no daemon starts one.
    pub autostart: bool,
    /// Shims started ahead of need.
    pub idle_shims: usize,
    /// Who makes cgroups.
    pub cgroup_driver: CgroupDriver,
    /// Cgroup below which containers get theirs.
    pub cgroup_parent: String,
    /// Program for `--init`; none: the engine's own.
    pub init_path: Option<PathBuf>,
    /// Forbid every container to gain privileges by exec.
    pub no_new_privileges: bool,
    /// `user[:group]`, or `default`, whose subordinate ids containers run as; none: no remapping.
    pub userns_remap: Option<String>,
    /// Seconds between two comparisons of what is recorded with the kernel and the disk, which mend what is safe to be mended; 0: none.
    pub repair_interval: u64,
    /// Labels of this engine, shown by `info`.
    pub labels: Vec<String>,
}

/// Who makes cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupDriver {
    /// systemd where it is the init of a host with cgroup v2, else cgroupfs.
    #[default]
    Auto,
    /// Directories made by us.
    Cgroupfs,
    /// Scopes made by systemd over D-Bus.
    Systemd,
}

/// A configured runtime.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeEntry {
    /// Program with the OCI command line, a path or a name to find in `PATH`.
    pub path: Option<PathBuf>,
    /// Its global arguments.
    pub args: Vec<String>,
    /// A containerd shim instead: `io.containerd.runc.v2`, or an absolute path.
    pub shim: Option<String>,
}

/// The default bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Its device name; a private engine derives one from its root directory.
    pub default_bridge: Option<String>,
    /// Its subnet, and after a change that of new networks; none: the next free one.
    pub ip_range: Option<Ipv4Net>,
    /// Whom containers ask for names; none: the engine's own server.
    pub dns_server: Option<IpAddr>,
    /// Whether networks have IPv6 beside IPv4 unless they say otherwise.
    pub ipv6: bool,
    /// Whether published ports are open to whoever the host's own firewall would not let in.
    pub bypass_firewall: bool,
    /// Network namespaces made ahead of need.
    pub idle_namespaces: usize,
    /// Bytes; none: 1500.
    pub mtu: Option<u32>,
    /// Networks by plugins of others.
    pub cni: Cni,
}

/// Layers and blobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// `overlay2`, the one driver there is.
    pub driver: String,
    /// Directory of images and writable layers; none: the root directory.
    pub root: Option<PathBuf>,
    /// What goes by itself.
    pub gc: Gc,
}

/// Registries that images come from and go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// Registry of names that say none.
    pub default: String,
    /// Hosts, `host:port`s and networks that may speak plain HTTP or show any certificate. Loopback always may.
    pub insecure: Vec<String>,
    /// Base URLs to ask before a registry, by its host; `*` for all others.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// What a name that begins so is fetched as: `docker.io/library` as `registry.example/hub`.
    pub rewrites: BTreeMap<String, String>,
    /// Directories with one directory a host, that holds containerd's `hosts.toml` or docker's certificates.
    pub config_dirs: Vec<PathBuf>,
    /// Files in the format of podman's `registries.conf`, and directories of such files.
    pub registries_conf: Vec<PathBuf>,
    /// Layers that are fetched at a time, of all pulls together.
    pub max_concurrent_downloads: usize,
    /// Layers that are sent at a time by one push.
    pub max_concurrent_uploads: usize,
    /// How often a transfer that breaks off is tried in all.
    pub max_attempts: u32,
    /// The registry that this engine serves itself.
    pub serve: Serve,
}

/// The containers' logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// Driver for containers that name none.
    pub driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
    /// Least level that the daemon itself logs.
    pub level: LogLevel,
    /// Form of the daemon's own log.
    pub format: LogFormat,
}

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a defect.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What works less well than it should.
    Warn,
    /// What does not work.
    Error,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// Where containers' names are looked up, unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// Servers for names that are no container's; none: the host's.
    pub servers: Vec<IpAddr>,
    /// Domains to look in; none: the host's.
    pub search: Vec<String>,
    /// Options of `resolv.conf`; none: the host's.
    pub options: Vec<String>,
}

/// What is measured. There is nothing to choose yet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {}

impl Settings {
    /// Directory of images and writable layers.
    pub fn storage_root(&self) -> &Path {
        self.storage.root.as_deref().unwrap_or(&self.runtime.root_dir)
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            root_dir: "/var/lib/container-runtime".into(),
            state_dir: "/run/container-runtime".into(),
            max_containers: 0,
            default_runtime: "libcontainer".into(),
            runtimes: BTreeMap::new(),
            autostart: true,
            idle_shims: 2,
            cgroup_driver: CgroupDriver::default(),
            cgroup_parent: "/container-runtime".into(),
            init_path: None,
            no_new_privileges: false,
            userns_remap: None,
            repair_interval: 60,
            labels: Vec::new(),
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            default_bridge: None,
            ip_range: None,
            dns_server: None,
            ipv6: true,
            bypass_firewall: false,
            idle_namespaces: 8,
            mtu: None,
            cni: Cni::default(),
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { driver: "overlay2".into(), root: None, gc: Gc::default() }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            default: "docker.io".into(),
            insecure: Vec::new(),
            mirrors: BTreeMap::new(),
            rewrites: BTreeMap::new(),
            config_dirs: vec![
                "/etc/container-runtime/certs.d".into(),
                "/etc/containerd/certs.d".into(),
                "/etc/docker/certs.d".into(),
            ],
            registries_conf: vec![
                "/etc/containers/registries.conf".into(),
                "/etc/containers/registries.conf.d".into(),
            ],
            max_concurrent_downloads: 3,
            max_concurrent_uploads: 5,
            max_attempts: 5,
            serve: Serve::default(),
        }
    }
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            driver: "json-file".into(),
            options: BTreeMap::new(),
            level: LogLevel::default(),
            format: LogFormat::default(),
        }
    }
}
