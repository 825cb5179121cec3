//! `--network name` and `--network name=…,alias=…,ip=…`, combined with the older single flags.

use super::{csv, hosts};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One network to connect to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) target: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) links: Vec<String>,
    pub(crate) ip: String,
    pub(crate) ip6: String,
    pub(crate) link_local_ips: Vec<String>,
    pub(crate) mac_address: String,
    pub(crate) gateway_priority: i64,
}

/// For clap.
pub(crate) fn parse(text: &str) -> Result<Attachment, String> {
    let mut attachment = Attachment::default();
    if !is_long(text) {
        text.clone_into(&mut attachment.target);
        return Ok(attachment);
    }
    for field in csv::fields(text)? {
        let lower = field.to_ascii_lowercase();
        let (key, value) = lower
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("invalid field {field}"))?;
        let value = value.trim().to_owned();
        match key.trim() {
            "name" => attachment.target = value,
            "alias" => attachment.aliases.push(value),
            "ip" => attachment.ip = value,
            "ip6" => attachment.ip6 = value,
            "mac-address" => attachment.mac_address = value,
            "link-local-ip" => attachment.link_local_ips.push(value),
            "driver-opt" => {
                let (name, value) = value
                    .split_once('=')
                    .filter(|(name, _)| !name.is_empty())
                    .ok_or("invalid key value pair format in driver options")?;
                attachment.driver_opts.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            "gw-priority" => {
                attachment.gateway_priority =
                    value.parse().map_err(|_| format!("invalid gw-priority ({value}): invalid syntax"))?;
            }
            other => return Err(format!("invalid field key {other}")),
        }
    }
    if attachment.target.is_empty() {
        return Err("network name/id is not specified".to_owned());
    }
    Ok(attachment)
}

/// Whether a `key=value` stands anywhere in it.
fn is_long(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices('=').any(|(at, _)| text[..at].ends_with(word) && text[at + 1..].starts_with(word))
}

/// Not one of the engine's own modes.
pub(crate) fn is_user_defined(mode: &str) -> bool {
    !matches!(mode, "" | "default" | "bridge" | "host" | "none" | "nat") && !mode.starts_with("container:")
}

/// The older flags, which apply to the first network.
#[derive(Debug, Default)]
pub(crate) struct Single<'f> {
    pub(crate) aliases: &'f [String],
    pub(crate) links: &'f [String],
    pub(crate) ip: &'f str,
    pub(crate) ip6: &'f str,
    pub(crate) mac_address: &'f str,
    pub(crate) link_local_ips: &'f [String],
}

impl Single<'_> {
    fn apply(&self, to: &mut Attachment) -> Result<(), String> {
        let conflicts = [
            (to.aliases.is_empty(), self.aliases.is_empty(), "--network-alias and per-network alias"),
            (to.links.is_empty(), self.links.is_empty(), "--link and per-network links"),
            (to.ip.is_empty(), self.ip.is_empty(), "--ip and per-network IPv4 address"),
            (to.ip6.is_empty(), self.ip6.is_empty(), "--ip6 and per-network IPv6 address"),
            (
                to.mac_address.is_empty(),
                self.mac_address.is_empty(),
                "--mac-address and per-network MAC address",
            ),
            (
                to.link_local_ips.is_empty(),
                self.link_local_ips.is_empty(),
                "--link-local-ip and per-network link-local IP addresses",
            ),
        ];
        if let Some((.., what)) = conflicts.iter().find(|(long, short, _)| !long && !short) {
            return Err(format!("conflicting options: cannot specify both {what}"));
        }
        let list = |target: &mut Vec<String>, source: &[String]| {
            if !source.is_empty() {
                *target = source.to_vec();
            }
        };
        let text = |target: &mut String, source: &str| {
            if !source.is_empty() {
                source.clone_into(target);
            }
        };
        list(&mut to.aliases, self.aliases);
        if is_user_defined(&to.target) {
            list(&mut to.links, self.links);
        }
        list(&mut to.link_local_ips, self.link_local_ips);
        text(&mut to.ip, self.ip);
        text(&mut to.ip6, self.ip6);
        text(&mut to.mac_address, self.mac_address);
        Ok(())
    }
}

/// The `EndpointsConfig` of a create request.
pub(crate) fn endpoints(networks: &[Attachment], single: &Single<'_>) -> Result<Map<String, Value>, String> {
    let mut endpoints = Map::new();
    if networks.is_empty() {
        let mut default = Attachment { target: "default".to_owned(), ..Attachment::default() };
        single.apply(&mut default)?;
        endpoints.insert("default".to_owned(), endpoint(&default)?);
        return Ok(endpoints);
    }
    let mut named: Vec<&str> = Vec::new();
    for (index, network) in networks.iter().enumerate() {
        let mut network = network.clone();
        if index == 0 {
            single.apply(&mut network)?;
        }
        let settings = endpoint(&network)?;
        let target = &networks[index].target;
        if named.contains(&target.as_str()) {
            return Err(format!("network {target:?} is specified multiple times"));
        }
        // A single network without options goes without an endpoint: the daemon makes it.
        let bare = Attachment { target: target.clone(), ..Attachment::default() } == network;
        if networks.len() > 1 || !bare {
            named.push(target);
            endpoints.insert(target.clone(), settings);
        }
    }
    let user_defined = networks.iter().filter(|network| is_user_defined(&network.target)).count();
    if user_defined > 0 && user_defined < networks.len() {
        return Err(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
                .to_owned(),
        );
    }
    Ok(endpoints)
}

fn endpoint(network: &Attachment) -> Result<Value, String> {
    if network.target.trim().is_empty() {
        return Err("no name set for network".to_owned());
    }
    if !is_user_defined(&network.target) {
        if !network.aliases.is_empty() {
            return Err("network-scoped aliases are only supported for user-defined networks".to_owned());
        }
        if !network.links.is_empty() {
            return Err("links are only supported for user-defined networks".to_owned());
        }
    }
    if !network.mac_address.is_empty() && !hosts::is_mac(network.mac_address.trim()) {
        return Err(format!("{} is not a valid mac address", network.mac_address));
    }
    let addressed = !network.ip.is_empty() || !network.ip6.is_empty() || !network.link_local_ips.is_empty();
    let mut settings = json!({
        "Aliases": (!network.aliases.is_empty()).then_some(&network.aliases),
        "Links": (!network.links.is_empty()).then_some(&network.links),
        "DriverOpts": (!network.driver_opts.is_empty()).then_some(&network.driver_opts),
        "MacAddress": network.mac_address,
        "GwPriority": network.gateway_priority,
    });
    if addressed {
        let mut ipam = Map::new();
        for (name, address) in [("IPv4Address", &network.ip), ("IPv6Address", &network.ip6)] {
            if !address.is_empty() {
                ipam.insert(name.to_owned(), json!(address));
            }
        }
        if !network.link_local_ips.is_empty() {
            ipam.insert("LinkLocalIPs".to_owned(), json!(network.link_local_ips));
        }
        settings["IPAMConfig"] = Value::Object(ipam);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_forms() {
        assert_eq!(parse("host").unwrap().target, "host");
        let long = parse("name=n,alias=a,alias=b,ip=10.0.0.2,driver-opt=k=v,gw-priority=3").unwrap();
        assert_eq!((long.target.as_str(), long.aliases.len(), long.gateway_priority), ("n", 2, 3));
        assert_eq!(parse("alias=a").unwrap_err(), "network name/id is not specified");
        assert_eq!(parse("name=n,foo=1").unwrap_err(), "invalid field key foo");
    }

    #[test]
    fn endpoints_of_a_request() {
        let single = Single { ip: "10.0.0.9", ..Single::default() };
        let user = [parse("n").unwrap()];
        let made = endpoints(&user, &single).unwrap();
        assert_eq!(made["n"]["IPAMConfig"]["IPv4Address"], "10.0.0.9");
        assert!(endpoints(&user, &Single::default()).unwrap().is_empty());
        assert!(endpoints(&[], &Single::default()).unwrap().contains_key("default"));
        let aliases = ["x".to_owned()];
        let aliased = Single { aliases: &aliases, ..Single::default() };
        let message = "network-scoped aliases are only supported for user-defined networks";
        assert_eq!(endpoints(&[parse("host").unwrap()], &aliased).unwrap_err(), message);
        let both = [parse("n").unwrap(), parse("host").unwrap()];
        assert!(endpoints(&both, &Single::default()).unwrap_err().starts_with("conflicting options"));
        let twice = [parse("n").unwrap(), parse("n").unwrap()];
        assert!(endpoints(&twice, &Single::default()).unwrap_err().contains("specified multiple times"));
    }
}
