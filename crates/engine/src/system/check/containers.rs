//! Containers' records beside their processes, shims, layers and directories.

use super::disagreement::Disagreement;
use super::table::Kind;
use crate::Services;
use crate::container::WaitFor;
use ::containers::Container;
use errors::{Class, Error, Result};
use ids::ContainerId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of a container may take to be recorded.
const LIMIT: Duration = Duration::from_secs(20);

/// What is known of containers.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) recorded: BTreeMap<ContainerId, Recorded>,
    /// Being made or removed: something of them may be there.
    pub(super) in_progress: BTreeSet<ContainerId>,
    /// Writable layers on the disk.
    pub(super) layers: BTreeSet<ContainerId>,
    /// Directories below `<root>/containers`.
    pub(super) directories: BTreeSet<ContainerId>,
    /// Directories below `<state>/containers`.
    pub(super) bundles: BTreeSet<ContainerId>,
    /// Cgroups below the engine's of what did not run a moment ago, and whether there are processes.
    pub(super) cgroups: Vec<(ContainerId, bool)>,
    /// Whether the store was replaced by an older one.
    pub(super) store_older: bool,
}

/// A recorded container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) name: String,
    /// Whether the record says that it runs.
    pub(super) live: bool,
    /// Whether a verb is at work on it, or its last run is being cleared away.
    pub(super) busy: bool,
    /// Whether its first process runs.
    pub(super) process: bool,
    /// Whether its shim lives.
    pub(super) shim: bool,
}

/// Looks everything up: some system calls a container.
pub(super) async fn gather(services: &Arc<Services>) -> Result<Facts> {
    // The disk first: what is made later has a record by the time that those are looked at, or is in progress.
    let facts = on_disk(services).await?;
    let (host, parent) = (services.cgroups.clone(), services.cgroup_parent.clone());
    // Names of scopes do not say which engine made them.
    let by_name = services.cgroup_driver == cgroups::Driver::Cgroupfs;
    // Those have their cgroups rightly, and a look into each hierarchy for each of them is what costs.
    let all = services.containers.all().into_iter();
    let live: BTreeMap<ContainerId, u32> =
        all.filter_map(|container| Some((container.id().clone(), container.state().pid()?))).collect();
    let (cgroups, ended) = offload::blocking(move || {
        let groups = if by_name { ids(host.children(Path::new(&parent))) } else { BTreeSet::new() };
        let cgroups = groups.into_iter().filter(|id| !live.contains_key(id)).map(|id| {
            let group = host.cgroup(&Path::new(&parent).join(id.as_str()));
            let busy = group.pids().is_ok_and(|pids| !pids.is_empty());
            (id, busy)
        });
        let ended: BTreeSet<u32> =
            live.values().copied().filter(|pid| sys::process::has_ended(*pid)).collect();
        (cgroups.collect(), ended)
    })
    .await;
    let in_progress = services.containers.in_progress().into_iter().collect();
    let mut recorded = BTreeMap::new();
    for container in services.containers.all() {
        recorded.insert(container.id().clone(), look_at(&container, &ended).await);
    }
    let store_older = services.store_age.is_older();
    Ok(Facts { recorded, in_progress, cgroups, store_older, ..facts })
}

/// The directories that there are, and nothing else.
async fn on_disk(services: &Arc<Services>) -> Result<Facts> {
    let layers = ids(services.images.snapshots_on_disk().await?);
    let settings = services.settings();
    let runtime = &settings.runtime;
    let (root, state) = (runtime.root_dir.join("containers"), runtime.state_dir.join("containers"));
    let (directories, bundles) = offload::blocking(move || (listed(&root), listed(&state))).await;
    Ok(Facts { layers, directories, bundles, ..Facts::default() })
}

/// What is there of containers without a record, when nobody is at work yet.
pub(super) async fn strays(services: &Arc<Services>) -> Result<Vec<(Kind, ContainerId)>> {
    let strays = compare_strays(&on_disk(services).await?).into_iter();
    let strays = strays.filter(|(id, _)| services.containers.get(id).is_none());
    Ok(strays.map(|(id, kind)| (kind, id)).collect())
}

/// With the processes that had `ended` before.
async fn look_at(container: &Container, ended: &BTreeSet<u32>) -> Recorded {
    let record = container.record();
    let (pid, task) = (record.state.pid(), container.task());
    let shim = match &task {
        Some(task) => !task.is_orphaned().await,
        None => false,
    };
    Recorded {
        name: record.name.to_string(),
        live: pid.is_some(),
        busy: container.verb_lock.try_lock().is_err()
            || container.cleanup_lock.try_lock().is_err()
            || container.is_removing(),
        process: pid.is_some_and(|pid| !ended.contains(&pid)),
        shim,
    }
}

fn listed(directory: &Path) -> BTreeSet<ContainerId> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    ids(entries.filter_map(|entry| entry.file_name().into_string().ok()))
}

/// Those of the names that are containers' ids: others are not this engine's.
fn ids(names: impl IntoIterator<Item = String>) -> BTreeSet<ContainerId> {
    names.into_iter().filter_map(|name| name.parse().ok()).collect()
}

/// Every disagreement among the facts.
pub(super) fn compare(facts: &Facts) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for (id, one) in &facts.recorded {
        if one.busy || facts.in_progress.contains(id) {
            continue;
        }
        let mut add = |kind| found.push(Disagreement::of(kind, id).detail(one.name.clone()));
        match (one.live, one.process, one.shim) {
            (true, false, _) => add(Kind::ContainerDead),
            (true, true, false) => add(Kind::ShimLost),
            _ => {}
        }
        if !facts.layers.contains(id) {
            add(Kind::ContainerWithoutLayer);
        }
        if !facts.directories.contains(id) {
            add(Kind::ContainerWithoutDirectory);
        }
        if !one.live && facts.bundles.contains(id) {
            add(Kind::BundleWithoutContainer);
        }
    }
    let strays = compare_strays(facts);
    let idle = |id: &ContainerId| match facts.recorded.get(id) {
        Some(one) => !one.live && !one.busy,
        // What is left of one goes with it.
        None => !(facts.in_progress.contains(id) || facts.store_older && strays.contains_key(id)),
    };
    let groups = facts.cgroups.iter().filter(|(id, _)| idle(id)).map(|(id, busy)| cgroup(id, *busy));
    found.extend(groups);
    found.extend(strays.iter().map(|(id, kind)| Disagreement::of(*kind, id)));
    found
}

/// What is on the disk of containers without a record, by one name each: all of it is removed at once.
fn compare_strays(facts: &Facts) -> BTreeMap<ContainerId, Kind> {
    let known = |id: &ContainerId| facts.recorded.contains_key(id) || facts.in_progress.contains(id);
    let all = facts.layers.iter().chain(&facts.directories).chain(&facts.bundles).filter(|id| !known(id));
    let kind = |id: &ContainerId| match facts.bundles.contains(id) {
        _ if facts.store_older => Kind::StoreOlder,
        true => Kind::BundleWithoutContainer,
        false => Kind::ContainerHalfRemoved,
    };
    all.map(|id| (id.clone(), kind(id))).collect()
}

fn cgroup(id: &ContainerId, busy: bool) -> Disagreement {
    let kind = if busy { Kind::ProcessWithoutContainer } else { Kind::CgroupWithoutContainer };
    Disagreement::of(kind, id)
}

/// Mends one. What has changed since it was found stays as it is.
///
/// # Errors
/// What stands in the way.
pub(super) async fn repair(services: &Arc<Services>, kind: Kind, id: &ContainerId) -> Result<()> {
    match kind {
        Kind::ContainerDead | Kind::ShimLost => record_end(services, id).await,
        Kind::ProcessWithoutContainer | Kind::CgroupWithoutContainer => remove_cgroup(services, id).await,
        Kind::ContainerWithoutLayer => make_layer(services, id).await,
        Kind::ContainerWithoutDirectory => {
            let Some(container) = services.containers.get(id) else { return Ok(()) };
            let _verb = container.verb_lock.lock().await;
            Ok(durable::create_dir_all(&services.container_dir(id), 0o710)?)
        }
        _ => match services.containers.get(id) {
            Some(container) => {
                let _verb = container.verb_lock.lock().await;
                let _cleanup = container.cleanup_lock.lock().await;
                if container.state().is_live() {
                    return Ok(());
                }
                crate::container::clear_leftovers(services, &container).await
            }
            None => super::super::open::remove_stray(services, id).await,
        },
    }
}

/// Sees to it that the end of a container is recorded whose shim is dead, or does not tell.
async fn record_end(services: &Arc<Services>, id: &ContainerId) -> Result<()> {
    let Some(container) = services.containers.get(id) else { return Ok(()) };
    let Some(task) = container.task() else {
        let _verb = container.verb_lock.lock().await;
        if container.task().is_none() && container.state().is_live() {
            crate::container::adopt(services, &container).await?;
        }
        return Ok(());
    };
    // It is gone otherwise, and has ended.
    let Ok(end) = crate::container::wait(services, id.as_str(), WaitFor::NotRunning).await else {
        return Ok(());
    };
    if !container.state().is_live() {
        return Ok(());
    }
    // Whoever waits for the process then learns that the shim is lost, and does the rest.
    if !task.end_shim() {
        return Err(Error::new(Class::Unavailable, "its shim does not say which process it is")
            .hint("End the shim by hand"));
    }
    match tokio::time::timeout(LIMIT, end).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(Class::Unavailable, format!("its end was not recorded within {LIMIT:?}"))),
    }
}

async fn remove_cgroup(services: &Arc<Services>, id: &ContainerId) -> Result<()> {
    let container = services.containers.get(id);
    let _verb = match &container {
        Some(container) => Some(container.verb_lock.lock().await),
        None => None,
    };
    if container.as_ref().is_some_and(|container| container.state().is_live()) {
        return Ok(());
    }
    let group = services.cgroups.cgroup(&Path::new(&services.cgroup_parent).join(id.as_str()));
    offload::blocking(move || group.kill().and_then(|()| group.remove())).await.map_err(Into::into)
}

async fn make_layer(services: &Arc<Services>, id: &ContainerId) -> Result<()> {
    let Some(container) = services.containers.get(id) else { return Ok(()) };
    let _verb = container.verb_lock.lock().await;
    let _cleanup = container.cleanup_lock.lock().await;
    let record = container.record();
    if record.state.is_live() {
        let why = "it still runs with what is left of it";
        return Err(Error::new(Class::Conflict, why).hint("Save what you need, stop it, and repair again"));
    }
    let image = record.image.id.parse().ok().and_then(|image| services.images.get(&image));
    let image = image.ok_or_else(|| {
        Error::new(Class::NotFound, format!("its image {} is not here", record.image.id))
            .hint("Remove the container with 'docker rm'")
    })?;
    let ids = crate::container::ids_for(services, &record.spec);
    Ok(services.images.prepare_anew(&image, id.as_str(), ids).await?)
}

#[cfg(test)]
mod tests;
