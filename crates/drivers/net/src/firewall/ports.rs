//! Published ports as elements of the table's maps: the number of rules is the same for none and for 60,000.

use crate::Element;
use std::net::IpAddr;

/// Ports of the host that lead to as many of a container. The addresses are of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRule {
    /// An address of the host; unspecified: all of them.
    pub host: IpAddr,
    /// The transport's number (`IPPROTO_…`).
    pub protocol: u8,
    /// The first port of the host, …
    pub first: u16,
    /// … the last.
    pub last: u16,
    /// The container's address.
    pub target: IpAddr,
    /// Its port that the first one leads to.
    pub target_port: u16,
}

impl PortRule {
    /// The map that it is in.
    pub fn map(&self) -> &'static str {
        let (v4, any, range) = (self.host.is_ipv4(), self.host.is_unspecified(), self.is_range());
        match (v4, any, range) {
            (true, true, false) => "ports4",
            (true, false, false) => "addressed_ports4",
            (true, true, true) => "ranges4",
            (true, false, true) => "addressed_ranges4",
            (false, true, false) => "ports6",
            (false, false, false) => "addressed_ports6",
            (false, true, true) => "ranges6",
            (false, false, true) => "addressed_ranges6",
        }
    }

    /// Whether it is one element: ports that keep their numbers. The kernel's maps can't add.
    fn is_range(&self) -> bool {
        self.first != self.last && self.first == self.target_port
    }

    /// Its elements: one, or one a port where the numbers differ.
    pub fn elements(&self) -> Vec<Element> {
        let mut base = Element::new();
        if !self.host.is_unspecified() {
            base = base.key(&octets(self.host));
        }
        let base = base.key(&[self.protocol]);
        if self.is_range() {
            let element = base.range(&self.first.to_be_bytes(), &self.last.to_be_bytes());
            return vec![element.value(&octets(self.target))];
        }
        let pairs = (self.first..=self.last).zip(self.target_port..);
        let element = |(host, target): (u16, u16)| {
            let element = base.clone().key(&host.to_be_bytes());
            element.value(&octets(self.target)).value(&target.to_be_bytes())
        };
        pairs.map(element).collect()
    }

    /// The same in nft's words.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> + use<> {
        let Self { host, protocol, first, last, target, target_port } = *self;
        let key = if host.is_unspecified() { protocol.to_string() } else { format!("{host} . {protocol}") };
        let range = self.is_range();
        let pairs = (first..=last).zip(target_port..).take(if range { 1 } else { usize::MAX });
        pairs.map(move |(port, to)| match range {
            true => format!("{key} . {first}-{last} : {target}"),
            false => format!("{key} . {port} : {target} . {to}"),
        })
    }
}

/// The maps of [`PortRule::map`] and their types.
pub(super) const MAPS: [(&str, &str); 8] = [
    ("addressed_ports4", "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;"),
    ("ports4", "type inet_proto . inet_service : ipv4_addr . inet_service;"),
    ("addressed_ranges4", "type ipv4_addr . inet_proto . inet_service : ipv4_addr; flags interval;"),
    ("ranges4", "type inet_proto . inet_service : ipv4_addr; flags interval;"),
    ("addressed_ports6", "type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service;"),
    ("ports6", "type inet_proto . inet_service : ipv6_addr . inet_service;"),
    ("addressed_ranges6", "type ipv6_addr . inet_proto . inet_service : ipv6_addr; flags interval;"),
    ("ranges6", "type inet_proto . inet_service : ipv6_addr; flags interval;"),
];

/// What is done with packets to published ports. One port comes before a range, one address before all. What the host's input chains
/// deny (see `guard`) is left to them.
///
/// Loopback is for the host alone: who is on the wire may write 127.0.0.1 on a packet, and address translation comes before
/// the kernel's check. What the host itself sends to ::1 is left to whoever listens there: the kernel sends nothing from that address to
/// another device.
pub(super) const CHAINS: &str = "\
\tchain published {
\t\tmeta mark and 0x20000000 == 0x20000000 return
\t\tdnat ip to ip daddr . meta l4proto . th dport map @addressed_ports4
\t\tdnat ip to meta l4proto . th dport map @ports4
\t\tdnat ip to ip daddr . meta l4proto . th dport map @addressed_ranges4
\t\tdnat ip to meta l4proto . th dport map @ranges4
\t\tdnat ip6 to ip6 daddr . meta l4proto . th dport map @addressed_ports6
\t\tdnat ip6 to meta l4proto . th dport map @ports6
\t\tdnat ip6 to ip6 daddr . meta l4proto . th dport map @addressed_ranges6
\t\tdnat ip6 to meta l4proto . th dport map @ranges6
\t}
\tchain prerouting {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\tip daddr 127.0.0.0/8 return
\t\tip6 daddr ::1 return
\t\tiifname @bridges meta l4proto { tcp, udp } th dport 53 fib daddr . iif type local return
\t\tfib daddr type local goto published
\t}
\tchain judged {
\t\ttype filter hook prerouting priority dstnat + 1; policy accept;
\t\tmeta mark and 0x20000000 == 0x20000000 meta mark set meta mark and 0xdfffffff
\t}
\tchain output {
\t\ttype nat hook output priority -100; policy accept;
\t\tip6 daddr ::1 return
\t\tfib daddr type local goto published
\t}
\tchain from_containers {
\t\ttype filter hook prerouting priority raw; policy accept;
\t\tiifname @bridges ip daddr 127.0.0.0/8 drop
\t}
";

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(host: &str, first: u16, last: u16, target_port: u16) -> PortRule {
        let target = if host.contains(':') { "fd00::2" } else { "10.0.0.2" };
        let (host, target) = (host.parse().unwrap(), target.parse().unwrap());
        PortRule { host, protocol: 6, first, last, target, target_port }
    }

    #[test]
    fn a_port_is_an_element_and_so_is_a_range_that_keeps_its_numbers() {
        for (rule, map, count, text) in [
            (rule("0.0.0.0", 80, 80, 8080), "ports4", 1, "6 . 80 : 10.0.0.2 . 8080"),
            (rule("192.0.2.1", 80, 80, 80), "addressed_ports4", 1, "192.0.2.1 . 6 . 80 : 10.0.0.2 . 80"),
            (rule("::", 80, 80, 80), "ports6", 1, "6 . 80 : fd00::2 . 80"),
            (rule("0.0.0.0", 1000, 60_999, 1000), "ranges4", 1, "6 . 1000-60999 : 10.0.0.2"),
            (rule("::1", 1000, 60_999, 1000), "addressed_ranges6", 1, "::1 . 6 . 1000-60999 : fd00::2"),
            (rule("0.0.0.0", 1000, 1099, 2000), "ports4", 100, "6 . 1000 : 10.0.0.2 . 2000"),
        ] {
            assert_eq!((rule.map(), rule.elements().len()), (map, count), "{rule:?}");
            assert_eq!(rule.texts().next().unwrap(), text);
            assert_eq!(rule.texts().count(), count);
        }
        let shifted = rule("0.0.0.0", 1000, 1099, 2000).elements().pop().unwrap();
        assert_eq!(shifted.key, [6, 0, 0, 0, 4, 75, 0, 0]);
        assert_eq!(shifted.value.unwrap(), [10, 0, 0, 2, 8, 51, 0, 0]);
    }
}
