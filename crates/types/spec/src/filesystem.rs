//! What a container sees below `/`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Mounts and the root file system's manners.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Filesystem {
    /// In the order the client gave them.
    pub mounts: Vec<Mount>,
    /// Containers whose mounts are taken over: `name[:ro|rw]`.
    pub volumes_from: Vec<String>,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Size of `/dev/shm` in bytes; none: 64 MiB.
    pub shm_size: Option<i64>,
    /// Storage driver options (`size=…`).
    pub storage_options: BTreeMap<String, String>,
    /// Binds exactly as the client wrote them (`HostConfig.Binds`), for `inspect`.
    pub binds: Vec<String>,
    /// The image's and client's anonymous volumes (`Config.Volumes`).
    pub anonymous_volumes: Vec<String>,
    /// Default driver for named volumes in `-v` (`--volume-driver`).
    pub volume_driver: Option<String>,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// What is mounted there.
    pub kind: MountKind,
    /// Whether the client used the structured form (`HostConfig.Mounts`), for `inspect`.
    pub structured: bool,
}

/// What a mount shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountKind {
    /// A host path.
    Bind(Bind),
    /// A volume.
    Volume(VolumeMount),
    /// Memory.
    Tmpfs(Tmpfs),
    /// Another image's root, read-only.
    Image {
        /// Reference of the image.
        image: String,
        /// Path in it.
        subpath: Option<String>,
    },
}

/// A host path shown in the container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bind {
    /// Absolute path on the host.
    pub source: String,
    /// Make a missing source a directory (`-v` does, `--mount` does not).
    pub create_source: bool,
    /// None: `rprivate`.
    pub propagation: Option<Propagation>,
    /// Leave out mounts below the source.
    pub non_recursive: bool,
    /// Read-only does not extend to mounts below the source.
    pub read_only_non_recursive: bool,
    /// Fail where recursive read-only is impossible.
    pub read_only_force_recursive: bool,
    /// SELinux relabel option, `z` or `Z`.
    pub relabel: Option<char>,
}

/// A volume shown in the container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeMount {
    /// Name; none: an anonymous volume is made.
    pub name: Option<String>,
    /// Driver for one that has to be made; none: `local`.
    pub driver: Option<String>,
    /// Driver options, likewise.
    pub options: BTreeMap<String, String>,
    /// Labels, likewise.
    pub labels: BTreeMap<String, String>,
    /// Do not copy the image's content into an empty volume.
    pub no_copy: bool,
    /// Directory in the volume that is shown instead of its root.
    pub subpath: Option<String>,
}

/// Memory shown as a file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tmpfs {
    /// Bytes; none: half of the memory.
    pub size: Option<u64>,
    /// Permission bits of its root; none: 1777.
    pub mode: Option<u32>,
    /// Further mount options as given: `noexec`, `uid=1`.
    pub options: Vec<String>,
}

/// How mounts made on one side show on the other (`mount_namespaces(7)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Propagation {
    /// Neither way.
    Private,
    /// Neither way, recursively.
    RPrivate,
    /// Both ways.
    Shared,
    /// Both ways, recursively.
    RShared,
    /// Host to container.
    Slave,
    /// Host to container, recursively.
    RSlave,
}

impl Propagation {
    /// The name that mount options use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::RPrivate => "rprivate",
            Self::Shared => "shared",
            Self::RShared => "rshared",
            Self::Slave => "slave",
            Self::RSlave => "rslave",
        }
    }

    /// The inverse of [`Propagation::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Private, Self::RPrivate, Self::Shared, Self::RShared, Self::Slave, Self::RSlave]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}
