//! What a client asks of a new network, and the record that comes of it.

use crate::branch_options::BranchOptions;
use crate::choice::Choosing;
use crate::options::BridgeOptions;
use crate::{Config, Driver, Error, Ipam, IpamConfig, Network, Result, plugged, predefined};
use ids::NetworkId;
use ipnet::{IpNet, Ipv6Net};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a client asks of a new network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewNetwork {
    /// Unique.
    pub name: String,
    /// `bridge` if empty.
    pub driver: String,
    /// None: as the engine's configuration says.
    pub enable_ipv4: Option<bool>,
    /// None: if a range of that family is asked for, or as the engine's configuration says.
    pub enable_ipv6: Option<bool>,
    /// `default` if empty.
    pub ipam_driver: String,
    /// Kept for `inspect`.
    pub ipam_options: BTreeMap<String, String>,
    /// At most one of each family; what is missing is chosen.
    pub ranges: Vec<NewRange>,
    /// Without a way out.
    pub internal: bool,
    /// Kept for `inspect`.
    pub attachable: bool,
    /// Nothing but what others are made from.
    pub config_only: bool,
    /// The name of such a one that it is made from; empty: none.
    pub config_from: String,
    /// `com.docker.network.…`, `parent`, `conf`.
    pub options: BTreeMap<String, String>,
    /// The client's.
    pub labels: BTreeMap<String, String>,
}

/// A range that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRange {
    /// The whole.
    pub subnet: IpNet,
    /// The part from which containers get addresses; none: all of it.
    pub ip_range: Option<IpNet>,
    /// The bridge's address; none: the first.
    pub gateway: Option<IpAddr>,
    /// Addresses that no container gets.
    pub auxiliary: BTreeMap<String, IpAddr>,
}

impl NewNetwork {
    /// What can be said without the host: the record but for the ranges that are still to be chosen.
    pub(crate) fn check(self, config: &Config) -> Result<Network> {
        check_name(&self.name)?;
        let driver = match self.driver.as_str() {
            // As Docker shows it.
            _ if self.config_only => Driver::Null,
            "" | "default" | "bridge" => Driver::Bridge,
            "macvlan" => Driver::Macvlan,
            "ipvlan" => Driver::Ipvlan,
            "cni" => Driver::Cni,
            "host" | "null" => return Err(Error::OnlyOne { driver: self.driver }),
            _ => return Err(Error::NoDriver { driver: self.driver }),
        };
        if !matches!(self.ipam_driver.as_str(), "" | "default") {
            return Err(Error::Unsupported { what: "another IPAM driver than default" });
        }
        if driver == Driver::Cni {
            plugged::check(&self)?;
        }
        let asks_ipv6 = self.ranges.iter().any(|range| range.subnet.addr().is_ipv6());
        let enable_ipv4 = self.enable_ipv4.unwrap_or(true);
        let enable_ipv6 =
            self.enable_ipv6.unwrap_or(asks_ipv6 || (config.ipv6_by_default && driver == Driver::Bridge));
        // Nothing keeps plugins from giving either.
        let enable_ipv6 = enable_ipv6 || driver == Driver::Cni;
        if !enable_ipv4 && !enable_ipv6 {
            return Err(Error::NoFamily);
        }
        let wanted = self.ranges.iter().filter(|range| match range.subnet {
            IpNet::V4(_) => enable_ipv4,
            IpNet::V6(_) => enable_ipv6,
        });
        let ranges: Vec<IpamConfig> = wanted.map(NewRange::check).collect::<Result<_>>()?;
        for v4 in [true, false] {
            if ranges.iter().filter(|range| range.subnet.addr().is_ipv4() == v4).count() > 1 {
                return Err(bad_range("a network has one subnet of each family"));
            }
        }
        let network = Network {
            id: NetworkId::from_bytes(predefined::random()?),
            name: self.name,
            created: Timestamp::now(),
            scope: "local".to_owned(),
            driver,
            enable_ipv4,
            enable_ipv6,
            ipam: Ipam { driver: "default".to_owned(), options: self.ipam_options, config: ranges },
            internal: self.internal,
            attachable: self.attachable,
            ingress: false,
            config_only: self.config_only,
            config_from: self.config_from,
            options: self.options,
            labels: self.labels,
        };
        match network.driver {
            Driver::Bridge => drop(BridgeOptions::read(&network)?),
            Driver::Macvlan | Driver::Ipvlan => drop(BranchOptions::read(&network)?),
            // Whether its options make sense is seen with the driver of who is made from it.
            Driver::Cni | Driver::Host | Driver::Null => {}
        }
        Ok(network)
    }
}

/// Gives a record the ranges that the client left to the engine, and refuses those that are taken.
pub(crate) fn choose_ranges(
    network: &mut Network,
    choosing: &Choosing,
    config: &Config,
    prefix: Option<Ipv6Net>,
    others: &[Network],
) -> Result<()> {
    if network.config_only || network.driver == Driver::Cni {
        return Ok(());
    }
    for range in &network.ipam.config {
        match network.driver.is_branch() {
            true => choosing.check_networks(range.subnet, others)?,
            false => choosing.check(range.subnet, others)?,
        }
    }
    let ranges = &mut network.ipam.config;
    let has =
        |ranges: &[IpamConfig], v4: bool| ranges.iter().any(|range| range.subnet.addr().is_ipv4() == v4);
    if network.enable_ipv4 && !has(ranges, true) {
        ranges.insert(0, IpamConfig::of(choosing.ipv4(config, others)?));
    }
    if let Some(prefix) = prefix.filter(|_| network.enable_ipv6 && !has(ranges, false)) {
        ranges.push(IpamConfig::of(choosing.ipv6(prefix, others)?));
    }
    ranges.sort_by_key(|range| range.subnet.addr().is_ipv6());
    Ok(())
}

impl NewRange {
    fn check(&self) -> Result<IpamConfig> {
        let subnet = self.subnet;
        if subnet != subnet.trunc() {
            return Err(bad_range(format!("invalid subnet {subnet}: it should be {}", subnet.trunc())));
        }
        if let Some(part) = self.ip_range
            && !subnet.contains(&part)
        {
            return Err(bad_range(format!("invalid ip-range {part}: it is not in the subnet {subnet}")));
        }
        let kept = self.auxiliary.values().map(|address| ("auxiliary address", address));
        for (what, address) in kept.chain(self.gateway.as_ref().map(|gateway| ("gateway", gateway))) {
            let edges = [subnet.network(), subnet.broadcast()];
            if !subnet.contains(address) || (subnet.addr().is_ipv4() && edges.contains(address)) {
                return Err(bad_range(format!(
                    "invalid {what} {address}: it is not a host address of {subnet}"
                )));
            }
        }
        let range = IpamConfig::of(subnet);
        Ok(IpamConfig {
            gateway: self.gateway.or(range.gateway),
            ip_range: self.ip_range,
            auxiliary: self.auxiliary.clone(),
            subnet,
        })
    }
}

/// Docker takes any name; what would break a line of output or a path of the API is refused.
fn check_name(name: &str) -> Result<()> {
    const LONGEST: usize = 255;
    let reason = if name.trim().is_empty() {
        "name is empty"
    } else if name.len() > LONGEST {
        "it is longer than 255 bytes"
    } else if name.contains(|c: char| c.is_control() || c == '/') {
        "it has a slash or a control character"
    } else if matches!(name, "bridge" | "host" | "none" | "default") {
        return Err(Error::Predefined { network: name.to_owned() });
    } else {
        return Ok(());
    };
    Err(Error::BadName { reason })
}

fn bad_range(reason: impl Into<String>) -> Error {
    Error::BadRange { reason: reason.into() }
}
