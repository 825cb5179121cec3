//! A container's user namespace, where its ids are others on the host (`runtime.userns_remap`).
//!
//! What the ids are is decided when the container is created, and its writable layer remembers it: its files have
//! these owners, whatever the settings say later.

use super::joined::{Donors, joined};
use crate::Services;
use containers::Record;
use errors::{Class, Error, Result};
use runtime::UserNamespace;
use rustix::fs::{Gid, Mode, Uid};
use spec::{ContainerSpec, IdMaps, JoinMode, NetworkMode};
use std::path::Path;
use std::sync::Arc;
use undo::Undo;

/// The user namespace of a container that is being started.
#[derive(Debug)]
pub(super) struct Mapped {
    /// What its ids are on the host.
    pub(super) ids: IdMaps,
    /// It, and a network namespace in it.
    pub(super) namespace: UserNamespace,
}

/// The ids on the host for a container with these wishes.
pub(crate) fn ids_for<'a>(services: &'a Services, spec: &ContainerSpec) -> Option<&'a IdMaps> {
    services.id_maps.as_ref().filter(|_| !spec.namespaces.user_host)
}

/// Makes the user namespace of a container with ids of its own, or finds that of the one whose namespaces it joins.
///
/// # Errors
/// `Conflict` if it is to join namespaces of containers in different user namespaces: the kernel lets nobody be in two.
pub(super) async fn prepare(
    services: &Arc<Services>,
    record: &Record,
    donors: &Donors,
    undo: &mut Undo,
) -> Result<Option<Mapped>> {
    let Some(ids) = services.images.ids(record.id.as_str())? else { return Ok(None) };
    undo.step("make the user namespace")?;
    let pid = shared(services, record, donors, &ids)?;
    let (shim, maps) = (services.host.shim.clone(), ids.clone());
    let namespace = offload::blocking(move || -> Result<_> {
        Ok(match pid {
            Some(pid) => UserNamespace::of_process(&shim, pid)?,
            None => UserNamespace::make(&shim, &maps)?,
        })
    })
    .await?;
    Ok(Some(Mapped { ids, namespace }))
}

/// The process whose user namespace is to be joined, if any.
fn shared(services: &Services, record: &Record, donors: &Donors, ids: &IdMaps) -> Result<Option<u32>> {
    let mut found: Option<(u32, std::path::PathBuf)> = None;
    for other in joined(&record.spec) {
        let pid = donors.pid_of(other, "join a namespace of")?;
        let link = format!("/proc/{pid}/ns/user");
        let namespace = std::fs::read_link(&link)
            .map_err(|error| Error::wrap(Class::Internal, error).context(format!("read {link}")))?;
        let theirs = services.images.ids(services.containers.find(other)?.id().as_str())?;
        let same = found.as_ref().is_none_or(|(_, first)| *first == namespace);
        if theirs.as_ref() != Some(ids) || !same {
            return Err(Error::new(
                Class::Conflict,
                format!("cannot join namespaces of container {other}: it is in another user namespace"),
            )
            .hint("Start both with --userns=host, or both without"));
        }
        found = Some((pid, namespace));
    }
    Ok(found.map(|(pid, _)| pid))
}

/// Refuses what a container in a user namespace of its own can't have, in docker's words.
pub(super) fn validate(services: &Services, spec: &ContainerSpec) -> Result<()> {
    let refused = |message: &str| Err(Error::new(Class::Invalid, message).hint("Add --userns=host"));
    if ids_for(services, spec).is_none() {
        return Ok(());
    }
    if spec.security.privileged {
        return refused(
            "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
        );
    }
    if spec.network.mode == NetworkMode::Host {
        return refused("cannot share the host's network namespace when user namespaces are enabled");
    }
    if spec.namespaces.pid == JoinMode::Host {
        return refused("cannot share the host PID namespace when user namespaces are enabled");
    }
    Ok(())
}

/// Gives a file that was made for a container to its root.
pub(super) fn chown_to_root(path: &Path, ids: Option<&IdMaps>) -> Result<()> {
    let Some((uid, gid)) = ids.map(IdMaps::root) else { return Ok(()) };
    rustix::fs::chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
        .map_err(|error| failed("change the owner of", path, error))
}

/// Lets the container's root, and no other user of the host, pass through a directory of root's.
pub(super) fn allow_traversal(path: &Path, ids: Option<&IdMaps>) -> Result<()> {
    let Some((_, gid)) = ids.map(IdMaps::root) else { return Ok(()) };
    rustix::fs::chown(path, None, Some(Gid::from_raw(gid)))
        .and_then(|()| rustix::fs::chmod(path, Mode::from_raw_mode(0o710)))
        .map_err(|error| failed("open to the container's root", path, error))
}

fn failed(action: &str, path: &Path, error: rustix::io::Errno) -> Error {
    Error::wrap(Class::Internal, std::io::Error::from(error)).context(format!("{action} {}", path.display()))
}
