//! `ExposedPorts`, `PortBindings` and `NetworkSettings.Ports`: objects whose keys are ports of the container. Clients spell out each;
//! who publishes 60,000 sends five megabytes. So they are ranges as soon as they are read, and are spelled out as they are written.

mod text;

pub(crate) use text::PortError;

use super::Empty;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use spec::{ExposedPort, PortBinding, PortSet};
use std::borrow::Cow;
use std::fmt;

/// Go's `nat.PortSet`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExposedPorts {
    ports: PortSet,
    refused: Option<PortError>,
}

/// Go's `nat.PortMap`: bindings by container port, `null` for a port without any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PortMap {
    /// The keys.
    ports: PortSet,
    /// Neighbours that are published alike are one binding, in an order from which the same is spelled out again.
    bindings: Vec<PortBinding>,
    refused: Option<PortError>,
}

/// Where a container port shows on the host.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase")]
struct Binding<'a> {
    #[serde(borrow)]
    host_ip: Cow<'a, str>,
    #[serde(borrow)]
    host_port: Cow<'a, str>,
}

impl ExposedPorts {
    /// These.
    pub(crate) fn of(ports: PortSet) -> Self {
        Self { ports, refused: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ports.is_empty() && self.refused.is_none()
    }

    /// The ports.
    ///
    /// # Errors
    /// Of the first key that is none.
    pub(crate) fn read(&self) -> Result<&PortSet, PortError> {
        self.refused.clone().map_or(Ok(&self.ports), Err)
    }
}

impl PortMap {
    /// These bindings, and `null` for each of `ports` that has none. A binding is of a range whose host ports are known, or of one port.
    pub(crate) fn of(ports: PortSet, bindings: Vec<PortBinding>) -> Self {
        Self { ports, bindings, refused: None }
    }

    /// These, and no key of a port without any.
    pub(crate) fn of_bindings(bindings: Vec<PortBinding>) -> Self {
        Self::of(bindings.iter().map(|binding| binding.container).collect(), bindings)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ports.is_empty() && self.refused.is_none()
    }

    /// All ports with a key, and the bindings.
    ///
    /// # Errors
    /// Of the first text that is no port or no address.
    pub(crate) fn read(&self) -> Result<(&PortSet, &[PortBinding]), PortError> {
        self.refused.clone().map_or(Ok((&self.ports, &self.bindings)), Err)
    }
}

impl<'de> Deserialize<'de> for ExposedPorts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = ExposedPorts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of ports")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut ranges, mut refused) = (Vec::new(), None);
                while let Some((key, Empty {})) = map.next_entry::<Cow<'de, str>, _>()? {
                    match text::port_range(&key) {
                        Ok(range) => ranges.push(range),
                        Err(error) => refused = refused.or(Some(error)),
                    }
                }
                Ok(ExposedPorts { ports: ranges.into(), refused })
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for PortMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = PortMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of ports with lists of bindings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut ports, mut bindings, mut refused) = (Vec::new(), Vec::new(), None);
                while let Some((key, list)) = map.next_entry::<Cow<'de, str>, Option<Vec<Binding<'de>>>>()? {
                    let read = text::port(&key).and_then(|port| {
                        ports.push(port);
                        list.iter().flatten().try_for_each(|binding| {
                            bindings.push(text::binding(port, binding)?);
                            Ok(())
                        })
                    });
                    refused = refused.or_else(|| read.err());
                }
                Ok(PortMap { ports: ports.into_iter().collect(), bindings: put_together(bindings), refused })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Makes ranges of ports whose lists say the same of one after the other.
fn put_together(mut bindings: Vec<PortBinding>) -> Vec<PortBinding> {
    let port = |one: &PortBinding| (one.container.protocol, one.container.first);
    bindings.sort_by_key(port);
    let mut together: Vec<PortBinding> = Vec::new();
    // Where the bindings of the port before begin.
    let mut before = 0;
    for list in bindings.chunk_by(|one, next| port(one) == port(next)) {
        let last = &mut together[before..];
        if last.len() == list.len() && last.iter().zip(list).all(|(last, next)| last.goes_on_with(next)) {
            last.iter_mut().zip(list).for_each(|(last, next)| last.container.last = next.container.last);
        } else {
            before = together.len();
            together.extend_from_slice(list);
        }
    }
    together.shrink_to_fit();
    together
}

impl Serialize for ExposedPorts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys: Vec<Key> = self.ports.iter().map(Key::of).collect();
        keys.sort_unstable();
        serializer.collect_map(keys.iter().map(|key| (key.as_str(), Empty {})))
    }
}

impl Serialize for PortMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows: Vec<(Key, Option<&PortBinding>)> = Vec::new();
        for binding in &self.bindings {
            rows.extend(binding.container.ports().map(|port| (Key::of(port), Some(binding))));
        }
        rows.extend(self.ports.iter().map(|port| (Key::of(port), None)));
        // Stable, and so are the bindings of a port; what stands for its key alone comes last.
        rows.sort_by_key(|(key, _)| *key);
        let mut map = serializer.serialize_map(None)?;
        for rows in rows.chunk_by(|one, next| one.0 == next.0) {
            let Some((key, _)) = rows.first() else { continue };
            let bindings: Vec<Binding<'_>> =
                rows.iter().filter_map(|(_, binding)| Some(spelled_out((*binding)?, key.port))).collect();
            map.serialize_entry(key.as_str(), &Some(bindings).filter(|bindings| !bindings.is_empty()))?;
        }
        map.end()
    }
}

fn spelled_out(binding: &PortBinding, container: ExposedPort) -> Binding<'static> {
    let host_port = match (binding.host_port_for(container.port), binding.host_port_end) {
        (Some(first), Some(last)) => format!("{first}-{last}").into(),
        (Some(port), None) => port.to_string().into(),
        (None, _) => Cow::Borrowed(""),
    };
    Binding { host_ip: binding.host_ip.map(|host| host.to_string().into()).unwrap_or_default(), host_port }
}

/// A port's text, `80/tcp`, which is what keys are sorted by, without a place of its own on the heap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Zeros behind its end, so that it sorts as the text does.
    text: [u8; Self::LONGEST],
    port: ExposedPort,
}

impl Key {
    /// Of `65535/sctp`.
    const LONGEST: usize = 10;

    fn of(port: ExposedPort) -> Self {
        use std::io::Write;
        let mut text = [0; Self::LONGEST];
        // It always has room.
        let _ = write!(&mut text[..], "{}/{}", port.port, port.protocol.as_str());
        Self { text, port }
    }

    fn as_str(&self) -> &str {
        let end = self.text.iter().position(|byte| *byte == 0).unwrap_or(self.text.len());
        std::str::from_utf8(&self.text[..end]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn ports_are_ranges_and_are_written_in_the_order_of_their_texts() {
        let text = r#"{"10000/tcp":{},"1000/tcp":{},"1001/tcp":{},"53/udp":{},"8000-8001":{}}"#;
        let ports: ExposedPorts = serde_json::from_str(text).unwrap();
        assert_eq!(ports.read().unwrap().ranges().len(), 4);
        let written =
            r#"{"1000/tcp":{},"10000/tcp":{},"1001/tcp":{},"53/udp":{},"8000/tcp":{},"8001/tcp":{}}"#;
        assert_eq!(serde_json::to_string(&ports).unwrap(), written);
        let longest = ExposedPort { port: u16::MAX, protocol: spec::PortProtocol::Sctp };
        assert_eq!(Key::of(longest).as_str(), "65535/sctp");
    }

    #[test]
    fn bindings_come_out_as_they_went_in() {
        let host = |ip: &str, port: &str| json!({"HostIp": ip, "HostPort": port});
        let value = json!({
            "443/tcp": [host("", "8443")],
            "53/tcp": [host("127.0.0.1", "53"), host("::1", "53")],
            "54/tcp": [host("127.0.0.1", "54"), host("::1", "54")],
            "80/tcp": [host("", "8000-8010")],
            "81/tcp": [host("", "")],
            "82/tcp": null,
        });
        let map: PortMap = serde_json::from_value(value.clone()).unwrap();
        let (ports, bindings) = map.read().unwrap();
        assert_eq!((ports.ranges().len(), bindings.len()), (3, 5), "{bindings:?}");
        assert_eq!(serde_json::to_value(&map).unwrap(), value);
    }

    #[test]
    fn the_first_text_that_is_none_is_named() {
        let refused = |value: Value| serde_json::from_value::<PortMap>(value).unwrap().read().unwrap_err();
        let bad = refused(json!({"80": [{"HostPort": "x"}], "a": []}));
        assert_eq!(bad, PortError::Port { text: "x".into() });
        let bad = refused(json!({"80": [{"HostIp": "nowhere"}]}));
        assert_eq!(bad, PortError::Address { text: "nowhere".into() });
        let map: PortMap = serde_json::from_value(json!({"80/x": null})).unwrap();
        assert!(!map.is_empty() && map.read().is_err());
    }
}
