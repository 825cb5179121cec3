//! Which range of addresses the default bridge gets. What is in use, the kernel says; nobody keeps a list.

use crate::{AddressPool, Config, Error, Result};
use ipnet::{IpNet, Ipv4Net};
use net::route::Occupied;

/// Chooses a subnet that overlaps nothing in `occupied`: the configured one, unless it was configured since and can't be had yet; else the one of the last time; else the
/// preferred one; else the first free one of the pools.
///
/// # Errors
/// `Collision` when a person configured it and it is in use; `PoolsExhausted`.
pub(crate) fn choose(config: &Config, recorded: Option<Ipv4Net>, occupied: &[Occupied]) -> Result<Ipv4Net> {
    if let (Some(subnet), true) = (config.preferred_subnet, config.subnet_is_fixed) {
        return configured(subnet.trunc(), config.bridge_in_use, recorded, occupied);
    }
    let candidates = recorded.into_iter().chain(config.preferred_subnet);
    first_free(candidates, &config.pools, occupied)
}

/// The subnet that a person configured. Where the bridge has had another one, that stays for as long as containers are on it, or the
/// new one is taken: by networks that have been made in it, for one.
fn configured(
    wanted: Ipv4Net,
    in_use: bool,
    recorded: Option<Ipv4Net>,
    occupied: &[Occupied],
) -> Result<Ipv4Net> {
    let free = check(wanted.into(), occupied);
    match recorded.filter(|recorded| *recorded != wanted && (in_use || free.is_err())) {
        Some(recorded) if check(recorded.into(), occupied).is_ok() => {
            tracing::warn!(%recorded, configured = %wanted, in_use, "the default bridge keeps its subnet");
            Ok(recorded)
        }
        _ => free.map(|()| wanted),
    }
}

/// The first free subnet of the pools for networks that clients make.
///
/// # Errors
/// `PoolsExhausted`.
pub(crate) fn further(config: &Config, occupied: &[Occupied]) -> Result<Ipv4Net> {
    first_free(std::iter::empty(), &config.further_pools, occupied)
}

/// The configuration where further networks are cut from a range first: sixteen of them, if they are not too small then.
pub(crate) fn in_range(config: &Config, range: Ipv4Net) -> Config {
    const SMALLEST: u8 = 28;
    let size = (range.prefix_len() + 4).min(SMALLEST.max(range.prefix_len()));
    let mut config = config.clone();
    config.further_pools.insert(0, AddressPool { base: range, size });
    config
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
    fn a_subnet_that_was_configured_since_waits_until_it_can_be_had() {
        let wanted = Some("10.1.0.0/16".parse().unwrap());
        let config = Config { preferred_subnet: wanted, subnet_is_fixed: true, ..Config::host() };
        let old = Some("172.20.0.0/16");
        assert_eq!(choice(&config, old, &[]), "10.1.0.0/16");
        assert_eq!(choice(&config, old, &["10.1.16.0/20"]), "172.20.0.0/16");
        let in_use = Config { bridge_in_use: true, ..config };
        assert_eq!(choice(&in_use, old, &[]), "172.20.0.0/16");
        assert_eq!(choice(&in_use, old, &["172.20.0.0/24"]), "10.1.0.0/16");
        assert_eq!(choice(&in_use, None, &[]), "10.1.0.0/16");
    }

    #[test]
    fn a_range_is_cut_for_further_networks_before_the_pools() {
        let used_up = used(&["10.1.0.0/17", "10.1.128.0/17"]);
        let cut = |range: &str, occupied: &[Occupied]| {
            let config = in_range(&Config::host(), range.parse().unwrap());
            further(&config, occupied).unwrap().to_string()
        };
        assert_eq!(cut("10.1.0.0/16", &[]), "10.1.0.0/20");
        assert_eq!(cut("10.1.0.0/16", &used_up), "172.16.0.0/20");
        assert_eq!(cut("10.1.0.0/24", &[]), "10.1.0.0/28");
        assert_eq!(cut("10.1.0.0/29", &[]), "10.1.0.0/29");
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
