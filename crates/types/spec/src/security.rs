//! Isolation: namespaces, capabilities, filters, devices.

use serde::{Deserialize, Serialize};

/// A namespace that can be new, the host's or another container's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum JoinMode {
    /// A new one.
    #[default]
    Private,
    /// The host's.
    Host,
    /// That of the container with this id or name.
    Container(String),
}

/// The IPC namespace has more choices, since `/dev/shm` belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum IpcMode {
    /// A new one that no other container may join (the default).
    #[default]
    Private,
    /// A new one that others may join.
    Shareable,
    /// A new one without `/dev/shm`.
    None,
    /// The host's.
    Host,
    /// That of the container with this id or name.
    Container(String),
}

/// Which namespaces a container gets; its network is in `NetworkRequest`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// Process ids.
    pub pid: JoinMode,
    /// System V IPC and POSIX message queues.
    pub ipc: IpcMode,
    /// Host and domain name. `Private` or `Host`.
    pub uts: JoinMode,
    /// cgroup root. `Private` or `Host`; none: private on cgroup v2, host on v1, as Docker does.
    pub cgroup: Option<JoinMode>,
    /// `host` opts out of the engine's user namespace remapping.
    pub user_host: bool,
}

/// Which seccomp filter applies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Seccomp {
    /// The engine's default profile.
    #[default]
    Default,
    /// No filter.
    Unconfined,
    /// A profile in Docker's JSON format.
    Profile(String),
}

/// Privileges.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// All capabilities and devices, no filter, no masked path, cgroups writable.
    pub privileged: bool,
    /// Added capabilities, `CAP_`-prefixed upper case or `ALL`.
    pub cap_add: Vec<String>,
    /// Dropped capabilities, likewise.
    pub cap_drop: Vec<String>,
    /// System call filter.
    pub seccomp: Seccomp,
    /// AppArmor profile name; none: the engine's default where the kernel has AppArmor.
    pub apparmor: Option<String>,
    /// SELinux `label=` options as given.
    pub selinux: Vec<String>,
    /// Forbid gaining privileges by exec.
    pub no_new_privileges: bool,
    /// Paths hidden from the container; none: the default set.
    pub masked_paths: Option<Vec<String>>,
    /// Paths read-only in the container; none: the default set.
    pub readonly_paths: Option<Vec<String>>,
    /// Host devices made visible.
    pub devices: Vec<Device>,
    /// Rules as in the cgroup v1 `devices.allow` file: `c 42:* rmw`.
    pub device_cgroup_rules: Vec<String>,
    /// Kernel parameters of the container's namespaces.
    pub sysctls: std::collections::BTreeMap<String, String>,
}

/// A host device made visible in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path on the host: a device, or a directory of them.
    pub host: String,
    /// Path in the container.
    pub container: String,
    /// Any of `rwm`.
    pub permissions: String,
}
