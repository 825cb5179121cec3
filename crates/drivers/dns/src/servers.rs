//! Servers that are asked for names from outside, and the file that lists the host's.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::OnceLock;

/// Servers, in the order in which they are asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Servers {
    /// Tells this list from others, in this process.
    pub(crate) number: u64,
    /// Their addresses.
    pub addresses: Box<[SocketAddr]>,
}

impl Servers {
    /// A list. Equal ones have answers in common.
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        static HASH: OnceLock<RandomState> = OnceLock::new();
        let number = HASH.get_or_init(RandomState::new).hash_one(&addresses);
        Self { number, addresses: addresses.into() }
    }
}

/// How many servers of a `resolv.conf` count, as in the C library.
const MOST: usize = 3;

/// The servers that a `resolv.conf(5)` lists, at port 53.
///
/// `scope` gives the number of a network device, for addresses with a zone.
pub fn read_resolv_conf(text: &str, scope: impl Fn(&str) -> Option<u32>) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        let found = words.next().and_then(|word| match word.split_once('%') {
            Some((address, zone)) => {
                let address: Ipv6Addr = address.parse().ok()?;
                Some(SocketAddrV6::new(address, 53, 0, zone.parse().ok().or_else(|| scope(zone))?).into())
            }
            None => word.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53)),
        });
        servers.extend(found.filter(|found| !servers.contains(found)));
    }
    servers.truncate(MOST);
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolv_conf_is_read_as_the_c_library_does() {
        let text = "# nameserver 9.9.9.9\nsearch a b\nnameserver 127.0.0.53\noptions edns0\nnameserver\tfe80::1%eth0\n\
                    nameserver no\nnameserver 127.0.0.53\nnameserver 2001:db8::1\nnameserver 1.1.1.1\n";
        let servers = read_resolv_conf(text, |zone| (zone == "eth0").then_some(7));
        let written: Vec<_> = servers.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["127.0.0.53:53", "[fe80::1%7]:53", "[2001:db8::1]:53"]);
    }

    #[test]
    fn equal_lists_have_answers_in_common() {
        let list = |text: &str| Servers::new(read_resolv_conf(text, |_| None));
        assert_eq!(list("nameserver 1.1.1.1").number, list("nameserver 1.1.1.1\n").number);
        assert_ne!(list("nameserver 1.1.1.1").number, list("nameserver 1.1.1.2").number);
    }
}
