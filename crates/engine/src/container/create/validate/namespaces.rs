//! What the namespaces that a container gets, shares or joins allow it to ask for.

use super::not_the_image;
use crate::Services;
use crate::container::invalid;
use errors::Result;
use spec::{ContainerSpec, IpcMode, JoinMode, NetworkMode, NetworkRequest};
use std::collections::BTreeMap;

/// Checks host name, namespaces and network.
pub(super) fn check(services: &Services, spec: &mut ContainerSpec) -> Result<()> {
    hostname(spec)?;
    conflicts(spec)?;
    crate::container::user_namespace::validate(services, spec)?;
    network(services, spec)
}

fn hostname(spec: &ContainerSpec) -> Result<()> {
    // The kernel's limit, and what would break the lines of `/etc/hosts`. Docker asks for no more: names with
    // underscores, which DNS does not know, are common.
    let good = |name: &str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !good(&spec.hostname) {
        return Err(invalid(format!("invalid hostname format: {}", spec.hostname)));
    }
    Ok(())
}

fn conflicts(spec: &ContainerSpec) -> Result<()> {
    let conflict = |what: &str| Err(invalid(format!("conflicting options: {what}")));
    let joined = matches!(spec.network.mode, NetworkMode::Container(_));
    if joined && !spec.hostname.is_empty() {
        return conflict("hostname and the network mode");
    }
    if spec.namespaces.uts == JoinMode::Host && !spec.hostname.is_empty() {
        return conflict("hostname and the UTS mode");
    }
    if joined && (!spec.network.published.is_empty() || spec.network.publish_all) {
        return conflict("port publishing and the container type network mode");
    }
    if joined && !spec.network.exposed.is_empty() && spec.network.links.iter().any(|_| true) {
        return conflict("container type network can't be used with links");
    }
    if joined && spec.network.dns != spec::Dns::default() {
        return conflict("dns and the network mode");
    }
    if joined && !spec.network.extra_hosts.is_empty() {
        return conflict("custom host-to-IP mapping and the network mode");
    }
    if matches!(spec.network.mode, NetworkMode::Host) && !spec.network.links.is_empty() {
        return conflict("host type networking can't be used with links");
    }
    if matches!(spec.namespaces.ipc, IpcMode::Host | IpcMode::Container(_))
        && spec.filesystem.shm_size.is_some()
    {
        return conflict("the size of /dev/shm and a shared IPC mode");
    }
    if spec.filesystem.shm_size.is_some_and(|size| size < 0) {
        return Err(invalid("SHM size can not be less than 0"));
    }
    Ok(())
}

fn network(services: &Services, spec: &mut ContainerSpec) -> Result<()> {
    crate::container::links::resolve(services, &mut spec.network)?;
    // A network or container that does not exist is told at once, not at the start.
    if let NetworkMode::Container(other) = &spec.network.mode {
        services
            .containers
            .find(other)
            .map_err(|error| not_the_image(error.into()).context("joining network namespace of container"))?;
        return Ok(());
    }
    attachments(services, &mut spec.network)
}

/// Names the networks as their records do, the one that the mode means among them.
fn attachments(services: &Services, network: &mut NetworkRequest) -> Result<()> {
    let of_mode = services.networks.resolve(&network.mode).map_err(|error| not_the_image(error.into()))?;
    let mut endpoints = BTreeMap::new();
    for (name, request) in std::mem::take(&mut network.endpoints) {
        let found = services.networks.find(&name).map_err(|error| not_the_image(error.into()))?;
        crate::network::check_request(&found, &request)?;
        endpoints.insert(found.name, request);
    }
    if let Some(of_mode) = of_mode {
        let main = endpoints.entry(of_mode.name.clone()).or_default();
        if main.mac_address.is_none() {
            main.mac_address.clone_from(&network.mac_address);
        }
        if let NetworkMode::Named(name) = &mut network.mode {
            *name = of_mode.name;
        }
    }
    let alone = endpoints.keys().any(|name| matches!(name.as_str(), "host" | "none"));
    if alone && endpoints.len() > 1 {
        return Err(invalid("a container of the network host or none can't be connected to others"));
    }
    network.endpoints = endpoints;
    Ok(())
}
