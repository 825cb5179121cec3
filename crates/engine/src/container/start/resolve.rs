//! Everything that a container's wishes do not say by themselves, looked up at its start.

use super::targets::Modes;
use crate::Services;
use crate::container::devices::{self, Found};
use crate::container::joined::pid_of;
use crate::container::network::Network;
use crate::container::user_namespace::Mapped;
use crate::container::{apparmor, cgroup_path, sysctls, user, volumes};
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
    record: &Arc<Record>,
    network: &Network,
    mapped: Option<&Mapped>,
    undo: &mut Undo,
) -> Result<Resolved> {
    let spec = &record.spec;
    sysctls::check_kernel(spec)?;
    undo.step("mount the volumes")?;
    mount_volumes(services, record, undo).await?;

    undo.step("write hosts, hostname and resolv.conf")?;
    let mut mounts = super::files::write(services, record, network, mapped.map(|mapped| &mapped.ids))?;
    let devices = devices::of(&spec.security)?;
    let modes = super::targets::look(services, record, &devices).await?;
    let nodes = devices.iter().filter_map(Found::as_mount);
    for mount in client_mounts(record, &modes, services.host.kernel)?.into_iter().chain(nodes) {
        mounts.retain(|own| own.target != mount.target);
        mounts.push(mount);
    }

    undo.step("look up the user")?;
    let user = offload::blocking({
        let (services, id) = (Arc::clone(services), record.id.clone());
        let (name, groups) = (spec.process.user.clone(), spec.process.additional_groups.clone());
        move || user::lookup(&services, &id, None, &name, &groups)
    })
    .await?;

    let hostname = super::files::hostname(record);
    let process = &spec.process;
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
        cgroup_path: cgroup_path(services, record),
        private_cgroup: match &spec.namespaces.cgroup {
            Some(JoinMode::Private) => true,
            Some(_) => false,
            None => services.cgroups.mode().version() == 2 && !spec.security.privileged,
        },
        devices: devices.into_iter().map(|found| found.device).collect(),
        block_devices: devices::block_devices(&spec.resources)?,
        id_maps: mapped.map(|mapped| mapped.ids.clone()),
        default_rlimits: Vec::new(),
        seccomp: services.host.seccomp,
        apparmor: apparmor::profile(services, &spec.security),
        selinux: None,
        init: process.init.unwrap_or_default().then(|| init(services)),
        kernel: services.host.kernel,
        oom_score_adj: None,
    })
}

async fn mount_volumes(services: &Arc<Services>, record: &Arc<Record>, undo: &mut Undo) -> Result<()> {
    for point in &record.mounts {
        let MountPointKind::Volume { name, driver, .. } = &point.kind else { continue };
        volumes::mount(services, record, point, name, driver).await?;
        undo.push("unmount the volume", {
            let (services, record, name) = (Arc::clone(services), Arc::clone(record), name.clone());
            move || Box::pin(async move { volumes::unmount(&services, &record, &name).await })
        });
    }
    Ok(())
}

/// The small init that `--init` puts before a container's program: the configured one, else our shim, which is one when
/// it is called `docker-init`.
fn init(services: &Services) -> PathBuf {
    let configured = services.settings.runtime.init_path.clone();
    configured.unwrap_or_else(|| services.host.shim.clone())
}

/// The client's mounts for the OCI document, parents before children.
fn client_mounts(record: &Record, modes: &Modes, kernel: (u32, u32)) -> Result<Vec<ResolvedMount>> {
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
            super::propagation::check(&point.source, point.propagation)?;
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

/// docker's variables, each with the client's or image's value if there is one; then the others of the client's and the
/// image's.
fn environment(record: &Record, hostname: &str, home: &str) -> Vec<String> {
    const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let own = &record.spec.process.env;
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let mut defaults = vec![("PATH", PATH), ("HOSTNAME", hostname)];
    if record.spec.process.tty {
        defaults.push(("TERM", "xterm"));
    }
    let first = defaults.iter().map(|(default, value)| {
        let given = own.iter().rev().find(|pair| name(pair) == *default);
        given.cloned().unwrap_or_else(|| format!("{default}={value}"))
    });
    let others = own.iter().filter(|pair| defaults.iter().all(|(default, _)| name(pair) != *default));
    // A name without a value takes the variable away.
    let mut env: Vec<String> = first.chain(others.cloned()).filter(|pair| pair.contains('=')).collect();
    if !own.iter().any(|pair| name(pair) == "HOME") {
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
