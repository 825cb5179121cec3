//! Pairs of properties that exclude each other, in Docker's words.

use crate::wire::config::ContainerConfig;

/// Two properties that can't both be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Conflict {
    #[error("conflicting options: hostname and the network mode")]
    HostnameAndContainerNetwork,
    #[error("conflicting options: hostname and the UTS mode")]
    HostnameAndHostUts,
    #[error(
        "conflicting options: {mode} type networking can't be used with links. This would result in undefined behavior"
    )]
    Links { mode: &'static str },
    #[error("conflicting options: dns and the network mode")]
    Dns,
    #[error("conflicting options: custom host-to-IP mapping and the network mode")]
    ExtraHosts,
    #[error("conflicting options: mac-address and the network mode")]
    MacAddress,
    #[error("conflicting options: port publishing and the container type network mode")]
    Publishing,
    #[error("conflicting options: port exposing and the container type network mode")]
    Exposing,
    #[error("can't create 'AutoRemove' container with restart policy")]
    AutoRemoveAndRestart,
}

/// Refuses pairs that exclude each other.
pub(crate) fn check(config: &ContainerConfig) -> Result<(), Conflict> {
    let host = &config.host_config;
    let links = host.links.as_ref().is_some_and(|links| !links.is_empty());
    if host.network_mode == "host" && links {
        return Err(Conflict::Links { mode: "host" });
    }
    if host.network_mode.starts_with("container:") {
        in_anothers_network(config)?;
    }
    if host.uts_mode == "host" && !config.hostname.is_empty() {
        return Err(Conflict::HostnameAndHostUts);
    }
    if host.auto_remove && !matches!(host.restart_policy.name.as_str(), "" | "no") {
        return Err(Conflict::AutoRemoveAndRestart);
    }
    Ok(())
}

/// The other container's network is as it is.
fn in_anothers_network(config: &ContainerConfig) -> Result<(), Conflict> {
    let host = &config.host_config;
    let given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let table = [
        (!config.hostname.is_empty(), Conflict::HostnameAndContainerNetwork),
        (given(&host.links), Conflict::Links { mode: "container" }),
        (!host.dns.is_empty(), Conflict::Dns),
        (given(&host.extra_hosts), Conflict::ExtraHosts),
        (!config.mac_address.is_empty(), Conflict::MacAddress),
        (!host.port_bindings.is_empty() || host.publish_all_ports, Conflict::Publishing),
        (!config.exposed_ports.is_empty(), Conflict::Exposing),
    ];
    table.into_iter().find(|(found, _)| *found).map_or(Ok(()), |(_, conflict)| Err(conflict))
}
