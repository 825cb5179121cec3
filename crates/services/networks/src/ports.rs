//! Ports of the host for containers: what is asked for, and how a free one is found.

use crate::{Endpoint, Error, Published, Result};
use spec::{PortBinding, PortProtocol};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

/// What a client asks for, neighbours put together: what it asks for twice can have kept them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// None: every address that the container can be reached by.
    host: Option<IpAddr>,
    protocol: PortProtocol,
    container: RangeInclusive<u16>,
    /// The first port for the first of the container's; none: a free one.
    first: Option<u16>,
    /// The last of those to choose from, where one port has a choice.
    choice: Option<u16>,
}

/// Sorts what a client asks for.
pub(crate) fn wanted(bindings: &[PortBinding]) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = bindings.iter().map(one).collect();
    all.sort_by_key(|one| (one.host, one.protocol, *one.container.start(), one.first));
    all.dedup();
    let mut joined: Vec<Wanted> = Vec::new();
    for next in all {
        match joined.last_mut() {
            Some(last) if last.goes_on_with(&next) => {
                last.container = *last.container.start()..=*next.container.end()
            }
            _ => joined.push(next),
        }
    }
    joined
}

fn one(binding: &PortBinding) -> Wanted {
    let ports = binding.container;
    Wanted {
        host: binding.host_ip,
        protocol: ports.protocol,
        container: ports.first..=ports.last,
        first: binding.host_port.filter(|port| *port != 0),
        choice: binding.host_port_end.filter(|end| Some(*end) != binding.host_port),
    }
}

impl Wanted {
    fn goes_on_with(&self, next: &Self) -> bool {
        let length = self.container.end() - self.container.start();
        let Some((first, other)) = self.first.zip(next.first) else { return false };
        (self.host, self.protocol, self.choice, next.choice) == (next.host, next.protocol, None, None)
            && self.container.end().checked_add(1) == Some(*next.container.start())
            && first.checked_add(length).and_then(|last| last.checked_add(1)) == Some(other)
    }

    /// The host's addresses that it is published at: of the families that the container has.
    fn hosts(&self, endpoint: &Endpoint, usual: Option<IpAddr>) -> Result<Vec<IpAddr>> {
        let any = [
            endpoint.ipv4.map(|_| IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            endpoint.ipv6.map(|_| IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        ];
        match self.host.or(usual) {
            None => Ok(any.into_iter().flatten().collect()),
            Some(host) => {
                let family = if host.is_ipv4() { endpoint.ipv4 } else { endpoint.ipv6 };
                if family.is_none() {
                    return Err(Error::NoFamilyFor { host, network: endpoint.network.clone() });
                }
                Ok(vec![host])
            }
        }
    }

    /// The ports that it has already, where they are of those to choose from.
    fn again(
        &self,
        present: &[Published],
        choice: Option<(u16, u16)>,
        hosts: &[IpAddr],
    ) -> Option<Vec<Published>> {
        let mut same =
            present.iter().filter(|one| hosts.contains(&one.host) && one.protocol == self.protocol);
        let first = same.find_map(|one| one.host_port(*self.container.start()))?;
        if choice.is_some_and(|(lowest, highest)| !(lowest..=highest).contains(&first)) {
            return None;
        }
        self.at(first, hosts)
    }

    /// The ports from `first` on, the same of every address.
    fn at(&self, first: u16, hosts: &[IpAddr]) -> Option<Vec<Published>> {
        let (container, protocol) = (*self.container.start(), self.protocol);
        let last = first.checked_add(self.container.end() - container)?;
        Some(hosts.iter().map(|host| Published { host: *host, protocol, first, last, container }).collect())
    }
}

/// Whether published ports are those that are asked for: no fewer, no others.
pub(crate) fn are_met_by(wanted: &[Wanted], published: &[Published]) -> bool {
    let mut led: BTreeMap<(PortProtocol, u16), Vec<(u16, IpAddr)>> = BTreeMap::new();
    for one in published {
        for (container, host) in one.container_ports().zip(one.first..=one.last) {
            led.entry((one.protocol, container)).or_default().push((host, one.host));
        }
    }
    let mut asked: BTreeMap<(PortProtocol, u16), Vec<&Wanted>> = BTreeMap::new();
    for one in wanted {
        for container in one.container.clone() {
            asked.entry((one.protocol, container)).or_default().push(one);
        }
    }
    let meets = |one: &Wanted, container: u16, (host, at): &(u16, IpAddr)| {
        let first = one.first.map(|first| first.saturating_add(container - one.container.start()));
        let hosts = first.map(|first| first..=one.choice.unwrap_or(first));
        hosts.is_none_or(|hosts| hosts.contains(host)) && one.host.is_none_or(|wanted| wanted == *at)
    };
    led.len() == asked.len()
        && asked.iter().zip(&led).all(|((port, asked), (same, led))| {
            let meets = |one: &Wanted, led: &(u16, IpAddr)| meets(one, port.1, led);
            port == same
                && asked.iter().all(|one| led.iter().any(|led| meets(one, led)))
                && led.iter().all(|led| asked.iter().any(|one| meets(one, led)))
        })
}

/// Says who has one of these ports, in words.
pub(crate) type Holder<'a> = &'a dyn Fn(&Published) -> Result<Option<String>>;

/// Finds ports for containers.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    /// Where the search for a free one goes on: a port rests before somebody else gets it.
    next: u16,
}

impl Ports {
    /// Finds ports for what a client asks. `usual` is the host's address where it names none; `present` are those that it has now,
    /// which it keeps where it is given any.
    ///
    /// # Errors
    /// [`Error::PortTaken`], [`Error::NoPortLeft`], [`Error::NoFamilyFor`]; the holder's.
    pub(crate) fn find(
        &mut self,
        endpoint: &Endpoint,
        wanted: &[Wanted],
        usual: Option<IpAddr>,
        present: &[Published],
        holder: Holder<'_>,
    ) -> Result<Vec<Published>> {
        let mut found: Vec<Published> = Vec::new();
        // Those first that leave no choice.
        let (fixed, free): (Vec<_>, Vec<_>) =
            wanted.iter().partition(|one| one.first.is_some() && one.choice.is_none());
        for one in fixed.into_iter().chain(free) {
            let hosts = one.hosts(endpoint, usual)?;
            let taken = |published: &[Published]| -> Result<Option<(Published, String)>> {
                for port in published {
                    if found.iter().any(|other| other.collides(port)) {
                        return Ok(Some((*port, "this container itself".to_owned())));
                    }
                    if present.iter().any(|own| port.is_part_of(own)) {
                        continue;
                    }
                    if let Some(by) = holder(port)? {
                        return Ok(Some((*port, by)));
                    }
                }
                Ok(None)
            };
            let next = match (one.first, one.choice) {
                (Some(first), None) => exactly(one, first, &hosts, &taken)?,
                (first, last) => match one.again(present, first.zip(last), &hosts) {
                    Some(again) if taken(&again)?.is_none() => again,
                    _ => match first.zip(last) {
                        Some((first, last)) => search(one, first..=last, &hosts, &taken)?,
                        None => self.anywhere(one, &hosts, &taken)?,
                    },
                },
            };
            found.extend(next);
        }
        Ok(found)
    }

    /// One of those that nobody chooses, from where the last search ended.
    fn anywhere(&mut self, wanted: &Wanted, hosts: &[IpAddr], taken: Taken<'_>) -> Result<Vec<Published>> {
        let range = ephemeral();
        let from = self.next.clamp(*range.start(), *range.end());
        let found = match search(wanted, from..=*range.end(), hosts, taken) {
            Err(Error::NoPortLeft { .. }) => search(wanted, range, hosts, taken),
            other => other,
        }?;
        self.next = found.first().and_then(|one| one.last.checked_add(1)).unwrap_or_default();
        Ok(found)
    }
}

type Taken<'a> = &'a dyn Fn(&[Published]) -> Result<Option<(Published, String)>>;

fn exactly(wanted: &Wanted, first: u16, hosts: &[IpAddr], taken: Taken<'_>) -> Result<Vec<Published>> {
    let none = Error::NoPortLeft { first, last: u16::MAX };
    let published = wanted.at(first, hosts).ok_or(none)?;
    match taken(&published)? {
        None => Ok(published),
        Some((port, by)) => Err(Error::PortTaken { address: SocketAddr::new(port.host, port.first), by }),
    }
}

fn search(
    wanted: &Wanted,
    candidates: RangeInclusive<u16>,
    hosts: &[IpAddr],
    taken: Taken<'_>,
) -> Result<Vec<Published>> {
    let (first, last) = (*candidates.start(), *candidates.end());
    for candidate in candidates {
        if let Some(published) = wanted.at(candidate, hosts)
            && taken(&published)?.is_none()
        {
            return Ok(published);
        }
    }
    Err(Error::NoPortLeft { first, last })
}

/// The ports that the kernel gives to whom asks for none (`ip_local_port_range`).
fn ephemeral() -> RangeInclusive<u16> {
    const USUAL: RangeInclusive<u16> = 32_768..=60_999;
    let text = net::sysctl::read("ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(last)) if first <= last && first > 0 => first..=last,
        _ => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Assigned;
    use spec::ExposedPort;

    fn endpoint(ipv6: bool) -> Endpoint {
        let assigned = |text: &str| {
            Some(Assigned { address: text.parse().unwrap(), prefix: 24, gateway: None, by_device: false })
        };
        let mut endpoint = Endpoint::for_tests();
        endpoint.ipv4 = assigned("10.0.0.2");
        endpoint.ipv6 = if ipv6 { assigned("fd00::2") } else { None };
        endpoint
    }

    fn binding(container: u16, host: Option<u16>, end: Option<u16>) -> PortBinding {
        let container = ExposedPort { port: container, protocol: PortProtocol::Tcp };
        PortBinding { container: container.into(), host_ip: None, host_port: host, host_port_end: end }
    }

    fn found(bindings: &[PortBinding], taken: &[u16]) -> Result<Vec<(u16, u16, u16)>> {
        let holder = |one: &Published| {
            let by = taken.iter().find(|port| (one.first..=one.last).contains(port));
            Ok(by.map(|_| "nginx".to_owned()))
        };
        let found = Ports::default().find(&endpoint(false), &wanted(bindings), None, &[], &holder)?;
        Ok(found.into_iter().map(|one| (one.first, one.last, one.container)).collect())
    }

    #[test]
    fn neighbours_are_one_range() {
        let mut bindings: Vec<PortBinding> =
            (0..1000).map(|n| binding(80 + n, Some(8080 + n), None)).collect();
        bindings.push(binding(3000, Some(2000), None));
        bindings.reverse();
        assert_eq!(found(&bindings, &[]).unwrap(), [(8080, 9079, 80), (2000, 2000, 3000)]);
    }

    #[test]
    fn who_has_a_port_is_named_and_a_choice_is_taken() {
        let error = found(&[binding(80, Some(8080), None)], &[8080]).unwrap_err();
        assert_eq!(error.to_string(), "Bind for 0.0.0.0:8080 failed: port is already allocated by nginx");
        assert_eq!(found(&[binding(80, Some(8080), Some(8082))], &[8080]).unwrap(), [(8081, 8081, 80)]);
        let none = found(&[binding(80, Some(8080), Some(8081))], &[8080, 8081]).unwrap_err();
        assert_eq!(none.to_string(), "all ports from 8080 to 8081 are allocated");
        let twice = [binding(80, Some(8080), None), binding(81, Some(8080), None)];
        assert!(found(&twice, &[]).unwrap_err().to_string().ends_with("by this container itself"));
    }

    #[test]
    fn free_ports_rest_before_they_are_given_again() {
        let mut ports = Ports::default();
        let wanted = wanted(&[binding(80, None, None)]);
        let mut next = || ports.find(&endpoint(true), &wanted, None, &[], &|_| Ok(None)).unwrap();
        let (one, other) = (next(), next());
        assert_eq!(one.len(), 2, "both families");
        assert_eq!(one[0].first, one[1].first);
        assert_eq!(other[0].first, one[0].first + 1);
        assert!(ephemeral().contains(&one[0].first));
    }

    #[test]
    fn an_address_of_a_family_that_the_container_lacks_is_refused() {
        let mut binding = binding(80, Some(80), None);
        binding.host_ip = Some("::1".parse().unwrap());
        let error = Ports::default().find(&endpoint(false), &wanted(&[binding]), None, &[], &|_| Ok(None));
        assert!(matches!(error.unwrap_err(), Error::NoFamilyFor { .. }));
    }
}
