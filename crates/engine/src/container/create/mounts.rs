//! What a container has mounted: volumes get names and directories, sources are checked.

use super::validate::not_the_image;
use crate::Services;
use crate::container::volumes;
use containers::{MountPoint, MountPointKind};
use errors::{Class, Error, Result};
use ids::ContainerId;
use spec::{Bind, ContainerSpec, Mount, MountKind, VolumeMount};
use std::sync::Arc;
use undo::Undo;

/// Turns what was asked to be mounted into what is: volumes get names and directories, sources are checked.
pub(super) async fn mount_points(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    undo: &mut Undo,
) -> Result<Vec<MountPoint>> {
    let mut points = inherited(services, spec)?;
    for mount in &spec.filesystem.mounts {
        let point = mount_point(services, id, spec, mount, undo).await?;
        points.retain(|other: &MountPoint| other.target != point.target);
        points.push(point);
    }
    for target in &spec.filesystem.anonymous_volumes {
        let target = normal(target);
        if points.iter().any(|point| point.target == target) {
            continue;
        }
        let volume = VolumeMount::default();
        points.push(volume_point(services, id, spec, &volume, &target, false, undo).await?);
    }
    // Those that were inherited and not covered by another; for the others it is said again.
    for point in &points {
        if let MountPointKind::Volume { name, .. } = &point.kind {
            volumes::share(services, id, name, undo).await?;
        }
    }
    Ok(points)
}

/// The mounts of the containers named by `--volumes-from`.
fn inherited(services: &Services, spec: &ContainerSpec) -> Result<Vec<MountPoint>> {
    let mut points: Vec<MountPoint> = Vec::new();
    for entry in &spec.filesystem.volumes_from {
        let (name, mode) = entry.split_once(':').unwrap_or((entry, ""));
        if !matches!(mode, "" | "ro" | "rw" | "z" | "Z") {
            return Err(Error::new(Class::Invalid, format!("invalid mode: {mode}")));
        }
        let other = services.containers.find(name).map_err(|error| not_the_image(error.into()))?;
        for mount in &other.record().mounts {
            if matches!(mount.kind, MountPointKind::Tmpfs) {
                continue;
            }
            let mut mount = mount.clone();
            mount.read_only |= mode == "ro";
            if let MountPointKind::Volume { anonymous, .. } = &mut mount.kind {
                *anonymous = false; // it goes with the container it was made for
            }
            points.retain(|other| other.target != mount.target);
            points.push(mount);
        }
    }
    Ok(points)
}

async fn mount_point(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    mount: &Mount,
    undo: &mut Undo,
) -> Result<MountPoint> {
    let target = normal(&mount.target);
    match &mount.kind {
        MountKind::Bind(bind) => bind_point(mount, bind, target),
        MountKind::Volume(volume) => {
            let mut point = volume_point(services, id, spec, volume, &target, mount.read_only, undo).await?;
            if point.mode.is_empty() && volume.name.is_some() && !mount.structured {
                point.mode = if mount.read_only { "ro" } else { "z" }.to_owned();
            }
            Ok(point)
        }
        MountKind::Tmpfs(_) => Ok(MountPoint {
            kind: MountPointKind::Tmpfs,
            source: String::new(),
            target,
            read_only: mount.read_only,
            propagation: None,
            mode: String::new(),
        }),
        MountKind::Image { image, .. } => {
            Err(Error::new(Class::Unsupported, format!("mounting the image {image} is not supported yet")))
        }
    }
}

/// A directory or file of the host; the directory is made if the client wants that.
fn bind_point(mount: &Mount, bind: &Bind, target: String) -> Result<MountPoint> {
    if std::fs::symlink_metadata(&bind.source).is_err() {
        if !bind.create_source {
            return Err(Error::new(
                Class::Invalid,
                format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {}",
                    bind.source
                ),
            )
            .hint("Create it first, or use -v, which creates a missing directory"));
        }
        durable::create_dir_all(bind.source.as_ref(), 0o755)
            .map_err(|error| Error::from(error).context(format!("create the bind source {}", bind.source)))?;
    }
    Ok(MountPoint {
        kind: MountPointKind::Bind,
        source: bind.source.clone(),
        target,
        read_only: mount.read_only,
        propagation: bind.propagation,
        mode: bind_mode(mount, bind.relabel),
    })
}

/// What was written behind the path, as `inspect` shows it.
fn bind_mode(mount: &Mount, relabel: Option<char>) -> String {
    let read_only = (mount.read_only && !mount.structured).then(|| "ro".to_owned());
    read_only.into_iter().chain(relabel.map(String::from)).collect::<Vec<_>>().join(",")
}

async fn volume_point(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    volume: &VolumeMount,
    target: &str,
    read_only: bool,
    undo: &mut Undo,
) -> Result<MountPoint> {
    let anonymous = volume.name.is_none();
    let driver = volume.driver.clone().or_else(|| spec.filesystem.volume_driver.clone());
    let made = volumes::make(services, id, volume, driver, undo).await?;
    volumes::populate(services, id, volume, &made, target).await?;
    Ok(MountPoint {
        source: services.volumes.path(&made.name).display().to_string(),
        kind: MountPointKind::Volume { name: made.name, driver: made.driver, anonymous },
        target: target.to_owned(),
        read_only,
        propagation: None,
        mode: if volume.no_copy { "nocopy".into() } else { String::new() },
    })
}

/// A container path without `.`, `..`, doubled or trailing slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_paths_are_made_plain() {
        assert_eq!(normal("/a//b/./c/"), "/a/b/c");
        assert_eq!(normal("/a/../../b"), "/b");
    }
}
