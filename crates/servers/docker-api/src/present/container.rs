//! `inspect` of a container.

use crate::http::timestamp;
use crate::present::{mounts, network, state};
use crate::translate::{wire_config, wire_host_config};
use crate::wire::inspect::{ContainerInspect, GraphDriver};
use containers::State;
use engine::Services;
use engine::container::Inspection;
use spec::{ContainerSpec, NetworkMode};
use std::path::Path;

/// What of the host shows in a container's description.
#[derive(Debug, Clone)]
pub(crate) struct Host<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Whether its cgroups are of version 2: then containers get a cgroup namespace unless they want none.
    pub(crate) cgroup_v2: bool,
}

impl<'a> Host<'a> {
    /// Of an engine.
    pub(crate) fn of(services: &'a Services) -> Self {
        Self { name: &services.host.name, cgroup_v2: services.cgroups.mode().version() == 2 }
    }
}

/// The answer of `GET /containers/{id}/json`.
pub(crate) fn inspect(host: &Host<'_>, found: &Inspection) -> ContainerInspect {
    let record = &found.record;
    let spec = &record.spec;
    let mut args = spec.process.args().into_iter();
    let path = |path: &Path| path.display().to_string();
    // The first start writes them.
    let written = |file: &Path| {
        if matches!(record.state, State::Created { .. }) { String::new() } else { path(file) }
    };
    let mut config = wire_config(spec);
    config.hostname = hostname(host, record.id.short(), spec);
    let mut host_config = wire_host_config(spec, &record.runtime, host.cgroup_v2);
    host_config.links = (!found.links.is_empty()).then(|| found.links.clone());
    let privileged = spec.security.privileged;
    host_config.masked_paths =
        host_config.masked_paths.or_else(|| runtime::bundle::default_masked(privileged));
    host_config.readonly_paths =
        host_config.readonly_paths.or_else(|| runtime::bundle::default_readonly(privileged));
    let execs: Vec<String> = found.execs.iter().map(ToString::to_string).collect();
    ContainerInspect {
        id: record.id.to_string(),
        created: timestamp::format(Some(record.created_at)),
        path: args.next().unwrap_or_default(),
        args: args.collect(),
        state: state::inspect(&record.state, found.removing),
        image: record.image.id.clone(),
        resolv_conf_path: written(&found.files.resolv_conf),
        hostname_path: written(&found.files.hostname),
        hosts_path: written(&found.files.hosts),
        log_path: found.log_path.as_deref().map(written).unwrap_or_default(),
        name: format!("/{}", record.name),
        restart_count: record.restart_count,
        driver: found.storage_driver,
        platform: "linux",
        mount_label: "",
        process_label: "",
        app_armor_profile: found.apparmor_profile.clone(),
        exec_ids: (!execs.is_empty()).then_some(execs),
        host_config,
        graph_driver: GraphDriver {
            data: (!found.layers.is_empty()).then(|| found.layers.clone()),
            name: found.storage_driver,
        },
        size_rw: found.sizes.map(|sizes| sizes.writable),
        size_root_fs: found.sizes.map(|sizes| sizes.total),
        mounts: record.mounts.iter().map(mounts::mount_point).collect(),
        config,
        network_settings: network::settings(record),
    }
}

/// The name that the container has where the client gave none.
fn hostname(host: &Host<'_>, short_id: &str, spec: &ContainerSpec) -> String {
    match &spec.network.mode {
        _ if !spec.hostname.is_empty() => spec.hostname.clone(),
        NetworkMode::Host => host.name.to_owned(),
        _ => short_id.to_owned(),
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
