//! Opening an engine: its directories, its services, and the containers that went on without it.

mod adopt;
mod configs;
mod out_of_memory;
mod storage;
mod sweep;

pub(crate) use configs::registries;
pub(super) use sweep::remove_stray;

use crate::host::Host;
use crate::settings::{Live, Sources, Subscriber};
use crate::{Services, random};
use ::containers::Containers;
use ::events::{Events, Journal, Limits};
use arc_swap::ArcSwap;
use config::Effective;
use durable::Trash;
use errors::Result;
use images::Images;
use networks::Networks;
use runtime::Runtimes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::StateStore;
use tokio::task::JoinHandle;
use volumes::Volumes;

/// What the daemon knows before the engine is open.
#[derive(Debug)]
pub struct Opening {
    /// Where settings come from.
    pub sources: Sources,
    /// What they come to.
    pub effective: Effective,
    /// Who beside the engine has to do something when they change.
    pub subscribers: Vec<Arc<dyn Subscriber<Services>>>,
    /// Our shim's binary.
    pub shim: PathBuf,
    /// The program that is netd.
    pub netd: netd::Program,
    /// Whether this is a private engine beside the host's: its names derive from its root directory.
    pub private: bool,
    /// What the registry holds that is served beside it, if one is.
    pub served: Option<repositories::Checkup>,
}

/// Opens an engine and adopts its containers.
///
/// # Errors
/// When a directory can't be made, a service not opened, or the state is damaged.
pub async fn open(opening: Opening) -> Result<Arc<Services>> {
    let Opening { sources, effective, subscribers, shim, netd, private, served } = opening;
    let settings = effective.settings.clone();
    let root = settings.runtime.root_dir.clone();
    let state = settings.runtime.state_dir.clone();
    for dir in [&root, &root.join("containers"), &state, &state.join("containers")] {
        durable::create_dir_all(dir, 0o711)?;
    }
    let private_suffix = networks::private_suffix(&root);

    let store = super::state::open(&settings).await?;
    let store_age = super::StoreAge::of(&root, &store).await?;
    let id = engine_id(&store).await?;
    let trash = Arc::new(Trash::open(&root.join("trash"))?);
    let state_trash = Arc::new(Trash::open(&state.join("trash"))?);
    let cgroups = cgroups::Host::detect()?;
    let cgroup_driver = super::cgroup_driver::driver(settings.runtime.cgroup_driver, &cgroups)?;
    let cgroup_parent = super::cgroup_driver::parent(
        &settings.runtime.cgroup_parent,
        cgroup_driver,
        private.then_some(private_suffix.as_str()),
    )?;
    let downloads = settings.registry.max_concurrent_downloads;
    // Whether a registry is served or not: what is in it need never be fetched.
    let beside = Some(super::registry_dir(&settings));
    storage::check(&store, &settings).await?;
    let images = images::Config { root: settings.storage_root().to_owned(), beside, downloads };
    let images = Images::open(images, Arc::clone(&store)).await?;
    let id_maps = super::remap::id_maps(&settings)?;
    let mut host = Host::detect(shim.clone());
    if let Some(maps) = &id_maps {
        let state = state.join("containers");
        super::remap::check(maps, host.kernel, &shim, &state, &images)?;
    }
    // With a store that is older than the disk it is not known whose things are.
    let keep_strays = store_age.is_older();
    let volumes = root.join("volumes");
    let volumes = Volumes::open(&volumes, Arc::clone(&store), Arc::clone(&trash), keep_strays).await?;
    let volumes = volumes.owned_by(id_maps.as_ref().map_or((0, 0), spec::IdMaps::root));
    let containers = Containers::open(Arc::clone(&store)).await?;
    let networks = networks::Config {
        keep_strays,
        ..configs::networks(&settings, private, on_default_bridge(&containers))
    };
    let networks = Networks::open(networks, Arc::clone(&store)).await?;
    let runtimes = Runtimes::open(configs::runtimes(
        &settings,
        &shim,
        &cgroups,
        cgroup_driver,
        private.then_some(&private_suffix),
    ))
    .await?;
    if let Err(error) = runtimes.check(Some(&settings.runtime.default_runtime)) {
        // What runs goes on with the one that it has.
        tracing::warn!(error = %errors::chain(&error), "containers that name no runtime can't be made");
    }

    if host.apparmor
        && let Err(error) = apparmor::ensure(crate::container::APPARMOR_PROFILE)
    {
        tracing::warn!(error = %errors::chain(&error), "containers run without an AppArmor profile");
        host.apparmor = false;
    }
    let (events, journal) = open_events(&root).await;
    let services = Arc::new(Services {
        registries: ArcSwap::from_pointee(registries(&settings)),
        served,
        settings: Live::new(
            sources,
            effective,
            crate::settings::subscribers().into_iter().chain(subscribers).collect(),
        ),
        id,
        store,
        containers,
        execs: crate::exec::Execs::default(),
        images,
        networks,
        names: Arc::new(netd::Netd::new(state, netd)),
        volumes,
        events,
        journal: tokio::sync::Mutex::new(journal),
        runtimes,
        trash,
        state_trash,
        warmth: cgroups::Warmth::start(&cgroups),
        cgroups,
        cgroup_parent,
        cgroup_driver,
        id_maps,
        store_age,
        host,
        shutdown: tokio::sync::watch::Sender::new(None),
    });
    adopt::adopt_all(&services).await?;
    crate::names::restore(&services, keep_strays).await;
    out_of_memory::watch(&services);
    super::gc::watch(&services);
    services.store_age.note(&services.store).await;
    super::check::watch(&services);
    Ok(services)
}

/// The bus, with what the journal knows of the past, and who keeps the journal. Without one there is no past.
async fn open_events(root: &Path) -> (Events, Option<JoinHandle<()>>) {
    let directory = root.join("events");
    let opened = offload::blocking(move || Journal::open(&directory, Limits::default())).await;
    match opened {
        Ok((journal, past)) => {
            let events = Events::new().with_past(past);
            let keeper = tokio::spawn(journal.keep(events.subscribe(None)));
            (events, Some(keeper))
        }
        Err(error) => {
            tracing::warn!(%error, "events are not kept over the daemon's end");
            (Events::new(), None)
        }
    }
}

/// Whether a container that may live has an address of the default bridge.
fn on_default_bridge(containers: &Containers) -> bool {
    containers.all().iter().any(|container| {
        let record = container.record();
        record.state.is_live() && record.endpoints.values().any(|endpoint| endpoint.network == "bridge")
    })
}

async fn engine_id(store: &Arc<dyn StateStore>) -> Result<String> {
    const KEY: &str = "engine/id";
    if let Some(entry) = store.get(KEY).await? {
        return Ok(String::from_utf8_lossy(&entry.value).into_owned());
    }
    let bytes = random::bytes()?;
    let hex: Vec<String> = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let id = [&hex[..4], &hex[4..6], &hex[6..8], &hex[8..10], &hex[10..]].map(|part| part.concat()).join("-");
    store.commit(store::Transaction::new().put(KEY, id.clone().into_bytes())).await?;
    Ok(id)
}
