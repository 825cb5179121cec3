//! The records of the networks that every engine has: `bridge`, `host` and `none`.

use crate::{Config, Driver, Error, Ipam, IpamConfig, Network, Result};
use ids::NetworkId;
use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::{StateStore, Transaction};

const PREFIX: &str = "networks/";

/// Where a network's record is.
pub(crate) fn key(id: &NetworkId) -> String {
    format!("{PREFIX}{id}")
}

/// Every network by its name, as the store has them.
pub(crate) async fn load(store: &dyn StateStore) -> Result<BTreeMap<String, Network>> {
    let (_, records) = store::list_as::<Network>(store, PREFIX).await?;
    Ok(records.into_iter().map(|(_, network, _)| (network.name.clone(), network)).collect())
}

/// The IPv4 subnet that the default bridge had the last time.
pub(crate) fn recorded_subnet(networks: &BTreeMap<String, Network>) -> Option<Ipv4Net> {
    networks.get("bridge")?.ipam.config.iter().find_map(|range| match range.subnet {
        IpNet::V4(subnet) => Some(subnet),
        IpNet::V6(_) => None,
    })
}

/// Adds what is missing, brings the default bridge's record to what it is now, and stores what has changed.
pub(crate) async fn reconcile(
    store: &dyn StateStore,
    mut networks: BTreeMap<String, Network>,
    config: &Config,
    ranges: &Vec<IpamConfig>,
    mtu: u32,
) -> Result<BTreeMap<String, Network>> {
    let mut bridge = present_or_new(&networks, "bridge", Driver::Bridge)?;
    bridge.enable_ipv6 = config.ipv6.is_some();
    bridge.ipam.config.clone_from(ranges);
    bridge.options = bridge_options(config, mtu);
    let wanted = [
        bridge,
        present_or_new(&networks, "host", Driver::Host)?,
        present_or_new(&networks, "none", Driver::Null)?,
    ];
    let mut changes = Transaction::new();
    for network in wanted {
        if networks.get(&network.name) != Some(&network) {
            changes = store::put_as(changes, &key(&network.id), &network)?;
            networks.insert(network.name.clone(), network);
        }
    }
    store.commit(changes).await?;
    Ok(networks)
}

fn present_or_new(networks: &BTreeMap<String, Network>, name: &str, driver: Driver) -> Result<Network> {
    if let Some(network) = networks.get(name) {
        return Ok(network.clone());
    }
    new(name, driver)
}

/// A network without options and addresses.
pub(crate) fn new(name: &str, driver: Driver) -> Result<Network> {
    Ok(Network {
        id: NetworkId::from_bytes(random()?),
        name: name.to_owned(),
        created: Timestamp::now(),
        scope: "local".to_owned(),
        driver,
        enable_ipv4: true,
        enable_ipv6: false,
        ipam: Ipam { driver: "default".to_owned(), ..Ipam::default() },
        internal: false,
        attachable: false,
        ingress: false,
        config_only: false,
        config_from: String::new(),
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
    })
}

/// As Docker's `inspect` shows them.
fn bridge_options(config: &Config, mtu: u32) -> BTreeMap<String, String> {
    let bridge = "com.docker.network.bridge";
    BTreeMap::from([
        (format!("{bridge}.default_bridge"), "true".to_owned()),
        (format!("{bridge}.enable_icc"), "true".to_owned()),
        (format!("{bridge}.enable_ip_masquerade"), config.masquerade.to_string()),
        (format!("{bridge}.host_binding_ipv4"), "0.0.0.0".to_owned()),
        (format!("{bridge}.name"), config.bridge.clone()),
        ("com.docker.network.driver.mtu".to_owned(), mtu.to_string()),
    ])
}

/// Bytes for ids, names and hardware addresses.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}
