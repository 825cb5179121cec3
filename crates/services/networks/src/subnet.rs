//! Which range of addresses the default bridge gets. What is in use, the kernel says; nobody keeps a list.

use crate::{AddressPool, Config, Error, Result};
use ipnet::{IpNet, Ipv4Net};
use net::route::Occupied;

/// Chooses a subnet that overlaps nothing in `occupied`: the configured one; else the one of the last time; else the
/// preferred one; else the first free one of the pools.
///
/// # Errors
/// `Collision` when a person configured it and it is in use; `PoolsExhausted`.
pub(crate) fn choose(config: &Config, recorded: Option<Ipv4Net>, occupied: &[Occupied]) -> Result<Ipv4Net> {
    if let (Some(subnet), true) = (config.preferred_subnet, config.subnet_is_fixed) {
        check(subnet.into(), occupied)?;
        return Ok(subnet.trunc());
    }
    let candidates = recorded.into_iter().chain(config.preferred_subnet);
    first_free(candidates, &config.pools, occupied)
}

/// The first free subnet of the pools for networks that clients make.
///
/// # Errors
/// `PoolsExhausted`.
pub(crate) fn further(config: &Config, occupied: &[Occupied]) -> Result<Ipv4Net> {
    first_free(std::iter::empty(), &config.further_pools, occupied)
}

fn first_free(
    candidates: impl Iterator<Item = Ipv4Net>,
    pools: &[AddressPool],
    occupied: &[Occupied],
) -> Result<Ipv4Net> {
    let mut last = String::new();
    for candidate in candidates.chain(pools.iter().flat_map(cut)) {
        match occupant(candidate.into(), occupied) {
            Some(occupied) => last = occupied.to_string(),
            None => return Ok(candidate.trunc()),
        }
    }
    let pools: Vec<String> = pools.iter().map(|pool| pool.base.to_string()).collect();
    Err(Error::PoolsExhausted { pools: pools.join(", "), with: last })
}

/// Refuses a subnet that is in use.
pub(crate) fn check(subnet: IpNet, occupied: &[Occupied]) -> Result<()> {
    match occupant(subnet, occupied) {
        Some(occupied) => Err(Error::Collision { subnet, with: occupied.to_string() }),
        None => Ok(()),
    }
}

fn cut(pool: &AddressPool) -> impl Iterator<Item = Ipv4Net> + use<> {
    // A size that is wider than the pool leaves nothing to cut.
    pool.base.subnets(pool.size).into_iter().flatten()
}

fn occupant(subnet: IpNet, occupied: &[Occupied]) -> Option<&Occupied> {
    occupied.iter().find(|occupied| overlap(&occupied.subnet, &subnet))
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::route::Occupant;
    use std::path::Path;

    fn used(subnets: &[&str]) -> Vec<Occupied> {
        let route = Occupant::Route(Some("tun0".into()));
        subnets.iter().map(|text| Occupied { subnet: text.parse().unwrap(), by: route.clone() }).collect()
    }

    fn choice(config: &Config, recorded: Option<&str>, subnets: &[&str]) -> String {
        let recorded = recorded.map(|text| text.parse().unwrap());
        choose(config, recorded, &used(subnets)).unwrap().to_string()
    }

    #[test]
    fn the_hosts_engine_prefers_its_own_range() {
        assert_eq!(choice(&Config::host(), None, &["192.0.2.0/24"]), "172.20.0.0/16");
        assert_eq!(choice(&Config::host(), None, &["172.20.1.1/32"]), "172.16.0.0/16");
    }

    #[test]
    fn a_private_engine_keeps_its_range_while_it_is_free() {
        let config = Config::private(Path::new("/tmp/x"));
        assert_eq!(choice(&config, Some("172.18.0.0/16"), &[]), "172.18.0.0/16");
        assert_eq!(choice(&config, Some("172.18.0.0/16"), &["172.18.5.0/24"]), "172.16.0.0/16");
    }

    #[test]
    fn pools_are_tried_in_their_order() {
        let config = Config::private(Path::new("/tmp/x"));
        assert_eq!(choice(&config, None, &["172.16.0.0/15"]), "172.18.0.0/16");
        assert_eq!(choice(&config, None, &["172.16.0.0/12"]), "192.168.0.0/20");
        assert_eq!(
            choice(&config, None, &["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/12"]),
            "10.16.0.0/20"
        );
        let all = used(&["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"]);
        let error = choose(&config, None, &all).unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/8 by the device tun0"), "{error}");
    }

    #[test]
    fn a_configured_subnet_that_is_in_use_names_the_route() {
        let config = Config {
            preferred_subnet: Some("10.1.0.0/16".parse().unwrap()),
            subnet_is_fixed: true,
            ..Config::host()
        };
        let error = choose(&config, None, &used(&["10.1.2.0/24"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the subnet 10.1.0.0/16 overlaps the route 10.1.2.0/24 by the device tun0"
        );
    }
}
