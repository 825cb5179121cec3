//! Which addresses of a subnet are given to whom: kept in memory, rebuilt from the endpoints at each start.

use crate::{Error, Result};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The addresses of one subnet, of either family.
///
/// The next one is the lowest free one after the last that was given, so that an address rests for as long as
/// possible before somebody else gets it and neighbours' tables are never wrong.
#[derive(Debug)]
pub(crate) struct Allocator {
    network: String,
    subnet: IpNet,
    gateway: u128,
    first: u128,
    last: u128,
    taken: BTreeSet<u128>,
    next: u128,
}

impl Allocator {
    /// For a subnet whose first host address is the gateway's.
    pub(crate) fn new(network: &str, subnet: IpNet) -> Result<Self> {
        let subnet = subnet.trunc();
        let (lowest, highest) = (number(subnet.network()), number(subnet.broadcast()));
        // IPv4 keeps the last address for broadcasts; the first names the subnet in both families.
        let last = if subnet.addr().is_ipv4() { highest.saturating_sub(1) } else { highest };
        if highest - lowest < 3 {
            return Err(Error::TooSmall { subnet });
        }
        let first = lowest + 2;
        let network = network.to_owned();
        Ok(Self { network, subnet, gateway: lowest + 1, first, last, taken: BTreeSet::new(), next: first })
    }

    /// The bridge's own address.
    pub(crate) fn gateway(&self) -> IpAddr {
        self.address(self.gateway)
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

    /// Takes an address back; not an error when it was not given.
    pub(crate) fn free(&mut self, address: IpAddr) {
        self.taken.remove(&number(address));
    }

    fn take_this(&mut self, address: IpAddr) -> Result<IpAddr> {
        let (network, subnet) = (self.network.clone(), self.subnet);
        let wanted = number(address);
        let inside = subnet.contains(&address) && (self.first..=self.last).contains(&wanted);
        if !inside {
            return Err(Error::AddressOutside { address, network, subnet });
        }
        if !self.taken.insert(wanted) {
            return Err(Error::AddressTaken { address, network });
        }
        self.next = self.next.max(wanted.saturating_add(1));
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
        for taken in self.taken.range(from..=to) {
            if *taken != candidate {
                break;
            }
            candidate += 1;
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

    fn allocator(subnet: &str) -> Allocator {
        Allocator::new("test", subnet.parse().unwrap()).unwrap()
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
            assert!(!unique.contains(&net.network()) && !unique.contains(&allocator.gateway()));
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
        for outside in ["10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.5", "::5", "fd00::5"] {
            assert!(
                matches!(allocator.take(Some(ip(outside))), Err(Error::AddressOutside { .. })),
                "{outside}"
            );
        }
    }

    #[test]
    fn subnets_without_room_are_refused() {
        for subnet in
            ["10.0.0.0/31", "10.0.0.0/32", "fd00::/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"]
        {
            assert!(matches!(Allocator::new("test", subnet.parse().unwrap()), Err(Error::TooSmall { .. })));
        }
        assert_eq!(allocator("0.0.0.0/0").take(None).unwrap(), ip("0.0.0.2"));
    }
}
