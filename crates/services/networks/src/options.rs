//! Options of a bridge network, `com.docker.network.…`, as Docker reads them.

use crate::{Driver, Error, Network, Result};

const BRIDGE: &str = "com.docker.network.bridge.name";
const ICC: &str = "com.docker.network.bridge.enable_icc";
const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
const MTU: &str = "com.docker.network.driver.mtu";
/// The smallest packet that IPv4 asks a device to carry (RFC 791), and the largest that there is.
const MTU_RANGE: std::ops::RangeInclusive<u32> = 68..=65_535;
/// From here on IPv6 works (RFC 8200).
const IPV6_MTU: u32 = 1280;

/// Options of a bridge network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BridgeOptions {
    /// The device's name.
    pub(crate) bridge: String,
    /// Whether containers reach each other.
    pub(crate) icc: bool,
    /// Whether they reach the world under the host's address.
    pub(crate) masquerade: bool,
    /// None: as the host's.
    pub(crate) mtu: Option<u32>,
}

impl BridgeOptions {
    /// Those of a network. What is not known is left to others, as Docker does.
    ///
    /// # Errors
    /// [`Error::BadOption`]; a device name that the kernel does not take.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let option =
            |key: &str| network.options.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let bridge = match option(BRIDGE) {
            Some(name) => name.to_owned(),
            None => format!("br-{}", network.id.short()),
        };
        net::link::check_name(&bridge)?;
        let flag = |key: &'static str| match option(key) {
            None => Ok(true),
            Some(value) => boolean(value).ok_or_else(|| bad(key, value, "true or false")),
        };
        Ok(Self { bridge, icc: flag(ICC)?, masquerade: flag(MASQUERADE)?, mtu: mtu(network)? })
    }
}

/// The MTU that a network asks for, if it does.
pub(crate) fn mtu(network: &Network) -> Result<Option<u32>> {
    let least = if network.enable_ipv6 { IPV6_MTU } else { *MTU_RANGE.start() };
    let read = |value: &str| value.parse().ok().filter(|mtu| (least..=*MTU_RANGE.end()).contains(mtu));
    match network.options.get(MTU).map(String::as_str) {
        // Docker's words for the default.
        None | Some("" | "0") => Ok(None),
        Some(value) => Ok(Some(read(value).ok_or_else(|| {
            bad(MTU, value, if network.enable_ipv6 { "1280 to 65535 bytes" } else { "68 to 65535 bytes" })
        })?)),
    }
}

impl Network {
    /// Whether its containers reach each other.
    pub fn lets_neighbours_talk(&self) -> bool {
        self.driver != Driver::Bridge || BridgeOptions::read(self).is_ok_and(|options| options.icc)
    }

    /// Whether its containers reach the world under the host's address.
    pub fn masquerades(&self) -> bool {
        self.driver == Driver::Bridge && BridgeOptions::read(self).is_ok_and(|options| options.masquerade)
    }
}

/// What Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

pub(crate) fn bad(option: &'static str, value: &str, expected: &'static str) -> Error {
    Error::BadOption { option, value: value.to_owned(), expected }
}
