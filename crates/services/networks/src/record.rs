//! A network's record, which holds what `inspect` shows.

use crate::branch_options::has_parent;
use ids::NetworkId;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What carries a network's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// A bridge of the host with a veth pair per container.
    Bridge,
    /// A device of the container's own on one of the host's, with an Ethernet address of its own.
    Macvlan,
    /// The same with the Ethernet address of the host's.
    Ipvlan,
    /// Whatever the plugins of a CNI configuration make.
    Cni,
    /// The host's own namespace.
    Host,
    /// Loopback only.
    Null,
}

impl Driver {
    /// As Docker's documents name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Macvlan => "macvlan",
            Self::Ipvlan => "ipvlan",
            Self::Cni => "cni",
            Self::Host => "host",
            Self::Null => "null",
        }
    }

    /// Whether containers' devices stand on one of the host's, whose Ethernet they share.
    pub(crate) fn is_branch(self) -> bool {
        matches!(self, Self::Macvlan | Self::Ipvlan)
    }

    /// Whether containers get a device and addresses.
    pub(crate) fn has_devices(self) -> bool {
        matches!(self, Self::Bridge | Self::Cni) || self.is_branch()
    }
}

/// One range of addresses of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpamConfig {
    /// The range.
    pub subnet: IpNet,
    /// The bridge's address in it.
    pub gateway: Option<IpAddr>,
    /// The part of it from which containers get addresses that ask for none; none: all of it.
    #[serde(default)]
    pub ip_range: Option<IpNet>,
    /// Addresses that no container gets, by what a person calls them.
    #[serde(default)]
    pub auxiliary: BTreeMap<String, IpAddr>,
}

impl IpamConfig {
    /// All of a subnet, with its first host address for the gateway.
    pub fn of(subnet: IpNet) -> Self {
        let subnet = subnet.trunc();
        let gateway = match subnet.network() {
            IpAddr::V4(first) => u32::from(first).checked_add(1).map(|next| IpAddr::V4(next.into())),
            IpAddr::V6(first) => u128::from(first).checked_add(1).map(|next| IpAddr::V6(next.into())),
        };
        Self { subnet, gateway, ip_range: None, auxiliary: BTreeMap::new() }
    }
}

/// How a network's addresses are given out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ipam {
    /// Always `default`.
    pub driver: String,
    /// Options of the address manager.
    pub options: BTreeMap<String, String>,
    /// The ranges; empty for `host` and `none`.
    pub config: Vec<IpamConfig>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Stable over restarts.
    pub id: NetworkId,
    /// Unique.
    pub name: String,
    /// When the record was made.
    pub created: Timestamp,
    /// Always `local`.
    pub scope: String,
    /// What carries its packets.
    pub driver: Driver,
    /// Whether its endpoints get IPv4 addresses.
    pub enable_ipv4: bool,
    /// Whether its endpoints get IPv6 addresses.
    pub enable_ipv6: bool,
    /// Its addresses.
    pub ipam: Ipam,
    /// Without a way out.
    pub internal: bool,
    /// Whether containers may be attached by hand: a swarm notion that is kept for `inspect`.
    pub attachable: bool,
    /// A swarm notion; false here.
    pub ingress: bool,
    /// Only a configuration, which others are made from: no container comes to it.
    pub config_only: bool,
    /// The configuration that it was made from; empty: none.
    #[serde(default)]
    pub config_from: String,
    /// Driver options, `com.docker.network.…`, `parent`, `conf`.
    pub options: BTreeMap<String, String>,
    /// The client's labels.
    pub labels: BTreeMap<String, String>,
}

impl Network {
    /// Whether the engine itself made it and it can't be removed.
    pub fn is_predefined(&self) -> bool {
        matches!(self.name.as_str(), "bridge" | "host" | "none")
    }

    /// Whether its containers may reach what is beyond it. Of plugins it is known only when they have attached one.
    pub fn may_lead_out(&self) -> bool {
        match self.driver {
            Driver::Bridge => !self.internal,
            Driver::Macvlan | Driver::Ipvlan => !self.internal && has_parent(self),
            Driver::Cni => true,
            Driver::Host | Driver::Null => false,
        }
    }
}
