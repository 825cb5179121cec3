//! Which addresses of a subnet are given to whom: kept in memory, rebuilt from the endpoints at each start.

use crate::{Error, IpamConfig, Result};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// The addresses of one subnet, of either family.
///
/// The next one is the lowest free one after the last that was given, so that an address rests for as long as
/// possible before somebody else gets it and neighbours' tables are never wrong.
#[derive(Debug)]
pub(crate) struct Allocator {
    network: String,
    subnet: IpNet,
    gateway: Option<u128>,
    /// The host addresses of the subnet.
    hosts: RangeInclusive<u128>,
    /// Of these, those that are given to whom asks for none.
    first: u128,
    last: u128,
    /// Never given: the gateway's and those that a person keeps for something else.
    reserved: BTreeSet<u128>,
    taken: BTreeSet<u128>,
    next: u128,
}

impl Allocator {
    /// For a network's range.
    pub(crate) fn new(network: &str, range: &IpamConfig) -> Result<Self> {
        let subnet = range.subnet.trunc();
        let (lowest, highest) = (number(subnet.network()), number(subnet.broadcast()));
        if highest - lowest < 3 {
            return Err(Error::TooSmall { subnet });
        }
        // IPv4 keeps the last address for broadcasts; the first names the subnet in both families.
        let hosts = lowest + 1..=if subnet.addr().is_ipv4() { highest - 1 } else { highest };
        let (mut first, mut last) = (*hosts.start(), *hosts.end());
        if let Some(part) = range.ip_range {
            (first, last) = (first.max(number(part.network())), last.min(number(part.broadcast())));
        }
        let gateway = range.gateway.map(number);
        let reserved = range.auxiliary.values().copied().map(number).chain(gateway).collect();
        let network = network.to_owned();
        Ok(Self {
            network,
            subnet,
            gateway,
            hosts,
            first,
            last,
            reserved,
            taken: BTreeSet::new(),
            next: first,
        })
    }

    /// The bridge's own address.
    pub(crate) fn gateway(&self) -> Option<IpAddr> {
        self.gateway.map(|gateway| self.address(gateway))
    }

    /// The subnet.
    pub(crate) fn subnet(&self) -> IpNet {
        self.subnet
    }

    /// Gives an address out: `wanted`, or the next free one.
    pub(crate) fn take(&mut self, wanted: Option<IpAddr>) -> Result<IpAddr> {
        match wanted {
            Some(address) => self.take_this(address),
            None => self.take_next(),
        }
    }

    /// Those that were given and not taken back.
    pub(crate) fn taken(&self) -> impl Iterator<Item = IpAddr> {
        self.taken.iter().map(|number| self.address(*number))
    }

    /// Takes an address back; not an error when it was not given.
    pub(crate) fn free(&mut self, address: IpAddr) {
        self.taken.remove(&number(address));
    }

    fn take_this(&mut self, address: IpAddr) -> Result<IpAddr> {
        let (network, subnet) = (self.network.clone(), self.subnet);
        let wanted = number(address);
        if !(subnet.contains(&address) && self.hosts.contains(&wanted)) {
            return Err(Error::AddressOutside { address, network, subnet });
        }
        if self.reserved.contains(&wanted) || !self.taken.insert(wanted) {
            return Err(Error::AddressTaken { address, network });
        }
        if (self.first..=self.last).contains(&wanted) {
            self.next = self.next.max(wanted.saturating_add(1));
        }
        Ok(address)
    }

    fn take_next(&mut self) -> Result<IpAddr> {
        let found = self.free_in(self.next, self.last).or_else(|| self.free_in(self.first, self.next));
        let Some(found) = found.filter(|found| *found <= self.last) else {
            return Err(Error::NoAddressLeft { network: self.network.clone(), subnet: self.subnet });
        };
        self.taken.insert(found);
        self.next = found.saturating_add(1);
        Ok(self.address(found))
    }

    /// The lowest free number from `from` to `to`, both included.
    fn free_in(&self, from: u128, to: u128) -> Option<u128> {
        if from > to {
            return None;
        }
        let mut candidate = from;
        let (mut taken, mut reserved) =
            (self.taken.range(from..=to).peekable(), self.reserved.range(from..=to).peekable());
        while taken.next_if_eq(&&candidate).is_some() || reserved.next_if_eq(&&candidate).is_some() {
            candidate = candidate.checked_add(1)?;
        }
        (candidate <= to).then_some(candidate)
    }

    fn address(&self, number: u128) -> IpAddr {
        match self.subnet {
            // Truncation can't happen: the number lies in an IPv4 subnet.
            IpNet::V4(_) => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
            IpNet::V6(_) => IpAddr::V6(number.into()),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn made(subnet: &str) -> Result<Allocator> {
        Allocator::new("test", &IpamConfig::of(subnet.parse().unwrap()))
    }

    fn allocator(subnet: &str) -> Allocator {
        made(subnet).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn every_host_address_is_given_once_and_no_other() {
        for subnet in ["10.0.0.0/30", "10.0.0.0/29", "10.9.8.0/22", "fd00::/120"] {
            let mut allocator = allocator(subnet);
            let net: IpNet = subnet.parse().unwrap();
            let given: Vec<IpAddr> = std::iter::from_fn(|| allocator.take(None).ok()).collect();
            let unique: HashSet<_> = given.iter().collect();
            assert_eq!(unique.len(), given.len());
            assert!(given.iter().all(|address| net.contains(address)));
            assert!(!unique.contains(&net.network()) && !unique.contains(&allocator.gateway().unwrap()));
            let hosts = match net {
                IpNet::V4(_) => 2_usize.pow(32 - u32::from(net.prefix_len())) - 3,
                IpNet::V6(_) => 2_usize.pow(128 - u32::from(net.prefix_len())) - 2,
            };
            assert_eq!(given.len(), hosts, "{subnet}");
            assert!(matches!(allocator.take(None), Err(Error::NoAddressLeft { .. })));
            allocator.free(given[0]);
            assert_eq!(allocator.take(None).unwrap(), given[0]);
        }
    }

    #[test]
    fn a_freed_address_rests_until_all_others_were_given() {
        let mut allocator = allocator("10.0.0.0/29");
        let first = allocator.take(None).unwrap();
        allocator.free(first);
        for last in 3..=6 {
            assert_eq!(allocator.take(None).unwrap(), ip(&format!("10.0.0.{last}")));
        }
        assert_eq!(allocator.take(None).unwrap(), first);
    }

    #[test]
    fn a_wanted_address_is_given_or_refused_with_the_reason() {
        let mut allocator = allocator("10.0.0.0/24");
        assert_eq!(allocator.take(Some(ip("10.0.0.77"))).unwrap(), ip("10.0.0.77"));
        assert!(matches!(allocator.take(Some(ip("10.0.0.77"))), Err(Error::AddressTaken { .. })));
        assert!(matches!(allocator.take(Some(ip("10.0.0.1"))), Err(Error::AddressTaken { .. })));
        for outside in ["10.0.0.0", "10.0.0.255", "10.0.1.5", "::5", "fd00::5"] {
            assert!(
                matches!(allocator.take(Some(ip(outside))), Err(Error::AddressOutside { .. })),
                "{outside}"
            );
        }
    }

    #[test]
    fn a_part_of_the_subnet_is_given_and_nothing_that_is_kept() {
        let range = IpamConfig {
            ip_range: Some("10.0.0.4/30".parse().unwrap()),
            gateway: Some(ip("10.0.0.5")),
            auxiliary: [("printer".to_owned(), ip("10.0.0.6"))].into(),
            ..IpamConfig::of("10.0.0.0/24".parse().unwrap())
        };
        let mut allocator = Allocator::new("test", &range).unwrap();
        let given: Vec<IpAddr> = std::iter::from_fn(|| allocator.take(None).ok()).collect();
        assert_eq!(given, [ip("10.0.0.4"), ip("10.0.0.7")]);
        assert!(matches!(allocator.take(Some(ip("10.0.0.6"))), Err(Error::AddressTaken { .. })));
        assert_eq!(
            allocator.take(Some(ip("10.0.0.99"))).unwrap(),
            ip("10.0.0.99"),
            "by wish the whole subnet"
        );
        allocator.free(ip("10.0.0.4"));
        assert_eq!(allocator.take(None).unwrap(), ip("10.0.0.4"));
    }

    #[test]
    fn subnets_without_room_are_refused() {
        for subnet in
            ["10.0.0.0/31", "10.0.0.0/32", "fd00::/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"]
        {
            assert!(matches!(made(subnet), Err(Error::TooSmall { .. })));
        }
        assert_eq!(allocator("0.0.0.0/0").take(None).unwrap(), ip("0.0.0.2"));
    }
}
