//! The verbs on containers.

// The verbs.
mod archive;
mod attach;
mod changes;
mod commit;
mod create;
mod export;
mod inspect;
mod kill;
mod list;
mod logs;
mod pause;
mod prune;
mod remove;
mod rename;
mod resize;
mod restart;
mod start;
mod stats;
mod stop;
mod top;
mod unpause;
mod update;
mod wait;

// What happens without a client's asking.
mod adopt;
mod exit;
mod freeze;
mod restart_policy;

// What several of them need.
mod apparmor;
mod cleanup;
mod devices;
mod joined;
mod limits;
pub(crate) mod links;
pub(crate) mod network;
pub(crate) mod ports;
mod sysctls;
mod user;
mod user_namespace;
mod volumes;

pub use crate::names::carried;
pub(crate) use adopt::adopt;
pub(crate) use apparmor::APPARMOR_PROFILE;
pub use archive::{Get, PathStat, Put, get, put, stat};
pub use attach::{Attach, Attached, attach};
pub use changes::changes;
pub(crate) use cleanup::{clear_leftovers, end_by_bundle};
pub use commit::{Commit, commit};
pub use create::{Create, Created, create};
pub use export::export;
pub use inspect::{Inspection, Sizes, inspect};
pub use kill::kill;
pub use list::{List, Summary, list};
pub use logs::{LogEntry, LogStream, Logs, logs};
pub use pause::pause;
pub use ports::PortChange;
pub use prune::{Pruned, prune};
pub use remove::{Remove, remove};
pub use rename::rename;
pub use resize::resize;
pub use restart::restart;
pub use start::{Files, start};
pub(crate) use start::{host_resolv_conf, refresh_hosts, start_failure_code};
pub use stats::{InterfaceStats, Stats, stats};
pub use stop::{Stop, stop};
pub use top::{Top, top};
pub use unpause::unpause;
pub use update::{Update, update};
pub(crate) use user::lookup as lookup_user;
pub(crate) use user_namespace::ids_for;
pub use wait::{WaitFor, Waited, wait};

use crate::Services;
use ::containers::{Container, Record};
use errors::{Class, Error, Result};
use events::{ContainerAction, ContainerOf, Event};
use ids::ContainerId;
use std::path::PathBuf;

/// An event about a container.
pub(crate) fn event(action: &ContainerAction, record: &Record) -> Event {
    let container = ContainerOf {
        id: record.id.as_str(),
        name: record.name.as_str(),
        image: &record.spec.image,
        labels: &record.spec.labels,
    };
    Event::container(action, container)
}

/// Why a call to a shim failed. A container that ended meanwhile is the reason, whatever its shim, or the absence of one,
/// says to that.
pub(crate) fn failed_call(container: &Container, error: runtime::Error) -> Error {
    let error = Error::from(error);
    if error.class() == Class::NotFound || !container.state().is_live() {
        return Error::new(Class::Conflict, format!("container {} is not running", container.id()));
    }
    error
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Class::Invalid, message)
}

/// The OCI document that a running container was started with.
pub(crate) fn bundle_spec(services: &Services, id: &ContainerId) -> Result<oci_spec::runtime::Spec> {
    let path = services.bundle_dir(id).join(shim_protocol::file::CONFIG);
    oci_spec::runtime::Spec::load(&path)
        .map_err(|error| Error::wrap(Class::Internal, error).context(format!("read {}", path.display())))
}

/// Where the newest log file of a container is.
fn log_path(services: &Services, id: &ContainerId) -> PathBuf {
    services.container_dir(id).join(format!("{id}-json.log"))
}

/// `linux.cgroupsPath` of a container.
fn cgroup_path(services: &Services, record: &Record) -> PathBuf {
    let parent = record.spec.cgroup_parent.as_deref().unwrap_or(&services.cgroup_parent);
    cgroups::container_path(services.cgroup_driver, Some(parent), "container-runtime", record.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::containers::{ImageUse, SCHEMA, State};

    /// A record with nothing special about it.
    pub(crate) fn record() -> Record {
        Record {
            schema: SCHEMA,
            id: ContainerId::from_bytes([7; 32]),
            name: "web".parse().unwrap(),
            created_at: 1,
            spec: spec::ContainerSpec::default(),
            image: ImageUse { id: "sha256:0".into(), manifest: None, platform: "linux/amd64".into() },
            mounts: Vec::new(),
            runtime: "libcontainer".into(),
            state: State::Created { failure: None },
            stopped_by_user: false,
            restart_count: 0,
            endpoints: std::collections::BTreeMap::new(),
        }
    }
}
