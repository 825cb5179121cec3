//! Ports of a container. Neighbours are one range everywhere but on the wire: a client that publishes ten thousand ports
//! says so ten thousand times, and nobody else has to.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PortProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl PortProtocol {
    /// `tcp`, `udp` or `sctp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// A port of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExposedPort {
    /// Number.
    pub port: u16,
    /// Transport.
    pub protocol: PortProtocol,
}

impl ExposedPort {
    /// `80`, `80/tcp`, `53/udp`.
    pub fn parse(text: &str) -> Option<Self> {
        let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Sctp]
            .into_iter()
            .find(|known| known.as_str() == protocol)?;
        Some(Self { port: port.parse().ok()?, protocol })
    }
}

/// Ports of the container next to each other, of one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "StoredRange", into = "StoredRange")]
pub struct PortRange {
    /// Transport.
    pub protocol: PortProtocol,
    /// The lowest.
    pub first: u16,
    /// The highest, itself included.
    pub last: u16,
}

/// As records keep it: a port, and only of several the last one too.
#[derive(Serialize, Deserialize)]
struct StoredRange {
    port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<NonZeroU16>,
    protocol: PortProtocol,
}

impl From<StoredRange> for PortRange {
    fn from(stored: StoredRange) -> Self {
        let StoredRange { port, last, protocol } = stored;
        Self { protocol, first: port, last: last.map_or(port, NonZeroU16::get).max(port) }
    }
}

impl From<PortRange> for StoredRange {
    fn from(range: PortRange) -> Self {
        let several = range.first != range.last;
        Self {
            port: range.first,
            last: NonZeroU16::new(range.last).filter(|_| several),
            protocol: range.protocol,
        }
    }
}

impl From<ExposedPort> for PortRange {
    fn from(port: ExposedPort) -> Self {
        Self { protocol: port.protocol, first: port.port, last: port.port }
    }
}

impl PortRange {
    /// Whether the port is one of these.
    pub fn contains(&self, port: ExposedPort) -> bool {
        self.protocol == port.protocol && (self.first..=self.last).contains(&port.port)
    }

    /// One by one.
    pub fn ports(self) -> impl Iterator<Item = ExposedPort> {
        (self.first..=self.last).map(move |port| ExposedPort { port, protocol: self.protocol })
    }

    /// Whether a port of one is one of the other, or next to it.
    fn touches(&self, next: &Self) -> bool {
        self.protocol == next.protocol && u32::from(next.first) <= u32::from(self.last) + 1
    }
}

/// Ports of the container, each once, by transport and number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<PortRange>", into = "Vec<PortRange>")]
pub struct PortSet {
    /// In order, none next to another.
    ranges: Vec<PortRange>,
}

impl PortSet {
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the port is one of these.
    pub fn contains(&self, port: ExposedPort) -> bool {
        self.ranges.iter().any(|range| range.contains(port))
    }

    /// Neighbours put together.
    pub fn ranges(&self) -> &[PortRange] {
        &self.ranges
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = ExposedPort> {
        self.ranges.iter().flat_map(|range| range.ports())
    }
}

impl<T: Into<PortRange>> Extend<T> for PortSet {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        self.ranges.extend(more.into_iter().map(Into::into));
        self.ranges.sort_unstable_by_key(|range| (range.protocol, range.first));
        self.ranges.dedup_by(|next, before| {
            let joined = before.touches(next);
            if joined {
                before.last = before.last.max(next.last);
            }
            joined
        });
        // Of what a client spelled out, little is left.
        self.ranges.shrink_to_fit();
    }
}

impl<T: Into<PortRange>> FromIterator<T> for PortSet {
    fn from_iter<I: IntoIterator<Item = T>>(ports: I) -> Self {
        let mut set = Self::default();
        set.extend(ports);
        set
    }
}

impl From<Vec<PortRange>> for PortSet {
    fn from(ranges: Vec<PortRange>) -> Self {
        ranges.into_iter().collect()
    }
}

impl From<PortSet> for Vec<PortRange> {
    fn from(set: PortSet) -> Self {
        set.ranges
    }
}

/// Ports of the container published on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortBinding {
    /// The container's ports.
    pub container: PortRange,
    /// Host address; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    pub host_ip: Option<IpAddr>,
    /// The host's port for the first of them, the others follow it; none: a free one for each.
    pub host_port: Option<u16>,
    /// Of one port of the container, the last of those to choose from.
    pub host_port_end: Option<u16>,
}

/// Records of earlier versions have an empty text for none.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

impl PortBinding {
    /// The host's port that was asked for one of the container's.
    pub fn host_port_for(&self, container: u16) -> Option<u16> {
        self.host_port?.checked_add(container.checked_sub(self.container.first)?)
    }

    /// The same for each port of the container.
    pub fn one_by_one(&self) -> impl Iterator<Item = Self> {
        self.container.ports().map(|port| Self {
            host_port: self.host_port_for(port.port),
            container: port.into(),
            ..*self
        })
    }

    /// Puts those together that one binding can say.
    pub fn put_together(bindings: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for next in bindings {
            match found.last_mut().filter(|last| last.goes_on_with(&next)) {
                Some(last) => last.container.last = next.container.last,
                None => found.push(next),
            }
        }
        found
    }

    /// Whether the other publishes the container's next port in the same manner, so that one binding can say both.
    pub fn goes_on_with(&self, next: &Self) -> bool {
        let follows = u32::from(next.container.first) == u32::from(self.container.last) + 1;
        follows
            && (self.container.protocol, self.host_ip) == (next.container.protocol, next.host_ip)
            && (self.host_port_end, next.host_port_end) == (None, None)
            && next.host_port.is_some()
            && self.host_port_for(next.container.first) == next.host_port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(port: u16, protocol: PortProtocol) -> ExposedPort {
        ExposedPort { port, protocol }
    }

    #[test]
    fn neighbours_are_one_range_in_any_order() {
        use PortProtocol::{Tcp, Udp};
        let mut set: PortSet = (1000..=u16::MAX).rev().map(|number| port(number, Tcp)).collect();
        set.extend([port(80, Tcp), port(53, Udp), port(1000, Tcp), port(81, Tcp), port(82, Udp)]);
        let ranges: Vec<_> = set.ranges().iter().map(|one| (one.protocol, one.first, one.last)).collect();
        assert_eq!(ranges, [(Tcp, 80, 81), (Tcp, 1000, u16::MAX), (Udp, 53, 53), (Udp, 82, 82)]);
        assert!(set.contains(port(2000, Tcp)) && !set.contains(port(2000, Udp)));
        assert_eq!(set.iter().count(), 2 + (65_536 - 1000) + 2);
    }

    #[test]
    fn a_record_is_as_long_as_its_ranges_and_an_old_one_is_read() {
        let set: PortSet = (1..=60_000).map(|number| port(number, PortProtocol::Tcp)).collect();
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"[{"port":1,"last":60000,"protocol":"Tcp"}]"#);
        assert_eq!(serde_json::from_str::<PortSet>(&text).unwrap(), set);
        let old =
            r#"[{"port":80,"protocol":"Tcp"},{"port":79,"protocol":"Tcp"},{"port":9,"protocol":"Udp"}]"#;
        let read: PortSet = serde_json::from_str(old).unwrap();
        assert_eq!(read.ranges().len(), 2);
        let one: PortSet = [port(80, PortProtocol::Tcp)].into_iter().collect();
        assert_eq!(serde_json::to_string(&one).unwrap(), r#"[{"port":80,"protocol":"Tcp"}]"#);
    }

    #[test]
    fn only_what_follows_in_the_same_manner_goes_on() {
        let binding = |container, host, end| PortBinding {
            container: port(container, PortProtocol::Tcp).into(),
            host_ip: None,
            host_port: host,
            host_port_end: end,
        };
        let first = binding(80, Some(8080), None);
        assert!(first.goes_on_with(&binding(81, Some(8081), None)));
        for other in [
            binding(82, Some(8082), None),
            binding(81, Some(8082), None),
            binding(81, None, None),
            binding(81, Some(8081), Some(8090)),
        ] {
            assert!(!first.goes_on_with(&other), "{other:?}");
        }
        assert!(!binding(80, None, None).goes_on_with(&binding(81, None, None)));
        let elsewhere =
            PortBinding { host_ip: Some("::1".parse().unwrap()), ..binding(81, Some(8081), None) };
        assert!(!first.goes_on_with(&elsewhere));
    }
}
