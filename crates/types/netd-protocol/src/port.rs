//! Published ports.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Ports of the host that lead to as many of a container; in a record a short text, as there may be thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Port {
    /// An address of the host; unspecified: all of its family.
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

impl Port {
    /// Whether netd carries what the host sends to these ports at `::1`, which the kernel does not translate: they are published there or at all
    /// IPv6 addresses, and not more next to each other than it listens on.
    pub fn is_carried(&self) -> bool {
        self.is_at_loopback() && self.last - self.first < Self::MOST_CARRIED
    }

    /// The same, whatever their number.
    pub fn is_at_loopback(&self) -> bool {
        let here = [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED].map(IpAddr::V6).contains(&self.host);
        here && matches!(self.protocol, Self::TCP | Self::UDP)
    }

    /// So many ports next to each other are listened on: each takes a descriptor.
    const MOST_CARRIED: u16 = 1024;
    /// `IPPROTO_TCP`.
    pub const TCP: u8 = 6;
    /// `IPPROTO_UDP`.
    pub const UDP: u8 = 17;
}

/// A text that tells of no port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPort(String);

impl fmt::Display for BadPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no published port", self.0)
    }
}

impl std::error::Error for BadPort {}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        let Port { host, protocol, first, last, target, target_port } = port;
        format!("{protocol} {host} {first} {last} {target} {target_port}")
    }
}

impl TryFrom<String> for Port {
    type Error = BadPort;

    fn try_from(text: String) -> Result<Self, BadPort> {
        read(&text).ok_or(BadPort(text))
    }
}

fn read(text: &str) -> Option<Port> {
    fn next<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> Option<T> {
        words.next()?.parse().ok()
    }
    let mut words = text.split(' ');
    let protocol = next(&mut words)?;
    let host = next(&mut words)?;
    let (first, last) = (next(&mut words)?, next(&mut words)?);
    let port =
        Port { host, protocol, first, last, target: next(&mut words)?, target_port: next(&mut words)? };
    let sound = port.first <= port.last && words.next().is_none();
    sound.then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_short_text() {
        let port = Port {
            host: "::1".parse().unwrap(),
            protocol: 6,
            first: 8080,
            last: 8081,
            target: "fd00::2".parse().unwrap(),
            target_port: 80,
        };
        let text = String::from(port);
        assert_eq!(text, "6 ::1 8080 8081 fd00::2 80");
        assert_eq!(Port::try_from(text), Ok(port));
        for bad in ["", "6 ::1 8081 8080 fd00::2 80", "6 ::1 1 1 fd00::2 80 7", "6 ::1 1 1 fd00::2 70000"] {
            assert_eq!(Port::try_from(bad.to_owned()), Err(BadPort(bad.to_owned())));
        }
    }
}
