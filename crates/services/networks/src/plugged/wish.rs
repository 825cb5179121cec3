//! From a client's wish for an attachment to what plugins are asked for.

use super::PluggedError;
use crate::attach::Wish;
use crate::{Mac, Network, Published, Result};
use spec::EndpointRequest;

/// What plugins are to be asked for, the ports aside.
///
/// # Errors
/// [`PluggedError::Incapable`] for what none of them can do; texts that are no addresses.
pub(crate) fn read(
    network: &Network,
    configuration: &cni::Configuration,
    request: &EndpointRequest,
) -> Result<cni::Wishes> {
    let Wish { ipv4, ipv6, mac } = Wish::read(network, request)?;
    let wishes = cni::Wishes {
        ports: Vec::new(),
        addresses: ipv4.into_iter().chain(ipv6).collect(),
        mac: mac.as_ref().map(Mac::to_string),
    };
    if !wishes.addresses.is_empty() {
        need(network, configuration, "an address of one's own choice", "ips")?;
    }
    if wishes.mac.is_some() {
        need(network, configuration, "an Ethernet address of one's own choice", "mac")?;
    }
    Ok(wishes)
}

/// Refuses what no plugin of the configuration can do.
pub(crate) fn need(
    network: &Network,
    configuration: &cni::Configuration,
    what: &'static str,
    capability: &'static str,
) -> Result<()> {
    match configuration.can(capability) {
        true => Ok(()),
        false => Err(PluggedError::Incapable { network: network.name.clone(), what, capability }.into()),
    }
}

/// Ports as plugins are asked for them: one that is published at all addresses of both families is asked for once.
pub(crate) fn mappings(ports: &[Published]) -> Vec<cni::PortMapping> {
    let everywhere = |one: &&Published| one.host.is_unspecified();
    let twin = |one: &Published| {
        let as_one = |other: &Published| Published { host: one.host, ..*other };
        ports.iter().filter(everywhere).any(|other| other.host != one.host && as_one(other) == *one)
    };
    let mut mappings = Vec::new();
    for one in ports {
        let both = one.host.is_unspecified() && twin(one);
        if both && one.host.is_ipv6() {
            continue;
        }
        let ports = one.container_ports().zip(one.first..=one.last);
        mappings.extend(ports.map(|(container, host)| cni::PortMapping {
            host_address: (!both).then_some(one.host),
            host,
            container,
            protocol: one.protocol.as_str().to_owned(),
        }));
    }
    mappings
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::PortProtocol;

    #[test]
    fn what_is_published_at_all_addresses_is_asked_for_once() {
        let at = |host: &str, first: u16, last: u16| Published {
            host: host.parse().unwrap(),
            protocol: PortProtocol::Udp,
            first,
            last,
            container: 53,
        };
        let ports = [at("0.0.0.0", 80, 81), at("::", 80, 81), at("::", 90, 90), at("127.0.0.1", 91, 91)];
        let asked: Vec<_> = mappings(&ports)
            .into_iter()
            .map(|one| (one.host_address.map(|host| host.to_string()), one.host, one.container))
            .collect();
        let expected = [(None, 80, 53), (None, 81, 54), (Some("::"), 90, 53), (Some("127.0.0.1"), 91, 53)];
        assert_eq!(asked, expected.map(|(host, a, b)| (host.map(str::to_owned), a, b)));
    }
}
