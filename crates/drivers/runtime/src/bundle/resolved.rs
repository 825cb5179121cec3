//! What the engine looked up for a container before its document can be written.

use crate::user::User;
use ids::ContainerId;
use spec::{IdMaps, Rlimit};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything that the wishes of a client do not say by themselves.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Container.
    pub id: ContainerId,
    /// Final host name; empty with the host's UTS namespace.
    pub hostname: String,
    /// Whom the init process runs as.
    pub user: User,
    /// Final working directory; empty: `/`.
    pub working_dir: String,
    /// Final argument vector, without the small init.
    pub args: Vec<String>,
    /// Final environment in order (`PATH`, `HOSTNAME`, `TERM` decided); `HOME` is added if missing.
    pub env: Vec<String>,
    /// Where the root file system is, or will be mounted.
    pub rootfs: PathBuf,
    /// Binds, volumes and tmpfs of the client, and the engine's own (`/etc/hosts`, …). One with the target of a
    /// default mount replaces it.
    pub mounts: Vec<ResolvedMount>,
    /// `/dev/shm`.
    pub shm: Shm,
    /// Network namespace.
    pub network: NetworkNamespace,
    /// Another container's namespace, for [`spec::JoinMode::Container`].
    pub pid_namespace: Option<PathBuf>,
    /// Likewise.
    pub ipc_namespace: Option<PathBuf>,
    /// Likewise.
    pub uts_namespace: Option<PathBuf>,
    /// The user namespace to join, made for this container or that of the one whose other namespaces are joined, where
    /// ids are mapped.
    pub user_namespace: Option<PathBuf>,
    /// For `linux.cgroupsPath`: a path, or `slice:prefix:name` with the systemd driver.
    pub cgroup_path: PathBuf,
    /// Whether the container gets a cgroup namespace.
    pub private_cgroup: bool,
    /// Devices of the client, directories already expanded; with `privileged`, all of the host's.
    pub devices: Vec<ResolvedDevice>,
    /// Numbers of the block devices that blkio limits name, by host path.
    pub block_devices: BTreeMap<String, DeviceNumber>,
    /// Maps of its user namespace, new or joined; none: the engine's own namespace.
    pub id_maps: Option<IdMaps>,
    /// The engine's default limits; those of the client win by name.
    pub default_rlimits: Vec<Rlimit>,
    /// Whether this kernel filters system calls.
    pub seccomp: bool,
    /// AppArmor profile to apply; none: the kernel has no AppArmor, or unconfined.
    pub apparmor: Option<String>,
    /// SELinux labels: of the process, of mounts.
    pub selinux: Option<(String, String)>,
    /// Host path of the small init, if the container wants one; it shows up as `/sbin/docker-init`.
    pub init: Option<PathBuf>,
    /// Kernel version: major, minor.
    pub kernel: (u32, u32),
    /// Score for the OOM killer where the client gives none.
    pub oom_score_adj: Option<i32>,
}

/// A mount, ready for the OCI document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMount {
    /// Path in the container.
    pub target: String,
    /// Host path, or a file system's name.
    pub source: String,
    /// `bind`, `tmpfs`, …
    pub fstype: String,
    /// As in the OCI document: `rbind`, `ro`, `rprivate`, `size=…`.
    pub options: Vec<String>,
}

/// What is mounted at `/dev/shm`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shm {
    /// A tmpfs of its own with the size that the client wants.
    #[default]
    Private,
    /// A bind of this host path: the host's, or one that containers share.
    Path(PathBuf),
    /// Nothing.
    None,
}

/// The network namespace of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkNamespace {
    /// The host's.
    Host,
    /// A new one that the runtime makes.
    New,
    /// An existing one.
    Path(PathBuf),
}

/// A device node to be made in the container and allowed in its cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedDevice {
    /// Path in the container.
    pub path: String,
    /// Kind.
    pub kind: DeviceKind,
    /// Number.
    pub number: DeviceNumber,
    /// Permission bits of the node.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Any of `rwm`.
    pub permissions: String,
}

/// Kinds of device nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Character.
    Char,
    /// Block.
    Block,
}

/// Major and minor number of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceNumber {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
}
