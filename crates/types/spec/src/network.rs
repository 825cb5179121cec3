//! Networks and names.

use crate::{PortBinding, PortSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which network namespace a container lives in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NetworkMode {
    /// The engine's default bridge.
    #[default]
    Default,
    /// A new namespace with loopback only.
    None,
    /// The host's.
    Host,
    /// That of the container with this id or name.
    Container(String),
    /// The network with this name or id.
    Named(String),
}

/// What a client asks of the network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkRequest {
    /// The primary network.
    pub mode: NetworkMode,
    /// Ports the image or the client declares.
    pub exposed: PortSet,
    /// Ports published on the host.
    pub published: Vec<PortBinding>,
    /// Publish all exposed ports on free host ports.
    pub publish_all: bool,
    /// Resolver settings.
    pub dns: Dns,
    /// `name:address` lines for `/etc/hosts`; the address may be `host-gateway`.
    pub extra_hosts: Vec<String>,
    /// Legacy links, `container:alias`.
    pub links: Vec<String>,
    /// Per network, by name or id: what its attachment should be.
    pub endpoints: BTreeMap<String, EndpointRequest>,
    /// Wanted MAC address on the primary network.
    pub mac_address: Option<String>,
    /// The container gets no network at all (`NetworkDisabled`).
    pub disabled: bool,
}

/// Resolver settings of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dns {
    /// Servers; empty: the host's.
    pub servers: Vec<String>,
    /// Search domains; empty: the host's.
    pub search: Vec<String>,
    /// Options; empty: the host's.
    pub options: Vec<String>,
}

/// What an attachment to a network should be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointRequest {
    /// Further names on this network.
    pub aliases: Vec<String>,
    /// Legacy links on this network.
    pub links: Vec<String>,
    /// Wanted address.
    pub ipv4: Option<String>,
    /// Wanted address.
    pub ipv6: Option<String>,
    /// Further link-local addresses.
    pub link_local: Vec<String>,
    /// Wanted MAC address.
    pub mac_address: Option<String>,
    /// Which network provides the default route: the highest.
    pub gateway_priority: i64,
    /// Driver options.
    pub driver_options: BTreeMap<String, String>,
}
