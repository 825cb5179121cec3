//! Networks, ports and names.

use super::{Refused, modes, nonempty, some};
use crate::wire::config::ContainerConfig;
use crate::wire::endpoint::EndpointSettings;
use crate::wire::host_config::HostConfig;
use crate::wire::ports::PortMap;
use spec::{Dns, EndpointRequest, NetworkMode, NetworkRequest};
use std::collections::BTreeMap;

pub(super) fn network(
    config: &ContainerConfig,
    host: &HostConfig,
    endpoints: &BTreeMap<String, EndpointSettings>,
) -> Result<NetworkRequest, Refused> {
    let extra_hosts = host.extra_hosts.clone().unwrap_or_default();
    if let Some(bad) = extra_hosts.iter().find(|line| !line.contains([':', '='])) {
        return Err(Refused::ExtraHost { text: bad.clone() });
    }
    let mut exposed = config.exposed_ports.read()?.clone();
    let (bound, published) = host.port_bindings.read()?;
    exposed.extend(bound.ranges().iter().copied());
    Ok(NetworkRequest {
        mode: mode(&host.network_mode)?,
        exposed,
        published: published.to_vec(),
        publish_all: host.publish_all_ports,
        dns: Dns {
            servers: host.dns.clone(),
            search: host.dns_search.clone(),
            options: host.dns_options.clone(),
        },
        extra_hosts,
        links: host.links.clone().unwrap_or_default(),
        endpoints: endpoints.iter().map(|(name, wire)| (real_name(name), endpoint_request(wire))).collect(),
        mac_address: some(&config.mac_address),
        disabled: config.network_disabled,
    })
}

fn mode(text: &str) -> Result<NetworkMode, Refused> {
    Ok(match text {
        "" | "default" | "bridge" => NetworkMode::Default,
        "none" => NetworkMode::None,
        "host" => NetworkMode::Host,
        other if other.starts_with("container:") => match modes::container(other) {
            Some(name) => NetworkMode::Container(name),
            None => return Err(Refused::Mode { what: "network mode", value: other.to_owned() }),
        },
        name => NetworkMode::Named(name.to_owned()),
    })
}

/// `default` is what clients without `--network` ask for.
fn real_name(network: &str) -> String {
    if network == "default" { wire_mode(&NetworkMode::Default) } else { network.to_owned() }
}

/// What an attachment should be.
pub(crate) fn endpoint_request(wire: &EndpointSettings) -> EndpointRequest {
    let ipam = wire.ipam_config.clone().unwrap_or_default();
    EndpointRequest {
        aliases: wire.aliases.clone().unwrap_or_default(),
        links: wire.links.clone().unwrap_or_default(),
        ipv4: some(&ipam.ipv4_address),
        ipv6: some(&ipam.ipv6_address),
        link_local: ipam.link_local_ips,
        mac_address: some(&wire.mac_address),
        gateway_priority: wire.gw_priority,
        driver_options: wire.driver_opts.clone().unwrap_or_default(),
    }
}

/// `HostConfig.NetworkMode`.
pub(crate) fn wire_mode(mode: &NetworkMode) -> String {
    match mode {
        NetworkMode::Default => "bridge".into(),
        NetworkMode::None => "none".into(),
        NetworkMode::Host => "host".into(),
        NetworkMode::Container(name) => format!("container:{name}"),
        NetworkMode::Named(name) => name.clone(),
    }
}

pub(super) fn into_host(network: &NetworkRequest, host: &mut HostConfig) {
    host.network_mode = wire_mode(&network.mode);
    host.port_bindings = PortMap::of_bindings(network.published.clone());
    host.publish_all_ports = network.publish_all;
    host.dns = network.dns.servers.clone();
    host.dns_search = network.dns.search.clone();
    host.dns_options = network.dns.options.clone();
    host.extra_hosts = nonempty(&network.extra_hosts);
    host.links = nonempty(&network.links);
}
