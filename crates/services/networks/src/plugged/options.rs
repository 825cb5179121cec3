//! What a client says of a network whose plugins' configuration says the rest.

use super::PluggedError;
use crate::{Network, NewNetwork, Result};

const CONF: &str = "conf";

/// Refuses everything about a new network that its plugins would not hear of.
///
/// # Errors
/// [`PluggedError::NoConf`], [`PluggedError::NoOption`], [`PluggedError::NotOurs`].
pub(crate) fn check(wanted: &NewNetwork) -> Result<()> {
    if let Some(option) = wanted.options.keys().find(|option| *option != CONF) {
        return Err(PluggedError::NoOption { option: option.clone() }.into());
    }
    if wanted.options.get(CONF).is_none_or(String::is_empty) {
        return Err(PluggedError::NoConf.into());
    }
    let first = wanted.ranges.first();
    let refused = [
        (first.is_some(), first.map(|range| format!("the subnet {}", range.subnet)).unwrap_or_default()),
        (wanted.internal, "to be internal".to_owned()),
        (wanted.enable_ipv6 == Some(true), "IPv6".to_owned()),
        (wanted.enable_ipv4 == Some(false), "to be without IPv4".to_owned()),
        (!wanted.ipam_options.is_empty(), "an option of the IPAM driver".to_owned()),
    ];
    match refused.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(PluggedError::NotOurs { what }.into()),
        None => Ok(()),
    }
}

/// The name of a network's configuration.
pub(crate) fn configuration_of(network: &Network) -> &str {
    network.options.get(CONF).map(String::as_str).unwrap_or_default()
}
