//! Networks that are only a configuration, which others are made from, in Docker's words.

use crate::{Error, Network, NewNetwork, NewRange, Result};

impl NewNetwork {
    /// Takes over what the network says that it is to be configured from.
    ///
    /// # Errors
    /// [`Error::Configuration`] for what does not go together, [`Error::NoConfiguration`].
    pub(crate) fn configured(self, others: &[Network]) -> Result<Self> {
        let refuse = |why| Err(Error::Configuration { why });
        if self.config_only && (self.internal || self.attachable) {
            return refuse(
                "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | \
                 attachable | scope ] are not supported.",
            );
        }
        if self.config_from.is_empty() {
            return Ok(self);
        }
        if self.config_only {
            return refuse("a configuration network cannot depend on another configuration network");
        }
        let given = !matches!(self.ipam_driver.as_str(), "" | "default")
            || self.enable_ipv6 == Some(true)
            || !(self.labels.is_empty() && self.ipam_options.is_empty() && self.ranges.is_empty());
        if given {
            return refuse(
                "user specified configurations are not supported if the network depends on a configuration network",
            );
        }
        if !self.options.is_empty() {
            return refuse(
                "network driver options are not supported if the network depends on a configuration network",
            );
        }
        let named = others.iter().find(|other| other.config_only && other.name == self.config_from);
        let from = named.ok_or_else(|| Error::NoConfiguration { network: self.config_from.clone() })?;
        Ok(Self {
            enable_ipv4: Some(from.enable_ipv4),
            enable_ipv6: Some(from.enable_ipv6),
            ipam_options: from.ipam.options.clone(),
            ranges: from.ipam.config.iter().map(NewRange::from).collect(),
            options: from.options.clone(),
            labels: from.labels.clone(),
            ..self
        })
    }
}

impl From<&crate::IpamConfig> for NewRange {
    fn from(range: &crate::IpamConfig) -> Self {
        Self {
            subnet: range.subnet,
            ip_range: range.ip_range,
            gateway: range.gateway,
            auxiliary: range.auxiliary.clone(),
        }
    }
}

/// Refuses to remove a configuration that another network was made from.
pub(crate) fn check_unused(network: &Network, others: &[Network]) -> Result<()> {
    match network.config_only && others.iter().any(|other| other.config_from == network.name) {
        true => Err(Error::ConfigurationInUse { network: network.name.clone() }),
        false => Ok(()),
    }
}
