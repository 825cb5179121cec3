//! What the runtime driver has to know of the engine it serves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Ends every process in a cgroup (the `linux.cgroupsPath` of a bundle) and removes it; an absent one is success.
/// Called on a blocking thread.
pub type KillCgroup = Arc<dyn Fn(&Path) -> std::io::Result<()> + Send + Sync>;

/// Settings of [`crate::Runtimes`].
#[derive(Clone)]
pub struct Config {
    /// Sockets of idle shims (`shims/`) and of events live below it.
    pub state_dir: PathBuf,
    /// containerd namespace that shims are told; also what tells engines on one host apart.
    pub namespace: String,
    /// Our own shim's binary.
    pub shim: PathBuf,
    /// By the name that `--runtime` takes.
    pub runtimes: BTreeMap<String, RuntimeKind>,
    /// The name used when a container names none.
    pub default: String,
    /// Whether systemd makes cgroups.
    pub systemd_cgroup: bool,
    /// How many of our shims wait ready for a container; 0: each is started on demand.
    pub idle_shims: usize,
    /// For how long a shim may be silent before a call to it is given up, see [`crate::PATIENCE`].
    pub patience: Duration,
    /// Ends what a dead shim left behind.
    pub kill_cgroup: KillCgroup,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("state_dir", &self.state_dir)
            .field("namespace", &self.namespace)
            .field("shim", &self.shim)
            .field("runtimes", &self.runtimes)
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}

/// What stands behind a runtime's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeKind {
    /// Our shim with the library linked into it.
    Builtin,
    /// Our shim driving a program with the OCI command line.
    Command {
        /// A path, or a name to be looked up in `PATH`.
        path: PathBuf,
        /// Global arguments before the command.
        args: Vec<String>,
    },
    /// A foreign containerd shim.
    Shim {
        /// `io.containerd.runc.v2` (the binary is `containerd-shim-runc-v2` in `PATH`) or an absolute path.
        name: String,
    },
}

/// The kind that an unconfigured name stands for: a containerd runtime type or an absolute path of a shim.
pub fn foreign_by_name(name: &str) -> Option<RuntimeKind> {
    let known = name.starts_with('/') || name.matches('.').count() >= 2;
    known.then(|| RuntimeKind::Shim { name: name.to_owned() })
}
