//! The namespaces of other containers, and of the host, that a container joins.

use crate::Services;
use crate::container::joined::pid_of;
use errors::{Class, Error, Result};
use runtime::bundle::Shm;
use spec::{IpcMode, JoinMode};
use std::path::PathBuf;

/// Where its `/dev/shm` comes from.
pub(super) fn shm(services: &Services, ipc: &IpcMode) -> Result<Shm> {
    Ok(match ipc {
        IpcMode::Private | IpcMode::Shareable => Shm::Private,
        IpcMode::None => Shm::None,
        IpcMode::Host => Shm::Path(PathBuf::from("/dev/shm")),
        IpcMode::Container(other) => {
            let pid = pid_of(services, other, "join the IPC namespace of")?;
            Shm::Path(PathBuf::from(format!("/proc/{pid}/root/dev/shm")))
        }
    })
}

/// The namespace of another container that a mode names.
pub(super) fn joined(services: &Services, mode: &JoinMode, kind: &str) -> Result<Option<PathBuf>> {
    match mode {
        JoinMode::Container(other) => namespace(services, other, kind).map(Some),
        JoinMode::Private | JoinMode::Host => Ok(None),
    }
}

/// Only who shares it lets others into its IPC namespace.
pub(super) fn shareable_ipc(services: &Services, other: &str) -> Result<PathBuf> {
    let donor = services.containers.find(other)?;
    if matches!(donor.record().spec.namespaces.ipc, IpcMode::Private | IpcMode::None) {
        return Err(Error::new(
            Class::Conflict,
            format!("cannot join IPC of container {}: non-shareable IPC", donor.id()),
        )
        .hint("Start that container with --ipc shareable"));
    }
    namespace(services, other, "ipc")
}

fn namespace(services: &Services, other: &str, kind: &str) -> Result<PathBuf> {
    let pid = pid_of(services, other, &format!("join the {kind} namespace of"))?;
    Ok(PathBuf::from(format!("/proc/{pid}/ns/{kind}")))
}
