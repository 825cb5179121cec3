//! All shims of one engine: making, finding again, giving up.

use crate::config::Config;
use crate::error::Result;
use crate::task::Task;
use ids::ContainerId;
use oci_spec::runtime::Spec;
use shim_protocol::Exit;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::broadcast;

/// The shims of one engine.
#[derive(Debug)]
pub struct Runtimes {
    config: Config,
}

/// A file system that the shim mounts at the bundle's `rootfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootMount {
    /// `overlay`, `bind`, …
    pub fstype: String,
    /// As `mount(8)` takes it.
    pub source: String,
    /// As `mount(8)` takes them, one an element.
    pub options: Vec<String>,
}

/// What [`Runtimes::create`] needs.
#[derive(Debug)]
pub struct CreateTask {
    /// Container.
    pub id: ContainerId,
    /// Name of the runtime; none: the default.
    pub runtime: Option<String>,
    /// Existing directory; `config.json`, `shim.json`, the sockets and the `rootfs` mount point are made in it.
    pub bundle: PathBuf,
    /// The OCI document.
    pub spec: Spec,
    /// Mounted in this order; empty: `root.path` of the document is used as it is.
    pub rootfs: Vec<RootMount>,
    /// For our own shim. `runtime`, `systemd_cgroup` and `events_address` are set by [`Runtimes::create`].
    pub options: shim_protocol::Options,
    /// Whether the init process gets a terminal.
    pub terminal: bool,
    /// Whether its standard input can be attached; otherwise it is `/dev/null`.
    pub open_stdin: bool,
}

/// What became of a container while nobody watched.
#[derive(Debug)]
pub enum Adopted {
    /// Its shim answers and its init process lives (or was created and never started).
    Running(Task),
    /// Its init process has ended; the shim, if it still lives, is to be deleted through the task.
    Exited(Exit, Option<Task>),
    /// Nothing is left of it and nobody saw its end; leftovers were killed.
    Lost,
}

/// Something that a shim reported by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEvent {
    /// Container.
    pub id: ContainerId,
    /// What happened.
    pub kind: TaskEventKind,
}

/// What a shim reports by itself. Exits are not among them: [`Task::wait`] is the one source of those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEventKind {
    /// The kernel killed something in the container for lack of memory.
    Oom,
}

impl Runtimes {
    /// Prepares the state directory, listens for events and starts filling the pool of idle shims.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { config }))
    }

    /// Creates a container: its shim, its namespaces and its init process, which waits for [`Task::start`].
    /// On failure nothing is left but the bundle directory.
    pub async fn create(&self, request: CreateTask) -> Result<Task> {
        let _ = request;
        todo!()
    }

    /// Finds a container again after this process was restarted.
    pub async fn adopt(&self, id: &ContainerId, bundle: &Path) -> Result<Adopted> {
        let _ = (id, bundle);
        todo!()
    }

    /// What shims report by themselves, from now on.
    pub fn events(&self) -> broadcast::Receiver<TaskEvent> {
        todo!()
    }

    /// Names of the configured runtimes.
    pub fn names(&self) -> Vec<String> {
        self.config.runtimes.keys().cloned().collect()
    }

    /// The name used when a container names none.
    pub fn default_name(&self) -> &str {
        &self.config.default
    }

    /// Whether `name` (none: the default) can be used: configured, or a shim by name, and its program exists.
    pub fn check(&self, name: Option<&str>) -> Result<()> {
        let _ = name;
        todo!()
    }

    /// Ends idle shims and the events listener. Shims of containers go on.
    pub async fn close(&self) {}
}
