//! `update`: other limits or another restart policy, while it runs too.

use crate::Services;
use ::events::ContainerAction;
use errors::{Class, Error, Result};
use spec::{Resources, RestartPolicy};
use std::sync::Arc;

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Limits.
    pub resources: Resources,
    /// Restart policy.
    pub restart: Option<RestartPolicy>,
}

/// Changes a container; answers warnings.
///
/// # Errors
/// `Invalid` for limits that contradict each other, `Conflict` for a restart policy with `--rm`.
pub async fn update(services: &Arc<Services>, reference: &str, change: Update) -> Result<Vec<String>> {
    let container = services.containers.find(reference)?;
    let _verb = container.verb_lock.lock().await;
    let record = container.record();
    if record.spec.auto_remove && change.restart.is_some_and(|policy| policy != RestartPolicy::No) {
        return Err(Error::new(
            Class::Invalid,
            "Restart policy cannot be updated because AutoRemove is enabled for the container",
        ));
    }
    let mut resources = record.spec.resources.clone();
    merge(&mut resources, &change.resources);
    let warnings = super::limits::check(services, &mut resources)?;
    if let Some(task) = container.task() {
        let devices = super::devices::block_devices(&resources)?;
        let mut limits = resources.clone();
        // Normalised, it is only there when set; here it may be taken back.
        limits.oom_kill_disable = limits.oom_kill_disable.or(change.resources.oom_kill_disable);
        task.update(&runtime::bundle::linux_resources(&limits, &devices)?).await?;
    }
    let record = services
        .containers
        .update(&container, |record| {
            record.spec.resources = resources;
            if let Some(restart) = change.restart {
                record.spec.restart = restart;
            }
        })
        .await?;
    services.events.publish(super::event(&ContainerAction::Update, &record));
    Ok(warnings)
}

fn merge(into: &mut Resources, from: &Resources) {
    macro_rules! take {
        ($($field:ident),*) => { $( if from.$field.is_some() { into.$field.clone_from(&from.$field); } )* };
    }
    take!(
        memory,
        memory_reservation,
        memory_swap,
        memory_swappiness,
        oom_kill_disable,
        nano_cpus,
        cpu_shares,
        cpu_period,
        cpu_quota,
        cpu_realtime_period,
        cpu_realtime_runtime,
        cpuset_cpus,
        cpuset_mems,
        pids_limit,
        blkio_weight
    );
}
