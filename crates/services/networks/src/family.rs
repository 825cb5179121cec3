//! Whether this host has IPv6, and what networks do where it has none.

use crate::Network;
use ipnet::IpNet;

/// What is missed of IPv6 on this host, in a sentence.
pub fn ipv6_missed() -> Option<String> {
    Ipv6::of_host().missed()
}

/// What a host has of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ipv6 {
    /// All of it.
    On,
    /// The kernel is told to do without. A network that asks for it has it, as with Docker: its bridge says so for itself.
    Off,
    /// The kernel has none.
    Absent,
}

impl Ipv6 {
    /// That of the calling thread's network namespace.
    pub(crate) fn of_host() -> Self {
        match net::sysctl::read("ipv6/conf/all/disable_ipv6") {
            Ok(value) if value == "0" => Self::On,
            Ok(_) => Self::Off,
            Err(_) => Self::Absent,
        }
    }

    /// What is missed by networks that were to have it, in a sentence for `info`.
    pub(crate) fn missed(self) -> Option<String> {
        match self {
            Self::On => None,
            Self::Off => Some(
                "IPv6 is turned off on this host (net.ipv6.conf.all.disable_ipv6): networks have IPv4 only, unless they ask for both"
                    .to_owned(),
            ),
            Self::Absent => Some("this kernel has no IPv6: networks have IPv4 only".to_owned()),
        }
    }

    /// A network as this host can have it. The record keeps what it asks for: another kernel may have it.
    pub(crate) fn allowed(self, mut network: Network) -> Network {
        if self == Self::Absent {
            network.enable_ipv6 = false;
            network.ipam.config.retain(|range| matches!(range.subnet, IpNet::V4(_)));
        }
        network
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Driver, IpamConfig, predefined};

    #[test]
    fn a_network_loses_what_the_kernel_does_not_have() {
        let mut network = predefined::new("n", Driver::Bridge).unwrap();
        network.enable_ipv6 = true;
        network.ipam.config =
            ["10.0.0.0/24", "fd00::/64"].map(|subnet| IpamConfig::of(subnet.parse().unwrap())).into();
        for ipv6 in [Ipv6::On, Ipv6::Off] {
            assert_eq!(ipv6.allowed(network.clone()), network);
        }
        let left = Ipv6::Absent.allowed(network.clone());
        assert!(!left.enable_ipv6 && left.enable_ipv4);
        assert_eq!(left.ipam.config, network.ipam.config[..1]);
    }
}
