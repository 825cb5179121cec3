//! What plugins say that they did (section 5, "Success").

use crate::{Error, Result};
use ipnet::IpNet;
use serde_json::Value;
use std::net::IpAddr;

/// An address that a container was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// With the length of its subnet's prefix.
    pub address: IpNet,
    /// Its subnet's way out.
    pub gateway: Option<IpAddr>,
}

/// A default route that a container was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRoute {
    /// Its family.
    pub v4: bool,
    /// Where it leads; none: to whom it may concern, on the device.
    pub gateway: Option<IpAddr>,
}

/// What a container asks for names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Servers.
    pub servers: Vec<IpAddr>,
    /// Domains that are searched.
    pub search: Vec<String>,
}

/// An attachment as plugins made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Addresses in the container.
    pub addresses: Vec<Address>,
    /// The device's Ethernet address in the container.
    pub mac: Option<String>,
    /// The default routes that were made.
    pub defaults: Vec<DefaultRoute>,
    /// Of the network.
    pub names: Names,
    /// All of it, as the detaching wants it.
    pub raw: Value,
}

impl Attached {
    pub(crate) fn read(network: &str, raw: Value) -> Result<Self> {
        let interfaces = list(&raw["interfaces"]);
        let inside = |one: &Value| one["sandbox"].as_str().is_some_and(|text| !text.is_empty());
        let mut addresses = Vec::new();
        for ip in list(&raw["ips"]) {
            let index = ip["interface"].as_u64().and_then(|index| usize::try_from(index).ok());
            if index.is_none_or(|index| interfaces.get(index).is_some_and(inside)) {
                addresses.push(address(network, &ip["address"], &ip["gateway"])?);
            }
        }
        // Before version 0.3.0.
        let old = ["ip4", "ip6"].map(|family| &raw[family]);
        for ip in old.into_iter().filter(|ip| ip.is_object()) {
            addresses.push(address(network, &ip["ip"], &ip["gateway"])?);
        }
        let own = interfaces.iter().find(|one| inside(one));
        let mac = own.and_then(|own| own["mac"].as_str()).map(str::to_owned);
        let routes = old.into_iter().chain([&raw]).flat_map(|part| list(&part["routes"]));
        let defaults = routes.filter_map(|route| default_route(route, &addresses)).collect();
        let names = Names {
            servers: texts(&raw["dns"]["nameservers"]).filter_map(|text| text.parse().ok()).collect(),
            search: texts(&raw["dns"]["search"]).map(str::to_owned).collect(),
        };
        Ok(Self { addresses, mac, defaults, names, raw })
    }
}

fn address(network: &str, address: &Value, gateway: &Value) -> Result<Address> {
    let bad = |text: &str| Error::BadResult {
        network: network.to_owned(),
        why: format!("{text:?} is not an address"),
    };
    let text = address.as_str().unwrap_or_default();
    let address = text.parse().map_err(|_| bad(text))?;
    let gateway = gateway.as_str().filter(|text| !text.is_empty());
    let gateway = gateway.map(|text| text.parse().map_err(|_| bad(text))).transpose()?;
    Ok(Address { address, gateway })
}

/// What a route says if it is a default one: without a gateway of its own it leads to that of the family's first address.
fn default_route(route: &Value, addresses: &[Address]) -> Option<DefaultRoute> {
    let v4 = match route["dst"].as_str()? {
        "0.0.0.0/0" => true,
        "::/0" => false,
        _ => return None,
    };
    let own = route["gw"].as_str().and_then(|text| text.parse().ok());
    let first = addresses.iter().find(|one| one.address.addr().is_ipv4() == v4);
    Some(DefaultRoute { v4, gateway: own.or_else(|| first?.gateway) })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_in_the_container_is_read() {
        let raw = json!({
            "interfaces": [
                {"name": "br0", "mac": "aa:00:00:00:00:01"},
                {"name": "eth0", "mac": "aa:00:00:00:00:02", "sandbox": "/x"},
            ],
            "ips": [
                {"address": "10.1.0.5/24", "gateway": "10.1.0.1", "interface": 1},
                {"address": "10.9.0.1/24", "interface": 0},
            ],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dns": {"nameservers": ["10.1.0.1", "nonsense"], "search": ["lan"]},
        });
        let read = Attached::read("n", raw).unwrap();
        assert_eq!(read.addresses.len(), 1);
        assert_eq!(read.addresses[0].address.to_string(), "10.1.0.5/24");
        assert_eq!(read.mac.as_deref(), Some("aa:00:00:00:00:02"));
        let gateway = Some("10.1.0.1".parse().unwrap());
        assert_eq!(read.defaults, [DefaultRoute { v4: true, gateway }]);
        assert_eq!(read.names.servers.len(), 1);
        let error = Attached::read("n", json!({"ips": [{"address": "x"}]})).unwrap_err();
        assert!(error.to_string().ends_with("\"x\" is not an address"));
    }

    #[test]
    fn results_of_the_first_versions_are_read_too() {
        let raw = json!({
            "cniVersion": "0.2.0",
            "ip4": {"ip": "10.1.0.5/24", "gateway": "10.1.0.1", "routes": [{"dst": "10.9.0.0/16"}]},
            "ip6": {"ip": "fd00::5/64", "routes": [{"dst": "::/0"}]},
        });
        let read = Attached::read("n", raw).unwrap();
        assert_eq!(read.addresses[0].gateway, Some("10.1.0.1".parse().unwrap()));
        assert_eq!(read.addresses[1].address.to_string(), "fd00::5/64");
        assert_eq!(read.defaults, [DefaultRoute { v4: false, gateway: None }]);
    }
}
