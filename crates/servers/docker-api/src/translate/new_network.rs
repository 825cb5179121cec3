//! The body of `POST /networks/create`.

use super::Refused;
use crate::wire::network::{CreateIpamConfig, CreateNetwork};
use ipnet::IpNet;
use networks::{NewNetwork, NewRange};
use std::net::IpAddr;

/// What a client asks of a new network.
pub(crate) fn new_network(body: CreateNetwork) -> Result<NewNetwork, Refused> {
    let scoped = !body.scope.is_empty();
    if body.config_only && (body.ingress || scoped) {
        return Err(Refused::ConfigurationNetwork);
    }
    if body.ingress || matches!(body.scope.as_str(), "swarm" | "global") || body.driver == "overlay" {
        return Err(Refused::Swarm);
    }
    if scoped && body.scope != "local" {
        return Err(Refused::Scope { scope: body.scope });
    }
    let ipam = body.ipam.unwrap_or_default();
    let ranges = ipam.config.unwrap_or_default().into_iter();
    // Clients send an empty one for "choose".
    let ranges = ranges.filter(|range| !range.subnet.is_empty() || !range.gateway.is_empty());
    Ok(NewNetwork {
        name: body.name,
        driver: body.driver,
        enable_ipv4: body.enable_ipv4,
        enable_ipv6: body.enable_ipv6,
        ipam_driver: ipam.driver,
        ipam_options: ipam.options.unwrap_or_default(),
        ranges: ranges.map(range).collect::<Result<_, _>>()?,
        internal: body.internal,
        attachable: body.attachable,
        config_only: body.config_only,
        config_from: body.config_from.unwrap_or_default().network,
        options: body.options.unwrap_or_default(),
        labels: body.labels.unwrap_or_default(),
    })
}

fn range(wire: CreateIpamConfig) -> Result<NewRange, Refused> {
    let subnet = net("subnet", &wire.subnet)?;
    let auxiliary = wire.auxiliary_addresses.unwrap_or_default().into_iter();
    Ok(NewRange {
        subnet,
        ip_range: if wire.ip_range.is_empty() { None } else { Some(net("ip-range", &wire.ip_range)?) },
        gateway: if wire.gateway.is_empty() { None } else { Some(address("gateway", &wire.gateway)?) },
        auxiliary: auxiliary
            .map(|(name, text)| Ok((name, address("auxiliary address", &text)?)))
            .collect::<Result<_, Refused>>()?,
    })
}

fn net(what: &'static str, text: &str) -> Result<IpNet, Refused> {
    let bad = |_| Refused::Range { what, text: text.to_owned(), why: "invalid CIDR block notation" };
    text.parse().map_err(bad)
}

fn address(what: &'static str, text: &str) -> Result<IpAddr, Refused> {
    // Docker's gateways came with the length of their subnet once.
    let bare = text.split('/').next().unwrap_or(text);
    bare.parse().map_err(|_| Refused::Range { what, text: text.to_owned(), why: "invalid address" })
}
