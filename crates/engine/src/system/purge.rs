//! Taking away everything that was ever an engine's.

use crate::Services;
use crate::container::Remove;
use errors::Result;
use std::sync::Arc;

/// Removes every container by force, then the networks' devices and rules. The directories are the caller's to remove,
/// once the store is closed.
///
/// # Errors
/// The first failure, after everything was tried.
pub async fn purge(services: &Arc<Services>) -> Result<()> {
    let mut first = Ok(());
    let mut removals = tokio::task::JoinSet::new();
    for container in services.containers.all() {
        let services = Arc::clone(services);
        removals.spawn(async move {
            let how = Remove { force: true, volumes: true, link: false };
            crate::container::remove(&services, container.id().as_str(), how).await
        });
    }
    while let Some(removed) = removals.join_next().await {
        if let Ok(Err(error)) = removed {
            first = first.and(Err(error));
        }
    }
    first = first.and(crate::image::unmount_all(services).await);
    first = first.and(services.networks.purge().await.map_err(Into::into));
    services.runtimes.close().await;
    if services.cgroup_driver == cgroups::Driver::Cgroupfs {
        let parent = services.cgroups.cgroup(services.cgroup_parent.as_ref());
        let removed = parent.remove().map_err(Into::into);
        first = first.and(removed);
    }
    first.and(super::state::forget(services).await)
}
