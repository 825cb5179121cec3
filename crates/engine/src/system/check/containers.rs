//! Containers' records beside their processes, shims, layers and directories.

use super::disagreement::Disagreement;
use super::table::Kind;
use crate::Services;
use ::containers::Container;
use errors::{Class, Error, Result};
use ids::ContainerId;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of a container may take to be recorded.
const LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of containers.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) recorded: Vec<Recorded>,
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
    pub(super) id: ContainerId,
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
    let layers = ids(services.images.snapshots_on_disk().await?);
    let settings = services.settings();
    let runtime = &settings.runtime;
    let (root, state) = (runtime.root_dir.join("containers"), runtime.state_dir.join("containers"));
    let (host, parent) = (services.cgroups.clone(), services.cgroup_parent.clone());
    // Names of scopes do not say which engine made them.
    let by_name = services.cgroup_driver == cgroups::Driver::Cgroupfs;
    // Those have theirs rightly, and a look into each hierarchy for each of them is what costs.
    let live = services.containers.all().into_iter().filter(|container| container.state().is_live());
    let live: BTreeSet<ContainerId> = live.map(|container| container.id().clone()).collect();
    let (directories, bundles, cgroups) = offload::blocking(move || {
        let groups = if by_name { ids(host.children(Path::new(&parent))) } else { BTreeSet::new() };
        let cgroups = groups.into_iter().filter(|id| !live.contains(id)).map(|id| {
            let group = host.cgroup(&Path::new(&parent).join(id.as_str()));
            let busy = group.pids().is_ok_and(|pids| !pids.is_empty());
            (id, busy)
        });
        let cgroups = cgroups.collect();
        (listed(&root), listed(&state), cgroups)
    })
    .await;
    let in_progress = services.containers.in_progress().into_iter().collect();
    let mut recorded = Vec::new();
    for container in services.containers.all() {
        recorded.push(look_at(&container).await);
    }
    let store_older = services.store_age.is_older();
    Ok(Facts { recorded, in_progress, layers, directories, bundles, cgroups, store_older })
}

async fn look_at(container: &Container) -> Recorded {
    let record = container.record();
    let (pid, task) = (record.state.pid(), container.task());
    let shim = match &task {
        Some(task) => !task.is_orphaned().await,
        None => false,
    };
    Recorded {
        id: record.id.clone(),
        name: record.name.to_string(),
        live: pid.is_some(),
        busy: container.verb_lock.try_lock().is_err()
            || container.cleanup_lock.try_lock().is_err()
            || container.is_removing(),
        process: pid.is_some_and(runs),
        shim,
    }
}

/// Whether a process is there and has not ended.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
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
    for one in facts.recorded.iter().filter(|one| !one.busy && !facts.in_progress.contains(&one.id)) {
        let mut add = |kind| found.push(Disagreement::of(kind, &one.id).detail(one.name.clone()));
        match (one.live, one.process, one.shim) {
            (true, false, _) => add(Kind::ContainerDead),
            (true, true, false) => add(Kind::ShimLost),
            _ => {}
        }
        if !facts.layers.contains(&one.id) {
            add(Kind::ContainerWithoutLayer);
        }
        if !facts.directories.contains(&one.id) {
            add(Kind::ContainerWithoutDirectory);
        }
        if !one.live && facts.bundles.contains(&one.id) {
            add(Kind::BundleWithoutContainer);
        }
    }
    let known =
        |id: &ContainerId| facts.recorded.iter().any(|one| one.id == *id) || facts.in_progress.contains(id);
    let idle = |id: &ContainerId| {
        let one = facts.recorded.iter().find(|one| one.id == *id);
        one.map_or_else(|| !facts.in_progress.contains(id), |one| !one.live && !one.busy)
    };
    let halves: BTreeSet<_> = facts.layers.union(&facts.directories).filter(|id| !known(id)).collect();
    let bundles: BTreeSet<_> = facts.bundles.iter().filter(|id| !known(id)).collect();
    if facts.store_older {
        let strays = halves.union(&bundles).map(|id| Disagreement::of(Kind::StoreOlder, id));
        found.extend(strays);
        let of_store = |id: &ContainerId| halves.contains(id) || bundles.contains(id);
        let groups = facts.cgroups.iter().filter(|(id, _)| idle(id) && !of_store(id));
        found.extend(groups.map(|(id, busy)| cgroup(id, *busy)));
    } else {
        found.extend(halves.into_iter().map(|id| Disagreement::of(Kind::ContainerHalfRemoved, id)));
        found.extend(bundles.into_iter().map(|id| Disagreement::of(Kind::BundleWithoutContainer, id)));
        let groups = facts.cgroups.iter().filter(|(id, _)| idle(id));
        found.extend(groups.map(|(id, busy)| cgroup(id, *busy)));
    }
    found
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
    match container.task() {
        // Whoever waits for the process then learns that the shim is lost, and does the rest.
        Some(task) if task.end_shim() => {}
        Some(_) => {
            return Err(Error::new(Class::Unavailable, "its shim does not say which process it is")
                .hint("End the shim by hand"));
        }
        None => {
            let _verb = container.verb_lock.lock().await;
            if container.task().is_none() && container.state().is_live() {
                crate::container::adopt(services, &container).await?;
            }
            return Ok(());
        }
    }
    let deadline = tokio::time::Instant::now() + LIMIT;
    while container.state().is_live() && container.task().is_some() {
        if tokio::time::Instant::now() > deadline {
            return Err(Error::new(Class::Unavailable, format!("its end was not recorded within {LIMIT:?}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
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
