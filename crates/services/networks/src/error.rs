//! What can go wrong with networks.

use crate::PluggedError;
use errors::{Class, Classified};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The service's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with networks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No network has this name or id.
    #[error("network {network} not found")]
    NotFound {
        /// As given.
        network: String,
    },
    /// Several networks' ids begin like this.
    #[error("several networks have ids that begin with {network}")]
    Ambiguous {
        /// As given.
        network: String,
    },
    /// A subnet that a person chose is in use on this host.
    #[error("the subnet {subnet} overlaps {with}")]
    Collision {
        /// The wanted subnet.
        subnet: IpNet,
        /// Which route or address of the host.
        with: String,
    },
    /// Every range of the pools is in use on this host.
    #[error("no free subnet is left in the address pools {pools}: the last one tried overlaps {with}")]
    PoolsExhausted {
        /// The pools.
        pools: String,
        /// Which route or address of the host.
        with: String,
    },
    /// A subnet without room for a gateway and a container.
    #[error("the subnet {subnet} is too small for a network")]
    TooSmall {
        /// The subnet.
        subnet: IpNet,
    },
    /// A text that is not an address of the wanted family.
    #[error("invalid IP address '{text}'")]
    BadAddress {
        /// As given.
        text: String,
    },
    /// A name that a network can't have.
    #[error("invalid name: {reason}")]
    BadName {
        /// Why.
        reason: &'static str,
    },
    /// A network of this name exists.
    #[error("network with name {network} already exists")]
    Exists {
        /// Its name.
        network: String,
    },
    /// What only the engine itself makes.
    #[error("operation is not permitted on predefined {network} network")]
    Predefined {
        /// Its name.
        network: String,
    },
    /// A network that is always there.
    #[error("{network} is a pre-defined network and cannot be removed")]
    Permanent {
        /// Its name.
        network: String,
    },
    /// A driver of which there is one network, which the engine makes.
    #[error("only one instance of \"{driver}\" network is allowed")]
    OnlyOne {
        /// Its name.
        driver: String,
    },
    /// A driver that this engine does not have.
    #[error("plugin \"{driver}\" not found: the drivers are bridge, macvlan, ipvlan, cni, host and null")]
    NoDriver {
        /// As given.
        driver: String,
    },
    /// Something that this engine does not do with networks.
    #[error("{what} is not supported")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// A network without addresses of any family.
    #[error("IPv4 or IPv6 must be enabled")]
    NoFamily,
    /// An option with a value that makes no sense.
    #[error("the option {option} has the value '{value}', expected is {expected}")]
    BadOption {
        /// Its name.
        option: &'static str,
        /// As given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A range, gateway or other address that does not go with the rest.
    #[error("invalid network config: {reason}")]
    BadRange {
        /// Why.
        reason: String,
    },
    /// Another network has the bridge.
    #[error("the network {network} has the bridge {bridge} already")]
    BridgeTaken {
        /// The other one.
        network: String,
        /// The device.
        bridge: String,
    },
    /// What does not go together with a configuration network.
    #[error("{why}")]
    Configuration {
        /// In Docker's words.
        why: &'static str,
    },
    /// A configuration that there is not.
    #[error("configuration network {network:?} does not exist")]
    NoConfiguration {
        /// Its name.
        network: String,
    },
    /// A configuration that another network was made from.
    #[error("error while removing network: configuration network {network:?} is in use")]
    ConfigurationInUse {
        /// Its name.
        network: String,
    },
    /// A parent device that there can't be.
    #[error("{why}")]
    BadParent {
        /// Why, in Docker's words.
        why: String,
    },
    /// A parent device that the host does not have.
    #[error("the network {network} stands on the device {device}, which this host does not have")]
    NoParent {
        /// The network's name.
        network: String,
        /// The device.
        device: String,
    },
    /// A parent device whose Ethernet another network uses.
    #[error("cannot use mode passthru, network {network} is already using parent interface {device}")]
    ParentTaken {
        /// The other network.
        network: String,
        /// The device.
        device: String,
    },
    /// Containers are attached to a network that is to go.
    #[error("error while removing network: network {network} has active endpoints ({endpoints})")]
    InUse {
        /// Its name.
        network: String,
        /// Docker's list of them.
        endpoints: String,
    },
    /// A port that somebody has.
    #[error("Bind for {address} failed: port is already allocated by {by}")]
    PortTaken {
        /// The host's address and port.
        address: SocketAddr,
        /// Who has it.
        by: String,
    },
    /// Of these ports none is free.
    #[error("all ports from {first} to {last} are allocated")]
    NoPortLeft {
        /// The first.
        first: u16,
        /// The last.
        last: u16,
    },
    /// A port of the host that can't be had.
    #[error("failed to bind host port for {}", SocketAddr::new(*host, *port))]
    NotBound {
        /// The host's address.
        host: IpAddr,
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing on this host leads packets to containers.
    #[error("ports can't be published on this host (--network host does without)")]
    NotPublished {
        /// Why.
        #[source]
        source: net::Error,
    },
    /// IPv6 where there is none.
    #[error("the network {network} can't have IPv6: this kernel has none")]
    NoIpv6 {
        /// The network's name.
        network: String,
    },
    /// An address of the host that can't lead to the container.
    #[error(
        "ports can't be published at {host}: the container has no address of that family on the network {network}"
    )]
    NoFamilyFor {
        /// The host's address.
        host: IpAddr,
        /// The network's name.
        network: String,
    },
    /// A wanted address that the network can't give.
    #[error(
        "the address {address} can't be given on the network {network}: it is not a free host address of {subnet}"
    )]
    AddressOutside {
        /// The wanted address.
        address: IpAddr,
        /// The network's name.
        network: String,
        /// Its subnet.
        subnet: IpNet,
    },
    /// A wanted address that another endpoint has.
    #[error("the address {address} is already in use on the network {network}")]
    AddressTaken {
        /// The wanted address.
        address: IpAddr,
        /// The network's name.
        network: String,
    },
    /// All addresses are given.
    #[error("the network {network} has no free address left in {subnet}")]
    NoAddressLeft {
        /// The network's name.
        network: String,
        /// Its subnet.
        subnet: IpNet,
    },
    /// The network's bridge has as many devices as the kernel allows.
    #[error("the network {network} is full: 1023 containers run on it. Put further ones on another network")]
    Full {
        /// The network's name.
        network: String,
    },
    /// A wanted address on a network without addresses of that family.
    #[error("the network {network} has no addresses to choose from for {address}")]
    NoAddresses {
        /// The wanted address.
        address: IpAddr,
        /// The network's name.
        network: String,
    },
    /// A bridge network wants a namespace of the container's own.
    #[error("the network {network} can't be joined from the host's network namespace")]
    HostNamespace {
        /// The network's name.
        network: String,
    },
    /// A line for `/etc/hosts` that is not `name:address`.
    #[error("bad format for add-host: '{text}' (expected name:address)")]
    BadHost {
        /// As given.
        text: String,
    },
    /// A MAC address that a device can't have.
    #[error(transparent)]
    Mac(#[from] net::BadMac),
    /// Plugins of others.
    #[error(transparent)]
    Plugged(#[from] PluggedError),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] net::Error),
    /// The records.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The kernel gave no random bytes.
    #[error("draw random bytes")]
    Random(#[source] getrandom::Error),
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } | Self::NoDriver { .. } | Self::NoConfiguration { .. } => Class::NotFound,
            Self::Collision { .. }
            | Self::AddressTaken { .. }
            | Self::Exists { .. }
            | Self::PortTaken { .. }
            | Self::BridgeTaken { .. }
            | Self::ParentTaken { .. } => Class::Conflict,
            Self::Configuration { .. }
            | Self::ConfigurationInUse { .. }
            | Self::Predefined { .. }
            | Self::Permanent { .. }
            | Self::OnlyOne { .. }
            | Self::InUse { .. } => Class::Denied,
            Self::Unsupported { .. } | Self::NotPublished { .. } | Self::NoIpv6 { .. } => Class::Unsupported,
            Self::Ambiguous { .. }
            | Self::TooSmall { .. }
            | Self::BadName { .. }
            | Self::NoFamily
            | Self::NoFamilyFor { .. }
            | Self::NotBound { .. }
            | Self::BadOption { .. }
            | Self::BadRange { .. }
            | Self::BadParent { .. }
            | Self::NoParent { .. }
            | Self::BadAddress { .. }
            | Self::AddressOutside { .. }
            | Self::NoAddresses { .. }
            | Self::HostNamespace { .. }
            | Self::BadHost { .. } => Class::Invalid,
            Self::PoolsExhausted { .. }
            | Self::NoAddressLeft { .. }
            | Self::NoPortLeft { .. }
            | Self::Full { .. } => Class::Unavailable,
            Self::Mac(error) => error.class(),
            Self::Plugged(error) => error.class(),
            Self::Kernel(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Random(_) => Class::Internal,
        }
    }
}
