//! A change of the configured range: for networks that are still to be made.

use crate::choice::Choosing;
use crate::{Network, Networks, Result, subnet};
use ipnet::{IpNet, Ipv4Net};

impl Networks {
    /// Has the subnets of new networks come from `range`, or with none from the pools alone. Answers the networks whose subnets are not of
    /// that range and stay as they are, with these.
    ///
    /// # Errors
    /// [`crate::Error::PoolsExhausted`] where no subnet of the range is free: routes or networks have all of it.
    pub async fn set_range(&self, range: Option<Ipv4Net>) -> Result<Vec<(String, IpNet)>> {
        let _changing = self.changing.lock().await;
        let networks = self.list();
        let bridges = networks.iter().find(|network| network.name == "bridge").and_then(ipv4);
        let further = range.filter(|range| bridges != Some(IpNet::V4(*range)));
        if let Some(range) = further {
            let (config, networks) = (self.config.clone(), networks.clone());
            offload::blocking(move || -> Result<()> {
                let mut alone = subnet::in_range(&config, range);
                alone.further_pools.truncate(1);
                Choosing::begin(None)?.ipv4(&alone, &networks).map(drop)
            })
            .await?;
        }
        *self.range.lock() = further;
        let Some(range) = further.map(IpNet::V4) else { return Ok(Vec::new()) };
        let others = networks.iter().filter_map(|network| Some((network.name.clone(), ipv4(network)?)));
        Ok(others.filter(|(_, subnet)| !range.contains(subnet)).collect())
    }
}

fn ipv4(network: &Network) -> Option<IpNet> {
    let subnets = network.ipam.config.iter().map(|range| range.subnet);
    subnets.into_iter().find(|subnet| subnet.addr().is_ipv4() && !network.config_only)
}
