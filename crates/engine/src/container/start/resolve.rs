//! Everything that a container's wishes do not say by themselves, looked up at its start.

use super::{files, mounts, namespaces, targets};
use crate::Services;
use crate::container::devices::{self, Found};
use crate::container::joined::Donors;
use crate::container::links;
use crate::container::network::Network;
use crate::container::user_namespace::Mapped;
use crate::container::{apparmor, cgroup_path, sysctls, user, volumes};
use containers::{MountPointKind, Record};
use errors::Result;
use runtime::bundle::Resolved;
use spec::{IpcMode, JoinMode};
use std::path::PathBuf;
use std::sync::Arc;
use undo::Undo;

/// Looks everything up; mounts volumes on the way.
pub(super) async fn resolve(
    services: &Arc<Services>,
    record: &Arc<Record>,
    network: &Network,
    mapped: Option<&Mapped>,
    donors: &Donors,
    undo: &mut Undo,
) -> Result<Resolved> {
    let spec = &record.spec;
    sysctls::check_kernel(spec)?;
    let links = links::in_force(services, record);
    links::check(record, &links)?;
    undo.step("mount the volumes")?;
    mount_volumes(services, record, undo).await?;

    undo.step("write hosts, hostname and resolv.conf")?;
    let mut mounted = files::write(services, record, network, mapped.map(|mapped| &mapped.ids))?;
    let devices = devices::of(&spec.security)?;
    let modes = targets::lookup(services, record, &devices).await?;
    let nodes = devices.iter().filter_map(Found::as_mount);
    for mount in mounts::of_client(record, &modes, services.host.kernel)?.into_iter().chain(nodes) {
        mounted.retain(|own| own.target != mount.target);
        mounted.push(mount);
    }

    undo.step("look up the user")?;
    let user = offload::blocking({
        let (services, id) = (Arc::clone(services), record.id.clone());
        let (name, groups) = (spec.process.user.clone(), spec.process.additional_groups.clone());
        move || user::lookup(&services, &id, None, &name, &groups)
    })
    .await?;

    let hostname = files::hostname(record);
    let parent = record.name.to_string();
    let linked: Vec<String> = links.iter().flat_map(|link| link.variables(&parent)).collect();
    let process = &spec.process;
    Ok(Resolved {
        id: record.id.clone(),
        env: environment(record, &linked, &hostname, &user.home),
        hostname: if spec.namespaces.uts == JoinMode::Host { String::new() } else { hostname },
        user,
        working_dir: process.working_dir.clone(),
        args: process.args(),
        rootfs: services.bundle_dir(&record.id).join(shim_protocol::file::ROOTFS),
        mounts: mounted,
        shm: namespaces::shm(donors, &spec.namespaces.ipc)?,
        network: network.namespace.clone(),
        pid_namespace: namespaces::joined(donors, &spec.namespaces.pid, "pid")?,
        ipc_namespace: match &spec.namespaces.ipc {
            IpcMode::Container(other) => Some(namespaces::shareable_ipc(services, donors, other)?),
            _ => None,
        },
        uts_namespace: namespaces::joined(donors, &spec.namespaces.uts, "uts")?,
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
    let configured = services.settings().runtime.init_path.clone();
    configured.unwrap_or_else(|| services.host.shim.clone())
}

/// docker's variables, each with the client's or image's value if there is one; then the others of the client's and the
/// image's.
fn environment(record: &Record, linked: &[String], hostname: &str, home: &str) -> Vec<String> {
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
    // The container's own come later, and count.
    let linked = linked.iter().filter(|pair| own.iter().all(|other| name(other) != name(pair))).cloned();
    // A name without a value takes the variable away.
    let mut env: Vec<String> =
        first.chain(linked).chain(others.cloned()).filter(|pair| pair.contains('=')).collect();
    if !own.iter().any(|pair| name(pair) == "HOME") {
        env.push(format!("HOME={}", if home.is_empty() { "/" } else { home }));
    }
    env
}
