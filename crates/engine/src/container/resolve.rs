//! Everything that a container's wishes do not say by themselves, looked up at its start.

use super::connect::{Network, pid_of};
use super::user_namespace::Mapped;
use crate::Services;
use containers::{MountPoint, MountPointKind, Record};
use errors::{Class, Error, Result};
use runtime::bundle::{BindRequest, Resolved, ResolvedMount, Shm};
use spec::{Bind, IpcMode, JoinMode, MountKind, Tmpfs};
use std::path::PathBuf;
use std::sync::Arc;
use undo::Undo;

/// Looks everything up; mounts volumes on the way.
pub(super) async fn resolve(
    services: &Arc<Services>,
    record: &Record,
    network: &Network,
    mapped: Option<&Mapped>,
    undo: &mut Undo,
) -> Result<Resolved> {
    let spec = &record.spec;
    undo.step("mount the volumes")?;
    mount_volumes(services, record, undo).await?;

    undo.step("write hosts, hostname and resolv.conf")?;
    let mut mounts = super::files::write(services, record, network, mapped.map(|mapped| &mapped.ids))?;
    for mount in client_mounts(record, services.host.kernel)? {
        mounts.retain(|own| own.target != mount.target);
        mounts.push(mount);
    }

    undo.step("look up the user")?;
    let user = super::volumes::blocking({
        let (services, id) = (Arc::clone(services), record.id.clone());
        let (name, groups) = (spec.process.user.clone(), spec.process.additional_groups.clone());
        move || super::user::lookup(&services, &id, None, &name, &groups)
    })
    .await?;

    let hostname = super::files::hostname(record);
    let process = &spec.process;
    let init = match process.init {
        Some(true) => Some(super::init::path(services)),
        Some(false) | None => None,
    };
    Ok(Resolved {
        id: record.id.clone(),
        env: environment(record, &hostname, &user.home),
        hostname: if spec.namespaces.uts == JoinMode::Host { String::new() } else { hostname },
        user,
        working_dir: process.working_dir.clone(),
        args: process.args(),
        rootfs: services.bundle_dir(&record.id).join(shim_protocol::file::ROOTFS),
        mounts,
        shm: shm(services, &spec.namespaces.ipc)?,
        network: network.namespace.clone(),
        pid_namespace: joined(services, &spec.namespaces.pid, "pid")?,
        ipc_namespace: match &spec.namespaces.ipc {
            IpcMode::Container(other) => Some(shareable_ipc(services, other)?),
            _ => None,
        },
        uts_namespace: joined(services, &spec.namespaces.uts, "uts")?,
        user_namespace: mapped.map(|mapped| mapped.namespace.path()),
        cgroup_path: super::cgroup_path(services, record),
        private_cgroup: match &spec.namespaces.cgroup {
            Some(JoinMode::Private) => true,
            Some(_) => false,
            None => services.cgroups.mode().version() == 2 && !spec.security.privileged,
        },
        devices: {
            let mut devices = if spec.security.privileged { super::devices::all()? } else { Vec::new() };
            for device in super::devices::resolve(&spec.security.devices)? {
                devices.retain(|other| other.path != device.path);
                devices.push(device);
            }
            devices
        },
        block_devices: super::devices::block_devices(&spec.resources)?,
        id_maps: mapped.map(|mapped| mapped.ids.clone()),
        default_rlimits: Vec::new(),
        seccomp: services.host.seccomp,
        apparmor: super::apparmor(services, record),
        selinux: None,
        init,
        kernel: services.host.kernel,
        oom_score_adj: None,
    })
}

async fn mount_volumes(services: &Arc<Services>, record: &Record, undo: &mut Undo) -> Result<()> {
    for volume in record.volumes() {
        services.volumes.mount(volume, record.id.as_str()).await?;
        undo.push("unmount the volume", {
            let (services, volume, id) = (Arc::clone(services), volume.to_owned(), record.id.clone());
            move || Box::pin(async move { Ok(services.volumes.unmount(&volume, id.as_str()).await?) })
        });
    }
    Ok(())
}

/// The client's mounts for the OCI document, parents before children.
fn client_mounts(record: &Record, kernel: (u32, u32)) -> Result<Vec<ResolvedMount>> {
    let mounts = record.mounts.iter().map(|point| client_mount(record, point, kernel));
    let mut mounts = mounts.collect::<Result<Vec<_>>>()?;
    mounts.sort_by_key(|mount| mount.target.matches('/').count());
    Ok(mounts)
}

fn client_mount(record: &Record, point: &MountPoint, kernel: (u32, u32)) -> Result<ResolvedMount> {
    let asked = record.spec.filesystem.mounts.iter().find(|mount| same_path(&mount.target, &point.target));
    Ok(match &point.kind {
        MountPointKind::Tmpfs => {
            let tmpfs = match asked.map(|mount| &mount.kind) {
                Some(MountKind::Tmpfs(tmpfs)) => tmpfs.clone(),
                _ => Tmpfs::default(),
            };
            tmpfs_mount(point, &tmpfs)
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

fn tmpfs_mount(point: &MountPoint, tmpfs: &Tmpfs) -> ResolvedMount {
    let mut options: Vec<String> = ["noexec", "nosuid", "nodev"].map(String::from).to_vec();
    for option in &tmpfs.options {
        // `exec` takes back the default `noexec`, and so on.
        options.retain(|default| default.strip_prefix("no") != Some(option) && default != option);
        options.push(option.clone());
    }
    if point.read_only {
        options.push("ro".into());
    }
    options.extend(tmpfs.size.map(|size| format!("size={size}")));
    options.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    ResolvedMount { target: point.target.clone(), source: "tmpfs".into(), fstype: "tmpfs".into(), options }
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

/// docker's variables, then the image's and client's.
fn environment(record: &Record, hostname: &str, home: &str) -> Vec<String> {
    let own = &record.spec.process.env;
    let has = |name: &str| own.iter().any(|pair| pair.split('=').next() == Some(name));
    let mut env = Vec::new();
    let mut default = |name: &str, value: &str| {
        if !has(name) {
            env.push(format!("{name}={value}"));
        }
    };
    default("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    default("HOSTNAME", hostname);
    if record.spec.process.tty {
        default("TERM", "xterm");
    }
    // A name without a value takes the variable away.
    env.extend(own.iter().filter(|pair| pair.contains('=')).cloned());
    if !has("HOME") {
        env.push(format!("HOME={}", if home.is_empty() { "/" } else { home }));
    }
    env
}

fn shm(services: &Services, ipc: &IpcMode) -> Result<Shm> {
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

fn joined(services: &Services, mode: &JoinMode, kind: &str) -> Result<Option<PathBuf>> {
    match mode {
        JoinMode::Container(other) => namespace(services, other, kind).map(Some),
        JoinMode::Private | JoinMode::Host => Ok(None),
    }
}

/// Only who shares it lets others into its IPC namespace.
fn shareable_ipc(services: &Services, other: &str) -> Result<PathBuf> {
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
