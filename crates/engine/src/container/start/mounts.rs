//! A container's mounts as the runtime is told them.

use super::propagation;
pub(in crate::container) use super::targets::Modes;
use containers::{MountPoint, MountPointKind, Record};
use errors::{Class, Error, Result};
use runtime::bundle::{BindRequest, ResolvedMount};
use spec::{Bind, MountKind, Tmpfs};

/// The client's mounts for the OCI document, parents before children.
pub(in crate::container) fn of_client(
    record: &Record,
    modes: &Modes,
    kernel: (u32, u32),
) -> Result<Vec<ResolvedMount>> {
    let mounts = record.mounts.iter().map(|point| client_mount(record, point, modes, kernel));
    let mut mounts = mounts.collect::<Result<Vec<_>>>()?;
    mounts.sort_by_key(|mount| mount.target.matches('/').count());
    Ok(mounts)
}

fn client_mount(
    record: &Record,
    point: &MountPoint,
    modes: &Modes,
    kernel: (u32, u32),
) -> Result<ResolvedMount> {
    let asked = record.spec.filesystem.mounts.iter().find(|mount| same_path(&mount.target, &point.target));
    Ok(match &point.kind {
        MountPointKind::Tmpfs => {
            let mut tmpfs = match asked.map(|mount| &mount.kind) {
                Some(MountKind::Tmpfs(tmpfs)) => tmpfs.clone(),
                _ => Tmpfs::default(),
            };
            tmpfs.mode = tmpfs.mode.or_else(|| modes.get(&point.target).copied());
            runtime::bundle::tmpfs_mount(&point.target, &tmpfs, point.read_only)?
        }
        MountPointKind::Bind => {
            let bind = match asked.map(|mount| &mount.kind) {
                Some(MountKind::Bind(bind)) => bind.clone(),
                _ => Bind::default(),
            };
            if std::fs::symlink_metadata(&point.source).is_err() {
                return Err(Error::new(
                    Class::Invalid,
                    format!("bind source path does not exist: {}", point.source),
                ));
            }
            propagation::check(&point.source, point.propagation)?;
            bind_mount(point, &bind, kernel)?
        }
        MountPointKind::Volume { .. } => {
            let mut point = point.clone();
            if let Some(MountKind::Volume(volume)) = asked.map(|mount| &mount.kind)
                && let Some(subpath) = &volume.subpath
            {
                point.source = subpath_of(&point.source, subpath)?;
            }
            bind_mount(&point, &Bind::default(), kernel)?
        }
    })
}

fn same_path(a: &str, b: &str) -> bool {
    let parts = |path: &str| {
        path.split('/').filter(|part| !matches!(*part, "" | ".")).map(String::from).collect::<Vec<_>>()
    };
    parts(a) == parts(b)
}

fn bind_mount(point: &MountPoint, bind: &Bind, kernel: (u32, u32)) -> Result<ResolvedMount> {
    let request = BindRequest {
        target: point.target.clone(),
        source: point.source.clone(),
        read_only: point.read_only,
        propagation: point.propagation,
        non_recursive: bind.non_recursive,
        read_only_non_recursive: bind.read_only_non_recursive,
        read_only_force_recursive: bind.read_only_force_recursive,
    };
    Ok(runtime::bundle::bind_mount(&request, kernel)?)
}

/// A directory in a volume, reached without following a link out of it.
fn subpath_of(volume: &str, subpath: &str) -> Result<String> {
    let bad = |why: &str| Error::new(Class::Invalid, format!("volume subpath {subpath}: {why}"));
    let root = std::fs::canonicalize(volume).map_err(|error| bad(&error.to_string()))?;
    let path = std::fs::canonicalize(root.join(subpath)).map_err(|error| bad(&error.to_string()))?;
    if !path.starts_with(&root) {
        return Err(bad("it leads out of the volume"));
    }
    Ok(path.display().to_string())
}
