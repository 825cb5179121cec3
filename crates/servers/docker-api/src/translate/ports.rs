//! Ports: `80`, `80/tcp`, and the host's side of a binding, `8080` or `8000-8010`.

use crate::wire::Set;
use crate::wire::host_config::{PortBinding as WireBinding, PortMap};
use errors::{Class, Classified};
use spec::{ExposedPort, PortBinding, PortProtocol, PortRange, PortSet};

/// A text that is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PortError {
    /// Neither a port nor a range of ports.
    #[error("invalid port specification: {text:?}")]
    Port { text: String },
    /// Neither tcp nor udp nor sctp.
    #[error("invalid proto: {protocol}")]
    Protocol { protocol: String },
    /// Not an address of the host.
    #[error("invalid IP address: {text}")]
    Address { text: String },
}

impl Classified for PortError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Exposed ports, those with bindings included.
pub(super) fn exposed(ports: &Set, bindings: &PortMap) -> Result<PortSet, PortError> {
    let ranges = ports.keys().map(|text| port_range(text));
    ranges.chain(bindings.keys().map(|text| Ok(port(text)?.into()))).collect()
}

/// Published ports. Neighbours that are published alike become one binding, in an order from which [`wire_bindings`] says again
/// what was asked for.
pub(crate) fn published(bindings: &PortMap) -> Result<Vec<PortBinding>, PortError> {
    let by_text = bindings.iter().map(|(text, list)| Ok((port(text)?, list)));
    let mut by_port: Vec<_> = by_text.collect::<Result<_, PortError>>()?;
    by_port.sort_by_key(|(port, _)| (port.protocol, port.port));
    let mut published: Vec<PortBinding> = Vec::new();
    // Where the bindings of the port before begin.
    let mut before = 0;
    for (container, list) in by_port {
        let next = list.iter().flatten().map(|binding| one(container, binding));
        let next: Vec<PortBinding> = next.collect::<Result<_, PortError>>()?;
        let last = &mut published[before..];
        if last.len() == next.len() && last.iter().zip(&next).all(|(last, next)| last.goes_on_with(next)) {
            last.iter_mut().for_each(|binding| binding.container.last = container.port);
        } else {
            before = published.len();
            published.extend(next);
        }
    }
    published.shrink_to_fit();
    Ok(published)
}

fn one(container: ExposedPort, binding: &WireBinding) -> Result<PortBinding, PortError> {
    let host_ip = binding.host_ip.trim_matches(['[', ']']);
    if !host_ip.is_empty() && host_ip.parse::<std::net::IpAddr>().is_err() {
        return Err(PortError::Address { text: binding.host_ip.clone() });
    }
    let (first, last) = numbers(&binding.host_port)?;
    Ok(PortBinding {
        container: container.into(),
        host_ip: host_ip.to_owned(),
        host_port: first,
        host_port_end: last.filter(|last| Some(*last) != first),
    })
}

/// `80` or `80/udp`.
fn port(text: &str) -> Result<ExposedPort, PortError> {
    let (number, protocol) = split(text)?;
    let port = number.parse().ok().filter(|port| *port != 0);
    Ok(ExposedPort { port: port.ok_or_else(|| invalid(text))?, protocol })
}

/// As [`port`], or `8000-8010/tcp`.
fn port_range(text: &str) -> Result<PortRange, PortError> {
    let (number, protocol) = split(text)?;
    let (Some(first), last) = numbers(number).map_err(|_| invalid(text))? else { return Err(invalid(text)) };
    Ok(PortRange { protocol, first, last: last.unwrap_or(first) })
}

fn split(text: &str) -> Result<(&str, PortProtocol), PortError> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => PortProtocol::Tcp,
        "udp" => PortProtocol::Udp,
        "sctp" => PortProtocol::Sctp,
        _ => return Err(PortError::Protocol { protocol: protocol.to_owned() }),
    };
    Ok((number, protocol))
}

/// Empty or `0`: any; `8080`; `8000-8010`.
fn numbers(text: &str) -> Result<(Option<u16>, Option<u16>), PortError> {
    if matches!(text, "" | "0") {
        return Ok((None, None));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if first != 0 && first <= last => Ok((Some(first), Some(last))),
        _ => Err(invalid(text)),
    }
}

fn invalid(text: &str) -> PortError {
    PortError::Port { text: text.to_owned() }
}

/// `80/tcp`.
pub(crate) fn wire_port(port: ExposedPort) -> String {
    format!("{}/{}", port.port, port.protocol.as_str())
}

/// What was asked for, spelled out.
pub(super) fn wire_bindings(published: &[PortBinding]) -> PortMap {
    let mut map = PortMap::new();
    for binding in published {
        for port in binding.container.ports() {
            let host_port = match (binding.host_port_for(port.port), binding.host_port_end) {
                (Some(first), Some(last)) => format!("{first}-{last}"),
                (Some(port), None) => port.to_string(),
                (None, _) => String::new(),
            };
            let list = map.entry(wire_port(port)).or_default().get_or_insert_default();
            list.push(WireBinding { host_ip: binding.host_ip.clone(), host_port });
        }
    }
    map
}
