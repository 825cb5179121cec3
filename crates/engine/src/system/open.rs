//! Opening an engine: its directories, its services, and the containers that went on without it.

use crate::host::Host;
use crate::{Services, random};
use ::containers::{Container, Containers, Record};
use ::events::Events;
use config::Settings;
use durable::Trash;
use errors::{Class, Error, Result};
use images::Images;
use networks::Networks;
use runtime::{Adopted, RuntimeKind, Runtimes, TaskEventKind};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::StateStore;
use volumes::Volumes;

/// What the daemon knows before the engine is open.
#[derive(Debug)]
pub struct Opening {
    /// Effective settings.
    pub settings: Settings,
    /// Our shim's binary.
    pub shim: PathBuf,
    /// Whether this is a private engine beside the host's: its names derive from its root directory.
    pub private: bool,
}

/// Opens an engine and adopts its containers.
///
/// # Errors
/// When a directory can't be made, a service not opened, or the state is damaged.
pub async fn open(opening: Opening) -> Result<Arc<Services>> {
    let Opening { mut settings, shim, private } = opening;
    let root = settings.runtime.root_dir.clone();
    let state = settings.runtime.state_dir.clone();
    for dir in [&root, &root.join("containers"), &state, &state.join("containers")] {
        durable::create_dir_all(dir, 0o711)?;
    }
    let private_suffix = networks::private_suffix(&root);

    let store = store::open_redb(&root.join("state.redb"))?;
    let id = engine_id(&store).await?;
    let trash = Arc::new(Trash::open(&root.join("trash"))?);
    let state_trash = Arc::new(Trash::open(&state.join("trash"))?);
    let cgroups = cgroups::Host::detect()?;
    let cgroup_driver = super::cgroup_driver::driver(settings.runtime.cgroup_driver, &cgroups)?;
    settings.runtime.cgroup_parent = super::cgroup_driver::parent(
        &settings.runtime.cgroup_parent,
        cgroup_driver,
        private.then_some(private_suffix.as_str()),
    )?;
    let images = Images::open(images::Config { root: root.clone() }, Arc::clone(&store)).await?;
    let id_maps = super::remap::id_maps(&settings)?;
    let mut host = Host::detect(shim.clone());
    if let Some(maps) = &id_maps {
        let state = state.join("containers");
        super::remap::check(maps, host.kernel, &shim, &state, &images)?;
    }
    let volumes = Volumes::open(&root.join("volumes"), Arc::clone(&store), Arc::clone(&trash)).await?;
    let volumes = volumes.owned_by(id_maps.as_ref().map_or((0, 0), spec::IdMaps::root));
    let containers = Containers::open(Arc::clone(&store)).await?;
    let networks = Networks::open(network_config(&settings, private)?, Arc::clone(&store)).await?;
    let runtimes = Runtimes::open(runtime_config(
        &settings,
        &shim,
        &cgroups,
        cgroup_driver,
        private.then_some(&private_suffix),
    ))
    .await?;

    if host.apparmor
        && let Err(error) = apparmor::ensure(crate::container::APPARMOR_PROFILE)
    {
        tracing::warn!(error = %errors::chain(&error), "containers run without an AppArmor profile");
        host.apparmor = false;
    }
    let services = Arc::new(Services {
        settings,
        id,
        store,
        containers,
        execs: crate::exec::Execs::default(),
        images,
        networks,
        volumes,
        events: Events::new(),
        runtimes,
        trash,
        state_trash,
        warmth: cgroups::Warmth::start(&cgroups),
        cgroups,
        cgroup_driver,
        id_maps,
        host,
        shutdown: tokio::sync::watch::Sender::new(None),
    });
    adopt_all(&services).await?;
    watch_oom(&services);
    Ok(services)
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

fn network_config(settings: &Settings, private: bool) -> Result<networks::Config> {
    let mut config = if private {
        networks::Config::private(&settings.runtime.root_dir)
    } else {
        networks::Config::host()
    };
    if let Some(bridge) = &settings.network.default_bridge {
        config.bridge.clone_from(bridge);
    }
    if let Some(range) = &settings.network.ip_range {
        let subnet = range.parse().map_err(|error| {
            Error::new(Class::Invalid, format!("network.ip_range: {range} is not an IPv4 subnet: {error}"))
        })?;
        config.preferred_subnet = Some(subnet);
        config.subnet_is_fixed = true;
    }
    config.mtu = settings.network.mtu;
    config.prepared = settings.network.idle_namespaces;
    Ok(config)
}

fn runtime_config(
    settings: &Settings,
    shim: &Path,
    cgroups: &cgroups::Host,
    driver: cgroups::Driver,
    private: Option<&String>,
) -> runtime::Config {
    let mut runtimes = BTreeMap::from([("libcontainer".to_owned(), RuntimeKind::Builtin)]);
    for name in ["runc", "crun"] {
        runtimes.insert(name.into(), RuntimeKind::Command { path: name.into(), args: Vec::new() });
    }
    for (name, entry) in &settings.runtime.runtimes {
        let kind = match (&entry.shim, &entry.path) {
            (Some(shim), _) => RuntimeKind::Shim { name: shim.clone() },
            (None, Some(path)) => RuntimeKind::Command { path: path.clone(), args: entry.args.clone() },
            (None, None) => RuntimeKind::Command { path: name.into(), args: entry.args.clone() },
        };
        runtimes.insert(name.clone(), kind);
    }
    let host = cgroups.clone();
    runtime::Config {
        state_dir: settings.runtime.state_dir.clone(),
        namespace: private
            .map_or_else(|| "container-runtime".into(), |suffix| format!("container-runtime-{suffix}")),
        shim: shim.to_owned(),
        runtimes,
        default: settings.runtime.default_runtime.clone(),
        systemd_cgroup: driver == cgroups::Driver::Systemd,
        idle_shims: settings.runtime.idle_shims,
        patience: runtime::PATIENCE,
        kill_cgroup: Arc::new(move |path| {
            let group = host.cgroup(path);
            group.kill().and_then(|()| group.remove()).map_err(std::io::Error::other)
        }),
    }
}

/// Brings every record in line with what went on or ended meanwhile.
async fn adopt_all(services: &Arc<Services>) -> Result<()> {
    let containers = services.containers.all();
    let records: Vec<Arc<Record>> = containers.iter().map(|container| container.record()).collect();
    let references = records.iter().flat_map(|record| {
        record.volumes().map(|volume| volumes::Reference {
            volume: volume.to_owned(),
            container: record.id.to_string(),
            mounted: record.state.is_live(),
        })
    });
    services.volumes.restore(references.collect()).await?;
    let endpoints = records.iter().flat_map(|record| record.endpoints.values().cloned());
    services.networks.adopt(endpoints.collect()).await?;
    sweep(services, &records).await;

    let mut adoptions = tokio::task::JoinSet::new();
    for container in containers {
        let services = Arc::clone(services);
        adoptions.spawn(async move {
            let adopted = crate::container::adopt(&services, &container).await;
            (container, adopted)
        });
    }
    while let Some(joined) = adoptions.join_next().await {
        let (container, adopted) = joined.map_err(|error| Error::wrap(Class::Internal, error))?;
        if let Err(error) = adopted {
            tracing::error!(container = %container.id(), %error, "adopt; it is tried again");
            adopt_later(services, container);
        }
    }
    Ok(())
}

/// Asks a shim that did not answer again until it does, or until somebody has changed the container's state.
fn adopt_later(services: &Arc<Services>, container: Arc<Container>) {
    const PAUSE: Duration = Duration::from_secs(5);
    let (services, state) = (Arc::downgrade(services), container.state());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(services) = services.upgrade() else { return };
            let _verb = container.verb_lock.lock().await;
            let known = services.containers.get(container.id()).is_some();
            if !known || container.task().is_some() || container.state() != state {
                return;
            }
            match crate::container::adopt(&services, &container).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(container = %container.id(), %error, "adopt"),
            }
        }
    });
}

/// Removes what belongs to no record: a creation that the engine did not live to finish, or to undo.
async fn sweep(services: &Arc<Services>, records: &[Arc<Record>]) {
    let known: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    for key in services.images.snapshots() {
        if !known.contains(key.as_str())
            && let Err(error) = services.images.release(&key).await
        {
            tracing::warn!(snapshot = key, %error, "sweep");
        }
    }
    for parent in [&services.settings.runtime.root_dir, &services.settings.runtime.state_dir] {
        let Ok(entries) = std::fs::read_dir(parent.join("containers")) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let Ok(id) = name.parse::<ids::ContainerId>() else { continue };
            if known.contains(name) {
                continue;
            }
            // A bundle may still have a shim with a process.
            match services.runtimes.adopt(&id, &entry.path()).await {
                Ok(Adopted::Running { task, .. } | Adopted::Exited(_, Some(task))) => {
                    let _ = task.kill(9, true).await;
                    task.wait().await;
                    if let Err(error) = task.delete().await {
                        tracing::warn!(path = %entry.path().display(), %error, "sweep");
                        continue;
                    }
                }
                Ok(Adopted::Exited(_, None) | Adopted::Lost) => {}
                Err(error) => {
                    // What is known of its processes is in there: the next start tries again.
                    tracing::warn!(path = %entry.path().display(), %error, "sweep");
                    continue;
                }
            }
            if let Err(error) = durable::remove_tree(&entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "sweep");
            }
        }
    }
}

/// Tells the world about processes that the kernel killed for lack of memory while their container lived on.
fn watch_oom(services: &Arc<Services>) {
    let mut reports = services.runtimes.events();
    let services = Arc::downgrade(services);
    tokio::spawn(async move {
        loop {
            let report = match reports.recv().await {
                Ok(report) => report,
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            };
            let Some(services) = services.upgrade() else { return };
            if report.kind == TaskEventKind::Oom
                && let Some(container) = services.containers.get(&report.id)
                && container.state().is_live()
            {
                container.set_out_of_memory(true);
                let event = crate::container::event(&::events::ContainerAction::Oom, &container.record());
                services.events.publish(event);
            }
        }
    });
}
