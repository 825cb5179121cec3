//! Ports of the host that lead to a container, as its record keeps them.

use crate::Endpoint;
use net::firewall::PortRule;
use serde::{Deserialize, Serialize};
use spec::{PortProtocol, PortRange};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Ports of the host, next to each other, that lead to as many of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Published {
    /// The host's address; unspecified: all of its family.
    pub host: IpAddr,
    /// The transport.
    pub protocol: PortProtocol,
    /// The host's first port, …
    pub first: u16,
    /// … its last.
    pub last: u16,
    /// The container's port that the first one leads to.
    pub container: u16,
}

impl Published {
    /// The container's ports.
    pub fn container_ports(&self) -> RangeInclusive<u16> {
        self.container..=self.container.saturating_add(self.last - self.first)
    }

    /// The same with their transport.
    pub fn container_range(&self) -> PortRange {
        let ports = self.container_ports();
        PortRange { protocol: self.protocol, first: *ports.start(), last: *ports.end() }
    }

    /// The host's port that leads to one of the container's, if one does.
    pub fn host_port(&self, container: u16) -> Option<u16> {
        self.container_ports().contains(&container).then(|| self.first + (container - self.container))
    }

    /// Whether a packet could mean either.
    pub(crate) fn collides(&self, other: &Self) -> bool {
        let same_address = self.host == other.host
            || (self.host.is_ipv4() == other.host.is_ipv4()
                && (self.host.is_unspecified() || other.host.is_unspecified()));
        same_address
            && self.protocol == other.protocol
            && self.first <= other.last
            && other.first <= self.last
    }

    /// Whether every one of these ports leads where it leads by `other`.
    pub(crate) fn is_part_of(&self, other: &Self) -> bool {
        (self.host, self.protocol) == (other.host, other.protocol)
            && (other.first..=other.last).contains(&self.first)
            && self.last <= other.last
            && self.first - other.first == self.container.wrapping_sub(other.container)
    }

    /// `IPPROTO_…`.
    pub(crate) fn transport(&self) -> u8 {
        match self.protocol {
            PortProtocol::Tcp => 6,
            PortProtocol::Udp => 17,
            PortProtocol::Sctp => 132,
        }
    }

    /// None where plugins lead it.
    pub(crate) fn rule(&self, endpoint: &Endpoint) -> Option<PortRule> {
        if endpoint.plugged {
            return None;
        }
        let target = if self.host.is_ipv4() { endpoint.ipv4 } else { endpoint.ipv6 };
        Some(PortRule {
            host: self.host,
            protocol: self.transport(),
            first: self.first,
            last: self.last,
            target: target?.address,
            target_port: self.container,
        })
    }
}

impl Endpoint {
    /// What the packet filter does for its published ports.
    pub fn port_rules(&self) -> impl Iterator<Item = PortRule> {
        self.ports.iter().filter_map(|one| one.rule(self))
    }
}
