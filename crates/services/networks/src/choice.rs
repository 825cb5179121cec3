//! Ranges of addresses for new networks, by what the kernel and the records have.

use crate::{Config, Error, Network, Result, subnet};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use net::route::{Occupant, Occupied};
use net::{NamespaceLock, Socket, link, route};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

const CHOOSING: &str = "container-runtime/address-ranges";
const CHOOSING_LIMIT: Duration = Duration::from_secs(10);
const USUAL_MTU: u32 = 1500;

/// What is taken, and the right to take more: no other engine of this host chooses until this is dropped. The choice is the
/// kernel's from the moment that a bridge has it.
#[derive(Debug)]
pub(crate) struct Choosing {
    socket: Socket,
    occupied: Vec<Occupied>,
    _lock: NamespaceLock,
}

impl Choosing {
    /// Looks at the routes and addresses of the host, those of the device `own` aside.
    pub(crate) fn begin(own: Option<&str>) -> Result<Self> {
        if let Some(own) = own {
            link::check_name(own)?;
        }
        let lock = NamespaceLock::acquire(CHOOSING, CHOOSING_LIMIT)?;
        let mut socket = Socket::open()?;
        let mut occupied = route::occupied(&mut socket, own)?;
        occupied.extend(name_servers());
        Ok(Self { socket, occupied, _lock: lock })
    }

    /// The default bridge's range.
    pub(crate) fn default_bridge(&self, config: &Config, recorded: Option<Ipv4Net>) -> Result<Ipv4Net> {
        let subnet = subnet::choose(config, recorded, &self.occupied)?;
        if let Some(ipv6) = config.ipv6 {
            subnet::check(ipv6.into(), &self.occupied)?;
        }
        if recorded.is_some_and(|recorded| recorded != subnet) {
            tracing::warn!(?recorded, %subnet, "the default bridge gets another subnet than the last time");
        }
        Ok(subnet)
    }

    /// The MTU of bridges: the default route's, but no more than usual.
    pub(crate) fn mtu(&mut self, config: &Config) -> Result<u32> {
        match config.mtu {
            Some(mtu) => Ok(mtu),
            None => Ok(route::default_mtu(&mut self.socket)?.unwrap_or(USUAL_MTU).min(USUAL_MTU)),
        }
    }

    /// A free range of the pools for a further network.
    pub(crate) fn ipv4(&self, config: &Config, others: &[Network]) -> Result<IpNet> {
        Ok(subnet::further(config, &self.all(others))?.into())
    }

    /// The lowest free range of the host's own prefix (RFC 4193) for a further network.
    pub(crate) fn ipv6(&self, prefix: Ipv6Net, others: &[Network]) -> Result<IpNet> {
        let occupied = self.all(others);
        let base = u128::from(prefix.network());
        let ranges = (0..1_u128 << 16)
            .filter_map(|number| Ipv6Net::new(Ipv6Addr::from(base | (number << 64)), 64).ok());
        let free = ranges.map(IpNet::V6).find(|range| subnet::check(*range, &occupied).is_ok());
        free.ok_or_else(|| Error::PoolsExhausted {
            pools: prefix.to_string(),
            with: "a network of this engine".to_owned(),
        })
    }

    /// Refuses a range that a person chose, if it is taken.
    pub(crate) fn check(&self, wanted: IpNet, others: &[Network]) -> Result<()> {
        subnet::check(wanted, &self.all(others))
    }

    /// Refuses a range that another network has. That a route leads to it is as it should be where containers are on the Ethernet of
    /// the host.
    pub(crate) fn check_networks(&self, wanted: IpNet, others: &[Network]) -> Result<()> {
        let networks =
            self.all(others).into_iter().take(others.iter().map(|one| one.ipam.config.len()).sum());
        subnet::check(wanted, &networks.collect::<Vec<_>>())
    }

    /// Networks come first: who collides with one shall read its name, not its bridge's.
    fn all(&self, others: &[Network]) -> Vec<Occupied> {
        let ranges =
            others.iter().flat_map(|network| network.ipam.config.iter().map(move |range| (network, range)));
        let ranges = ranges.map(|(network, range)| Occupied {
            subnet: range.subnet,
            by: Occupant::Other(format!("the network {}", network.name)),
        });
        ranges.chain(self.occupied.iter().cloned()).collect()
    }
}

/// The host's resolvers: a range that covers them would cut the host off from its names.
fn name_servers() -> impl Iterator<Item = Occupied> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers =
        text.lines().filter_map(|line| line.strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok());
    let servers: Vec<IpAddr> = servers.collect();
    servers.into_iter().map(|address| Occupied { subnet: IpNet::from(address), by: Occupant::NameServer })
}
