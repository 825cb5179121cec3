//! A container's attachment to a network: what its record keeps and `inspect` shows.

use crate::Published;
use ids::{ContainerId, EndpointId, NetworkId};
use net::Mac;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An address that an endpoint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The address itself.
    pub address: IpAddr,
    /// Prefix length of its subnet.
    pub prefix: u8,
    /// The subnet's gateway, if the endpoint has its default route there.
    pub gateway: Option<IpAddr>,
    /// Whether its default route leaves by the device, without a gateway.
    #[serde(default)]
    pub by_device: bool,
}

/// A container's attachment to a network.
///
/// On the networks `host` and `none` there is an endpoint too, as in Docker's documents: without any address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Of this attachment.
    pub id: EndpointId,
    /// The container.
    pub container: ContainerId,
    /// The network's id.
    pub network_id: NetworkId,
    /// The network's name.
    pub network: String,
    /// IPv4 address.
    pub ipv4: Option<Assigned>,
    /// IPv6 address.
    pub ipv6: Option<Assigned>,
    /// Of the device inside.
    pub mac: Option<Mac>,
    /// The device on the host's side, `veth…`.
    pub host_device: Option<String>,
    /// The device inside, `eth0`.
    pub device: Option<String>,
    /// Names that the client asked for.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Every name under which the endpoint is found on its network.
    #[serde(default)]
    pub dns_names: Vec<String>,
    /// Which endpoint provides the default route: the highest.
    #[serde(default)]
    pub gateway_priority: i64,
    /// Ports of the host that lead to it.
    #[serde(default)]
    pub ports: Vec<Published>,
    /// Whether plugins made it and lead its ports, not this engine.
    #[serde(default)]
    pub plugged: bool,
}

impl Endpoint {
    /// From now on no default route leaves by it: it is about to go, with the ports that plugins lead to it.
    pub fn lead_nowhere(&mut self) {
        if self.plugged {
            self.ports.clear();
        }
        for assigned in [&mut self.ipv4, &mut self.ipv6].into_iter().flatten() {
            (assigned.gateway, assigned.by_device) = (None, false);
        }
    }
}

#[cfg(test)]
impl Endpoint {
    /// Without anything.
    pub(crate) fn for_tests() -> Self {
        Self {
            id: EndpointId::from_bytes([1; 32]),
            container: ContainerId::from_bytes([2; 32]),
            network_id: NetworkId::from_bytes([3; 32]),
            network: "web".to_owned(),
            ipv4: None,
            ipv6: None,
            mac: None,
            host_device: None,
            device: None,
            aliases: Vec::new(),
            dns_names: Vec::new(),
            gateway_priority: 0,
            ports: Vec::new(),
            plugged: false,
        }
    }
}
