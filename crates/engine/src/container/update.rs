//! `update`: other limits, ports, or another restart policy, while it runs too.

use super::ports::{self, PortChange};
use crate::Services;
use ::events::ContainerAction;
use containers::{Container, Record};
use errors::{Class, Error, Result};
use networks::Endpoint;
use runtime::Task;
use spec::{NetworkMode, Resources, RestartPolicy};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Limits.
    pub resources: Resources,
    /// Restart policy.
    pub restart: Option<RestartPolicy>,
    /// Published ports.
    pub ports: PortChange,
}

/// Changes a container; answers warnings.
///
/// # Errors
/// `Invalid` for limits that contradict each other, `Conflict` for a restart policy with `--rm` and for a port that somebody has.
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
    let mut warnings = super::limits::check(services, &mut resources)?;
    let network = match change.ports == PortChange::default() {
        true => None,
        false => Some(ports::changed(&record.spec.network, &change.ports)?),
    };
    if network.is_some() && record.spec.network.mode == NetworkMode::Host {
        warnings.push("Published ports are discarded when using host network mode".to_owned());
    }
    let endpoints = match &network {
        Some(network) => ports::republish(services, &record, network, &record.endpoints).await?,
        None => record.endpoints.clone(),
    };
    if let Some(task) = container.task() {
        let mut limits = resources.clone();
        // Normalised, it is only there when set; here it may be taken back.
        limits.oom_kill_disable = limits.oom_kill_disable.or(change.resources.oom_kill_disable);
        if let Err(error) = apply(&container, &task, &limits).await {
            take_ports_back(services, &record, &endpoints).await;
            return Err(error);
        }
    }
    let stored = services
        .containers
        .update(&container, |record| {
            record.spec.resources = resources.clone();
            if let Some(restart) = change.restart {
                record.spec.restart = restart;
            }
            if let Some(network) = &network {
                record.spec.network.clone_from(network);
                if !record.endpoints.is_empty() {
                    record.endpoints.clone_from(&endpoints);
                }
            }
        })
        .await;
    let record = match stored {
        Ok(record) => record,
        Err(error) => {
            take_back(&container, &record.spec.resources, &resources).await;
            take_ports_back(services, &record, &endpoints).await;
            return Err(error);
        }
    };
    services.events.publish(super::event(&ContainerAction::Update, &record));
    Ok(warnings)
}

/// Publishes what was published before the change, so that it is as its record says.
async fn take_ports_back(services: &Arc<Services>, record: &Record, endpoints: &BTreeMap<String, Endpoint>) {
    if *endpoints == record.endpoints {
        return;
    }
    if let Err(error) = ports::republish(services, record, &record.spec.network, endpoints).await {
        tracing::error!(container = %record.id, %error, "take back ports after a change that failed");
    }
}

async fn apply(container: &Container, task: &Task, limits: &Resources) -> Result<()> {
    let devices = super::devices::block_devices(limits)?;
    let limits = runtime::bundle::linux_resources(limits, &devices)?;
    task.update(&limits).await.map_err(|error| super::failed_call(container, error))
}

/// Applies the limits of before to what runs, so that it is as its record says.
async fn take_back(container: &Container, before: &Resources, tried: &Resources) {
    let Some(task) = container.task() else { return };
    if let Err(error) = apply(container, &task, &undoing(before, tried)).await {
        tracing::error!(container = %container.id(), %error, "take back the limits that could not be stored");
    }
}

/// The limits of before, and the kernel's default where only the failed change has one. A set of processors, swappiness
/// and weight have none that can be named here.
fn undoing(before: &Resources, tried: &Resources) -> Resources {
    let mut limits = before.clone();
    macro_rules! default {
        ($($field:ident: $value:expr),*) => {
            $( if limits.$field.is_none() && tried.$field.is_some() { limits.$field = Some($value); } )*
        };
    }
    default!(
        memory: -1,
        memory_reservation: -1,
        memory_swap: -1,
        oom_kill_disable: false,
        cpu_shares: 1024,
        cpu_period: 100_000,
        cpu_quota: -1,
        pids_limit: -1
    );
    if before.nano_cpus.is_none() && tried.nano_cpus.is_some() {
        limits.cpu_quota = limits.cpu_quota.or(Some(-1));
    }
    limits
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_change_added_is_unlimited_again() {
        let before = Resources { memory: Some(64 << 20), ..Resources::default() };
        let mut tried = before.clone();
        let change = Resources {
            memory: Some(128 << 20),
            pids_limit: Some(9),
            nano_cpus: Some(500_000_000),
            ..Resources::default()
        };
        merge(&mut tried, &change);
        let expected = Resources { pids_limit: Some(-1), cpu_quota: Some(-1), ..before.clone() };
        assert_eq!(undoing(&before, &tried), expected);
    }
}
