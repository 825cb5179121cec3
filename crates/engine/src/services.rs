//! What the verbs work on: every service, opened once, passed by reference.

use crate::host::Host;
use crate::settings::{Live, SettingsRef};
use arc_swap::ArcSwap;
use containers::Containers;
use durable::Trash;
use events::Events;
use images::Images;
use networks::Networks;
use runtime::Runtimes;
use std::path::PathBuf;
use std::sync::Arc;
use store::StateStore;
use volumes::Volumes;

/// The services of one engine. It has no methods that do things: those are the verbs.
#[derive(Debug)]
pub struct Services {
    /// What it is set to, and what changes that.
    pub settings: Live,
    /// This engine's id, kept in the store.
    pub id: String,
    /// Records of everything.
    pub store: Arc<dyn StateStore>,
    /// Containers.
    pub containers: Containers,
    /// Processes added by `exec`.
    pub execs: crate::exec::Execs,
    /// Images, and the containers' writable layers.
    pub images: Images,
    /// Registries, as a client; another one after a change of settings.
    pub registries: ArcSwap<registry::Client>,
    /// What the registry holds that this engine serves, if it does.
    pub served: Option<repositories::Checkup>,
    /// Networks.
    pub networks: Arc<Networks>,
    /// Who answers containers' questions for names.
    pub names: Arc<netd::Netd>,
    /// Volumes.
    pub volumes: Volumes,
    /// What happened.
    pub events: Events,
    /// Writes it down, until the bus is closed; none: nobody does.
    pub(crate) journal: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// Shims and runtimes.
    pub runtimes: Arc<Runtimes>,
    /// Where removed directories wait for their deletion.
    pub trash: Arc<Trash>,
    /// The same for those in the state directory, which is often another file system.
    pub state_trash: Arc<Trash>,
    /// What this host's cgroups can do.
    pub cgroups: cgroups::Host,
    /// Keeps moves between cgroups fast while there is work.
    pub warmth: cgroups::Warmth,
    /// Below which containers get their cgroups, as the driver writes it.
    pub cgroup_parent: String,
    /// Who makes the containers' cgroups.
    pub cgroup_driver: cgroups::Driver,
    /// What the ids of new containers are on the host, unless they ask for the host's; none: their own.
    pub id_maps: Option<spec::IdMaps>,
    /// Whether the store was replaced by an older one.
    pub store_age: crate::system::StoreAge,
    /// What this host is.
    pub host: Host,
    /// A client's wish that this process ends; the daemon waits for it.
    pub shutdown: tokio::sync::watch::Sender<Option<crate::system::Shutdown>>,
}

impl Services {
    /// The settings at this moment.
    pub fn settings(&self) -> SettingsRef {
        self.settings.now()
    }

    /// The client of registries at this moment: what has begun with it goes on with it.
    pub fn registries(&self) -> Arc<registry::Client> {
        self.registries.load_full()
    }

    /// Directory of what must be kept of a container: log, hosts, resolv.conf.
    pub fn container_dir(&self, id: &ids::ContainerId) -> PathBuf {
        self.settings().runtime.root_dir.join("containers").join(id.as_str())
    }

    /// Directory of what only a running container needs: its bundle.
    pub fn bundle_dir(&self, id: &ids::ContainerId) -> PathBuf {
        self.settings().runtime.state_dir.join("containers").join(id.as_str())
    }
}
