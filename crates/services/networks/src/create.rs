//! A new network: range, bridge, rules, record.

use crate::branch_options::BranchOptions;
use crate::choice::Choosing;
use crate::family::Ipv6;
use crate::live::Live;
use crate::new_network::{NewNetwork, choose_ranges};
use crate::options::BridgeOptions;
use crate::{Driver, Error, Network, Networks, Result, forwarding, plugged, predefined, subnet};
use ipnet::Ipv6Net;
use net::firewall;
use std::sync::Arc;
use store::{StateStore, Transaction};

impl Networks {
    /// Makes a network.
    ///
    /// # Errors
    /// `Conflict` for a name, a bridge or a range that is taken (which names the route or the network), `Denied` for what only the
    /// engine makes, `Invalid` for what makes no sense, `Unavailable` when the pools are used up. Nothing is left behind then.
    pub async fn create(self: &Arc<Self>, wanted: NewNetwork) -> Result<Network> {
        let _changing = self.changing.lock().await;
        // The ranges of a configuration are nobody's.
        let (configurations, others): (Vec<_>, Vec<_>) =
            self.list().into_iter().partition(|other| other.config_only);
        let record = wanted.configured(&configurations)?.check(&self.config)?;
        // What a plugin's networks have is the plugin's to say.
        if record.enable_ipv6 && record.driver != Driver::Cni && self.ipv6 == Ipv6::Absent {
            return Err(Error::NoIpv6 { network: record.name });
        }
        self.set_up_forwarding().await;
        self.write_missing_table().await;
        if others.iter().chain(&configurations).any(|other| other.name == record.name) {
            return Err(Error::Exists { network: record.name });
        }
        self.check_device(&record)?;
        if record.driver == Driver::Cni {
            let (plugins, name) = (Arc::clone(&self.plugins), plugged::configuration_of(&record).to_owned());
            offload::blocking(move || plugins.find(&name)).await?;
        }
        let prefix = if record.enable_ipv6 { Some(prefix(&*self.store).await?) } else { None };
        let writings = self.table_writings();
        let (mtu, reaper) = (self.mtu, Arc::clone(&self.reaper));
        let range = *self.range.lock();
        let config = range.map_or_else(|| self.config.clone(), |range| subnet::in_range(&self.config, range));
        let live = offload::blocking(move || -> Result<_> {
            let choosing = Choosing::begin(None)?;
            let mut record = record;
            choose_ranges(&mut record, &choosing, &config, prefix, &others)?;
            let live = Live::new(record, &config, mtu, &reaper)?;
            live.make(&config)?;
            // From here on the kernel has the range.
            drop(choosing);
            Ok(live)
        })
        .await?;
        let record = live.record.clone();
        if let Err(error) = self.keep_record(&record).await {
            let (config, shared) = (self.config.clone(), self.shares_parent(&live));
            offload::blocking(move || live.unmake(&config, shared)).await;
            return Err(error);
        }
        self.live.write().insert(record.name.clone(), Arc::new(live));
        if self.table_writings() != writings {
            // Flushed and written again meanwhile, by somebody who did not know this network.
            self.write_table_now().await;
        }
        Ok(record)
    }

    async fn keep_record(&self, record: &Network) -> Result<()> {
        let transaction = store::put_as(Transaction::new(), &predefined::key(&record.id), record)?;
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Whether another network stands on the same parent.
    pub(crate) fn shares_parent(&self, live: &Live) -> bool {
        let Some(own) = &live.branched else { return false };
        let all = self.live.read();
        let others = all.values().filter(|other| other.record.id != live.record.id);
        let mut parents = others.filter_map(|other| other.branched.as_ref());
        parents.any(|other| other.parent.device() == own.parent.device())
    }

    /// Refuses a bridge that another network has, and a parent that one has to itself.
    fn check_device(&self, record: &Network) -> Result<()> {
        match record.driver {
            Driver::Bridge => {}
            Driver::Macvlan | Driver::Ipvlan => return self.check_parent(record),
            Driver::Cni | Driver::Host | Driver::Null => return Ok(()),
        }
        let bridge = BridgeOptions::read(record)?.bridge;
        let live = self.live.read();
        let other =
            live.values().find(|other| other.bridged.as_ref().is_some_and(|one| one.host.bridge() == bridge));
        match other {
            Some(other) => Err(Error::BridgeTaken { network: other.record.name.clone(), bridge }),
            None => Ok(()),
        }
    }
}

impl Networks {
    fn check_parent(&self, record: &Network) -> Result<()> {
        let options = BranchOptions::read(record)?;
        let live = self.live.read();
        let mut others = live.values().filter_map(|other| Some((other, other.branched.as_ref()?)));
        let taken = others.find(|(_, other)| {
            other.parent.device() == options.parent && (options.is_alone() || other.parent.options.is_alone())
        });
        match taken {
            Some((other, _)) => {
                Err(Error::ParentTaken { network: other.record.name.clone(), device: options.parent })
            }
            None => Ok(()),
        }
    }
}

/// The prefix of this engine's own IPv6 networks (RFC 4193, section 3.2.2), drawn at the first need.
pub(crate) async fn prefix(store: &dyn StateStore) -> Result<Ipv6Net> {
    const KEY: &str = "network-prefix";
    if let Some((prefix, _)) = store::get_as::<Ipv6Net>(store, KEY).await? {
        return Ok(prefix);
    }
    let [a, b, c, d, e] = predefined::random()?.map(u16::from);
    let address = [0xfd00 | a, b << 8 | c, d << 8 | e, 0, 0, 0, 0, 0];
    let prefix = Ipv6Net::new_assert(address.into(), 48);
    store.commit(store::put_as(Transaction::new(), KEY, &prefix)?).await?;
    Ok(prefix)
}

/// The default bridge's part of it.
pub(crate) fn first_of(prefix: Ipv6Net) -> Ipv6Net {
    Ipv6Net::new_assert(prefix.network(), 64)
}

impl Live {
    /// Makes the bridge and its rules; neither is left if the other fails.
    pub(crate) fn make(&self, config: &crate::Config) -> Result<()> {
        if let Some(branched) = &self.branched {
            branched.parent.check_kernel()?;
            return branched.parent.ensure();
        }
        let Some(bridged) = &self.bridged else { return Ok(()) };
        bridged.host.ensure()?;
        match firewall::add(&config.table, &bridged.rules) {
            Ok(()) => {
                if self.record.enable_ipv6 {
                    forwarding::allow_ipv6();
                }
                bridged.host.allow_loopback();
            }
            // The host has no packet filter, which `info` says.
            Err(error) if error.is_no_filter() => {}
            Err(error) => {
                self.unmake(config, false);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Takes rules and bridge, or the parent if it is not `shared`, away; what can't be taken away is found at the next start.
    pub(crate) fn unmake(&self, config: &crate::Config, shared: bool) {
        if let Some(branched) = self.branched.as_ref().filter(|_| !shared)
            && let Err(error) = branched.parent.remove()
        {
            let device = branched.parent.device();
            tracing::warn!(device, error = %errors::chain(&error), "a network's parent device stays");
        }
        let Some(bridged) = &self.bridged else { return };
        let bridge = bridged.host.bridge();
        match firewall::forget(&config.table, &bridged.rules) {
            Ok(()) => {}
            Err(error) if error.is_no_filter() => {}
            Err(error) => tracing::warn!(bridge, error = %errors::chain(&error), "a network's rules stay"),
        }
        if let Err(error) = bridged.host.remove() {
            tracing::warn!(bridge, error = %errors::chain(&error), "a network's bridge stays");
        }
    }
}
