//! The namespaces of other containers, and of the host, that a container joins.

use crate::Services;
use crate::container::joined::Donors;
use errors::{Class, Error, Result};
use runtime::bundle::Shm;
use spec::{IpcMode, JoinMode};
use std::path::PathBuf;

/// Where its `/dev/shm` comes from.
pub(super) fn shm(donors: &Donors, ipc: &IpcMode) -> Result<Shm> {
    Ok(match ipc {
        IpcMode::Private | IpcMode::Shareable => Shm::Private,
        IpcMode::None => Shm::None,
        IpcMode::Host => Shm::Path(PathBuf::from("/dev/shm")),
        IpcMode::Container(other) => {
            let pid = donors.pid_of(other, "join the IPC namespace of")?;
            Shm::Path(PathBuf::from(format!("/proc/{pid}/root/dev/shm")))
        }
    })
}

/// The namespace of another container that a mode names.
pub(super) fn joined(donors: &Donors, mode: &JoinMode, kind: &str) -> Result<Option<PathBuf>> {
    match mode {
        JoinMode::Container(other) => namespace(donors, other, kind).map(Some),
        JoinMode::Private | JoinMode::Host => Ok(None),
    }
}

/// Only who shares it lets others into its IPC namespace.
pub(super) fn shareable_ipc(services: &Services, donors: &Donors, other: &str) -> Result<PathBuf> {
    let donor = services.containers.find(other)?;
    if matches!(donor.record().spec.namespaces.ipc, IpcMode::Private | IpcMode::None) {
        return Err(Error::new(
            Class::Conflict,
            format!("cannot join IPC of container {}: non-shareable IPC", donor.id()),
        )
        .hint("Start that container with --ipc shareable"));
    }
    namespace(donors, other, "ipc")
}

fn namespace(donors: &Donors, other: &str, kind: &str) -> Result<PathBuf> {
    let pid = donors.pid_of(other, &format!("join the {kind} namespace of"))?;
    Ok(PathBuf::from(format!("/proc/{pid}/ns/{kind}")))
}
