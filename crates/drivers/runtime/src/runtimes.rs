//! All shims of one engine: making, finding again, giving up.

use crate::adopt::adopt;
use crate::config::{Config, RuntimeKind, foreign_by_name};
use crate::create::{create, find};
use crate::error::{Error, Result};
use crate::events::{EventHub, serve};
use crate::shim::idle::IdlePool;
use crate::shim::lost::Cleanup;
use crate::shim::record::ShimRecord;
use crate::task::Task;
use ids::ContainerId;
use oci_spec::runtime::Spec;
use shim_protocol::Exit;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use ttrpc::asynchronous::Server;

/// The shims of one engine.
pub struct Runtimes {
    pub(crate) config: Config,
    pub(crate) pool: Arc<IdlePool>,
    pub(crate) hub: EventHub,
    pub(crate) events_path: PathBuf,
    server: Mutex<Option<Server>>,
    filler: AbortHandle,
}

impl std::fmt::Debug for Runtimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtimes").field("config", &self.config).finish_non_exhaustive()
    }
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
    Running {
        /// It.
        task: Task,
        /// Whether its processes are frozen.
        paused: bool,
    },
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
    ///
    /// # Errors
    /// When the state directory can't be written.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        let pool = IdlePool::open(&config)?;
        let hub = EventHub::new();
        let events_path = config.state_dir.join("events.sock");
        let server = serve(&events_path, config.namespace.clone(), hub.clone()).await?;
        let filler = tokio::spawn(Arc::clone(&pool).keep_full()).abort_handle();
        Ok(Arc::new(Self { config, pool, hub, events_path, server: Mutex::new(Some(server)), filler }))
    }

    /// Creates a container: its shim, its namespaces and its init process, which waits for [`Task::start`].
    /// On failure nothing is left but the bundle directory.
    ///
    /// # Errors
    /// `Invalid` for an unknown runtime; whatever the shim answers; a missed deadline.
    pub async fn create(&self, request: CreateTask) -> Result<Task> {
        create(self, request).await
    }

    /// Finds a container again after this process was restarted.
    ///
    /// # Errors
    /// When its shim lives but does not answer in time, or with an error.
    pub async fn adopt(&self, id: &ContainerId, bundle: &Path) -> Result<Adopted> {
        adopt(self, id, bundle).await
    }

    /// What shims report by themselves, from now on.
    pub fn events(&self) -> broadcast::Receiver<TaskEvent> {
        self.hub.subscribe()
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
    ///
    /// # Errors
    /// `Invalid`, saying what is missing.
    pub fn check(&self, name: Option<&str>) -> Result<()> {
        let name = name.unwrap_or(&self.config.default);
        find(name, &self.kind(name)?).map(drop)
    }

    /// What stands behind a name.
    pub(crate) fn kind(&self, name: &str) -> Result<RuntimeKind> {
        let configured = self.config.runtimes.get(name).cloned();
        configured
            .or_else(|| foreign_by_name(name))
            .ok_or_else(|| Error::UnknownRuntime { name: name.to_owned() })
    }

    pub(crate) fn cleanup(&self, id: ContainerId, bundle: PathBuf, record: ShimRecord) -> Cleanup {
        Cleanup {
            id,
            bundle,
            namespace: self.config.namespace.clone(),
            events: self.events_path.clone(),
            record,
            kill_cgroup: self.config.kill_cgroup.clone(),
        }
    }

    /// Ends idle shims and the events listener. Shims of containers go on.
    pub async fn close(&self) {
        self.filler.abort();
        self.pool.clear();
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut server) = server
            && let Err(error) = server.shutdown().await
        {
            tracing::debug!(%error, "shut down the events listener");
        }
        let _ = std::fs::remove_file(&self.events_path);
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        self.filler.abort();
        self.pool.clear();
    }
}
