//! Clearing away what a run leaves: process and cgroup, mounts of volumes, network, bundle.

use crate::Services;
use containers::{Container, Record};
use errors::{Class, Error, Result};
use ids::ContainerId;
use runtime::{Adopted, Task};
use std::sync::Arc;
use std::time::Duration;

/// Ends and clears away what an earlier run left, where the engine did not live to do so or could not.
///
/// # Errors
/// When its shim lives but does not answer, or something can't be ended.
pub(crate) async fn clear_leftovers(services: &Arc<Services>, container: &Container) -> Result<()> {
    if !services.bundle_dir(container.id()).exists() {
        return Ok(());
    }
    end_by_bundle(services, container.id()).await?;
    let record = container.record();
    end_run(services, &record, None).await;
    discard_bundle(services, &record);
    Ok(())
}

/// Ends what a bundle tells of. As long as that fails the bundle has to stay: nothing else leads to it.
///
/// # Errors
/// When its shim lives but does not answer, or something can't be ended.
pub(crate) async fn end_by_bundle(services: &Services, id: &ContainerId) -> Result<()> {
    let task = match services.runtimes.adopt(id, &services.bundle_dir(id)).await? {
        Adopted::Running { task, .. } => {
            kill_and_wait(&task).await?;
            Some(task)
        }
        Adopted::Exited(_, task) => task,
        Adopted::Lost => None,
    };
    if let Some(task) = task {
        task.delete().await?;
    }
    Ok(())
}

/// Kills a process that no verb knows, and waits for its end.
///
/// # Errors
/// `Unavailable` where it does not come: what is stuck in the kernel must not hold up everything else.
pub(super) async fn kill_and_wait(task: &Task) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(30);
    let killed = task.kill(9, true).await;
    if tokio::time::timeout(LIMIT, task.wait()).await.is_ok() {
        return Ok(());
    }
    killed?;
    let message = format!("process {} did not die within {LIMIT:?} of SIGKILL", task.pid());
    Err(Error::new(Class::Unavailable, message).hint("It may be stuck in the kernel: see the host's dmesg"))
}

/// Process and cgroup, mounts of volumes, network, names. Answers whether the process is gone: else its bundle is needed, to
/// find it again.
pub(super) async fn end_run(services: &Arc<Services>, record: &Record, task: Option<&Task>) -> bool {
    let published = record.endpoints.values().any(|endpoint| !endpoint.ports.is_empty());
    if published {
        // netd listens on some of its ports: before they are somebody else's.
        crate::names::forget(services, record, &record.endpoints).await;
    }
    super::network::release(services, record);
    let delete = async {
        if let Some(task) = task
            && let Err(error) = task.delete().await
        {
            tracing::warn!(container = %record.id, %error, "remove the ended process from its shim");
            return false;
        }
        true
    };
    let unmount = async {
        for volume in record.volumes() {
            if let Err(error) = super::volumes::unmount(services, record, volume).await {
                tracing::warn!(container = %record.id, volume, %error, "unmount a volume");
            }
        }
    };
    let forget = async {
        if !published {
            crate::names::forget(services, record, &record.endpoints).await;
        }
    };
    let unplug = services.networks.unplugged(&record.id);
    tokio::join!(delete, unmount, forget, unplug).0
}

pub(super) fn discard_bundle(services: &Services, record: &Record) {
    if let Err(error) = services.state_trash.discard(&services.bundle_dir(&record.id)) {
        tracing::warn!(container = %record.id, %error, "remove the bundle");
    }
}
