//! Ports as texts: `80`, `80/tcp`, and the host's side of a binding, `8080` or `8000-8010`.

use super::Binding;
use errors::{Class, Classified};
use spec::{ExposedPort, PortBinding, PortProtocol, PortRange};

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

/// `80` or `80/udp`.
pub(super) fn port(text: &str) -> Result<ExposedPort, PortError> {
    let (number, protocol) = split(text)?;
    let port = number.parse().ok().filter(|port| *port != 0);
    Ok(ExposedPort { port: port.ok_or_else(|| invalid(text))?, protocol })
}

/// As [`port`], or `8000-8010/tcp`.
pub(super) fn port_range(text: &str) -> Result<PortRange, PortError> {
    let (number, protocol) = split(text)?;
    let (Some(first), last) = numbers(number).map_err(|_| invalid(text))? else { return Err(invalid(text)) };
    Ok(PortRange { protocol, first, last: last.unwrap_or(first) })
}

/// What leads to a port of the container.
pub(super) fn binding(container: ExposedPort, binding: &Binding<'_>) -> Result<PortBinding, PortError> {
    let host_ip = match binding.host_ip.trim_matches(['[', ']']) {
        "" => None,
        text => {
            let bad = || PortError::Address { text: binding.host_ip.clone().into_owned() };
            Some(text.parse().map_err(|_| bad())?)
        }
    };
    let (first, last) = numbers(&binding.host_port)?;
    Ok(PortBinding {
        container: container.into(),
        host_ip,
        host_port: first,
        host_port_end: last.filter(|last| Some(*last) != first),
    })
}

fn split(text: &str) -> Result<(&str, PortProtocol), PortError> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let known = [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Sctp];
    let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(protocol));
    Ok((number, found.ok_or_else(|| PortError::Protocol { protocol: protocol.to_owned() })?))
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
