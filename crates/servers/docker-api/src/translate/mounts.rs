//! What is mounted in a container: `Binds`, `Mounts`, `Tmpfs`, `Volumes`, `VolumesFrom`.

use super::{Refused, binds, nonempty, some, tmpfs};
use crate::wire::config::ContainerConfig;
use crate::wire::host_config::HostConfig;
use crate::wire::mount::{BindOptions, Driver, ImageOptions, Mount as WireMount, VolumeOptions};
use errors::{Class, Classified};
use spec::{Bind, Filesystem, Mount, MountKind, Propagation, VolumeMount};
use std::collections::BTreeSet;

/// A mount that can't be translated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountError {
    #[error("invalid mount config for type {kind:?}: field {field} must not be empty")]
    Empty { kind: String, field: &'static str },
    #[error("invalid mount config for type {kind:?}: field {field} must not be specified")]
    Forbidden { kind: String, field: &'static str },
    #[error("invalid mount config for type {kind:?}: mount type unknown")]
    Kind { kind: String },
    #[error(
        "invalid mount config for type {kind:?}: invalid mount path: '{path}' mount path must be absolute"
    )]
    Relative { kind: String, path: String },
    #[error("invalid mount config for type {kind:?}: invalid specification: destination can't be '/'")]
    Root { kind: String },
    #[error("invalid mount path: '{path}' mount path must be absolute")]
    PlainRelative { path: String },
    #[error("invalid specification: destination can't be '/'")]
    PlainRoot,
    #[error("{options} must not be specified on mount type {kind:?}")]
    Options { options: &'static str, kind: String },
    #[error("invalid propagation mode: {mode}")]
    Propagation { mode: String },
    #[error("Duplicate mount point: {target}")]
    Duplicate { target: String },
    #[error("mounts of type {kind:?} are not supported")]
    Unsupported { kind: String },
}

impl Classified for MountError {
    fn class(&self) -> Class {
        match self {
            Self::Unsupported { .. } => Class::Unsupported,
            _ => Class::Invalid,
        }
    }
}

pub(super) fn filesystem(config: &ContainerConfig, host: &HostConfig) -> Result<Filesystem, Refused> {
    let binds: Vec<String> = host.binds.clone().unwrap_or_default();
    let mut mounts = Vec::new();
    for bind in &binds {
        mounts.push(binds::parse(bind)?);
    }
    for mount in &host.mounts {
        mounts.push(structured(mount)?);
    }
    for (target, options) in &host.tmpfs {
        check_plain_target(target)?;
        mounts.push(tmpfs::entry(target, options));
    }
    check_unique(&mounts)?;
    let anonymous_volumes: Vec<String> =
        config.volumes.iter().flatten().map(|(path, _)| path.clone()).collect();
    for target in &anonymous_volumes {
        check_target("volume", target)?;
    }
    Ok(Filesystem {
        mounts,
        volumes_from: host.volumes_from.clone().unwrap_or_default(),
        read_only: host.readonly_rootfs,
        shm_size: (host.shm_size != 0).then_some(host.shm_size),
        storage_options: host.storage_opt.clone(),
        binds,
        anonymous_volumes,
        volume_driver: some(&host.volume_driver),
    })
}

fn check_unique(mounts: &[Mount]) -> Result<(), MountError> {
    let mut seen = BTreeSet::new();
    for mount in mounts {
        let parts: Vec<&str> = mount.target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if !seen.insert(parts) {
            return Err(MountError::Duplicate { target: mount.target.clone() });
        }
    }
    Ok(())
}

fn check_target(kind: &str, target: &str) -> Result<(), MountError> {
    let kind = kind.to_owned();
    if target.is_empty() {
        return Err(MountError::Empty { kind, field: "Target" });
    }
    if !target.starts_with('/') {
        return Err(MountError::Relative { kind, path: target.to_owned() });
    }
    if target.split('/').all(|part| matches!(part, "" | ".")) {
        return Err(MountError::Root { kind });
    }
    Ok(())
}

/// The same for `--tmpfs`, about which docker says less.
fn check_plain_target(target: &str) -> Result<(), MountError> {
    check_target("tmpfs", target).map_err(|error| match error {
        MountError::Relative { path, .. } => MountError::PlainRelative { path },
        MountError::Root { .. } => MountError::PlainRoot,
        other => other,
    })
}

fn structured(wire: &WireMount) -> Result<Mount, MountError> {
    check_target(&wire.r#type, &wire.target)?;
    check_options(wire)?;
    let kind = match wire.r#type.as_str() {
        "bind" => MountKind::Bind(bind(wire)?),
        "volume" => MountKind::Volume(volume(wire)),
        "tmpfs" if !wire.source.is_empty() => {
            return Err(MountError::Forbidden { kind: wire.r#type.clone(), field: "Source" });
        }
        "tmpfs" => MountKind::Tmpfs(tmpfs::structured(wire.tmpfs_options.as_ref())),
        "image" => {
            let image = source(wire)?;
            let subpath = wire.image_options.as_ref().and_then(|options| some(&options.subpath));
            MountKind::Image { image, subpath }
        }
        "cluster" | "npipe" => return Err(MountError::Unsupported { kind: wire.r#type.clone() }),
        _ => return Err(MountError::Kind { kind: wire.r#type.clone() }),
    };
    let read_only = wire.read_only || matches!(kind, MountKind::Image { .. });
    Ok(Mount { target: wire.target.clone(), read_only, kind, structured: true })
}

/// Options belong to their own type of mount.
fn check_options(wire: &WireMount) -> Result<(), MountError> {
    let table = [
        (wire.bind_options.is_some(), "bind", "BindOptions"),
        (wire.volume_options.is_some(), "volume", "VolumeOptions"),
        (wire.image_options.is_some(), "image", "ImageOptions"),
        (wire.tmpfs_options.is_some(), "tmpfs", "TmpfsOptions"),
    ];
    for (given, kind, options) in table {
        if given && kind != wire.r#type {
            return Err(MountError::Options { options, kind: wire.r#type.clone() });
        }
    }
    Ok(())
}

fn source(wire: &WireMount) -> Result<String, MountError> {
    some(&wire.source).ok_or_else(|| MountError::Empty { kind: wire.r#type.clone(), field: "Source" })
}

fn bind(wire: &WireMount) -> Result<Bind, MountError> {
    let source = source(wire)?;
    if !source.starts_with('/') {
        return Err(MountError::Relative { kind: wire.r#type.clone(), path: source });
    }
    let options = wire.bind_options.clone().unwrap_or_default();
    let propagation = match options.propagation.as_str() {
        "" => None,
        mode => {
            Some(Propagation::parse(mode).ok_or_else(|| MountError::Propagation { mode: mode.to_owned() })?)
        }
    };
    Ok(Bind {
        source,
        create_source: options.create_mountpoint,
        propagation,
        non_recursive: options.non_recursive,
        read_only_non_recursive: options.read_only_non_recursive,
        read_only_force_recursive: options.read_only_force_recursive,
        relabel: None,
    })
}

fn volume(wire: &WireMount) -> VolumeMount {
    let options = wire.volume_options.clone().unwrap_or_default();
    let driver = options.driver_config.unwrap_or_default();
    VolumeMount {
        name: some(&wire.source),
        driver: some(&driver.name),
        options: driver.options,
        labels: options.labels,
        no_copy: options.no_copy,
        subpath: some(&options.subpath),
    }
}

pub(super) fn into_host(filesystem: &Filesystem, host: &mut HostConfig) {
    host.binds = nonempty(&filesystem.binds);
    host.mounts = filesystem.mounts.iter().filter(|mount| mount.structured).map(wire_mount).collect();
    for mount in filesystem.mounts.iter().filter(|mount| !mount.structured) {
        if let MountKind::Tmpfs(tmpfs) = &mount.kind {
            host.tmpfs.insert(mount.target.clone(), tmpfs::wire_entry(tmpfs));
        }
    }
    host.volumes_from = nonempty(&filesystem.volumes_from);
    host.readonly_rootfs = filesystem.read_only;
    host.shm_size = filesystem.shm_size.unwrap_or(64 << 20);
    host.storage_opt = filesystem.storage_options.clone();
    host.volume_driver = filesystem.volume_driver.clone().unwrap_or_default();
}

fn wire_mount(mount: &Mount) -> WireMount {
    let mut wire =
        WireMount { target: mount.target.clone(), read_only: mount.read_only, ..WireMount::default() };
    match &mount.kind {
        MountKind::Bind(bind) => {
            wire.r#type = "bind".into();
            wire.source = bind.source.clone();
            wire.bind_options = wire_bind_options(bind);
        }
        MountKind::Volume(volume) => {
            wire.r#type = "volume".into();
            wire.source = volume.name.clone().unwrap_or_default();
            wire.volume_options = wire_volume_options(volume);
        }
        MountKind::Tmpfs(options) => {
            wire.r#type = "tmpfs".into();
            wire.tmpfs_options = tmpfs::wire_structured(options);
        }
        MountKind::Image { image, subpath } => {
            wire.r#type = "image".into();
            wire.source = image.clone();
            wire.image_options = subpath.clone().map(|subpath| ImageOptions { subpath });
        }
    }
    wire
}

fn wire_bind_options(bind: &Bind) -> Option<BindOptions> {
    let options = BindOptions {
        propagation: bind.propagation.map(|mode| mode.as_str().to_owned()).unwrap_or_default(),
        non_recursive: bind.non_recursive,
        create_mountpoint: bind.create_source,
        read_only_non_recursive: bind.read_only_non_recursive,
        read_only_force_recursive: bind.read_only_force_recursive,
    };
    (options != BindOptions::default()).then_some(options)
}

fn wire_volume_options(volume: &VolumeMount) -> Option<VolumeOptions> {
    let driver = Driver { name: volume.driver.clone().unwrap_or_default(), options: volume.options.clone() };
    let options = VolumeOptions {
        no_copy: volume.no_copy,
        labels: volume.labels.clone(),
        subpath: volume.subpath.clone().unwrap_or_default(),
        driver_config: (driver != Driver::default()).then_some(driver),
    };
    (options != VolumeOptions::default()).then_some(options)
}
