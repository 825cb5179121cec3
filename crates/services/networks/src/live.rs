//! A network as it works: its record, its addresses, its bridge.

use crate::attach::{Addresses, Carrier};
use crate::host::{Host, Wanted};
use crate::options::BridgeOptions;
use crate::parent::Branched;
use crate::{Config, Driver, Network, Result};
use net::Reaper;
use net::firewall::BridgeRules;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// A network as it works.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) record: Network,
    /// Of bridge networks.
    pub(crate) bridged: Option<Bridged>,
    /// Of macvlan and ipvlan.
    pub(crate) branched: Option<Branched>,
    /// Held by those who attach to it or say that it goes; true when it is gone.
    gone: Arc<RwLock<bool>>,
}

/// What a network with a bridge has.
#[derive(Debug)]
pub(crate) struct Bridged {
    pub(crate) addresses: Arc<Mutex<Addresses>>,
    pub(crate) host: Arc<Host>,
    pub(crate) rules: BridgeRules,
}

impl Live {
    /// The kernel is not asked for anything.
    pub(crate) fn new(record: Network, config: &Config, mtu: u32, reaper: &Arc<Reaper>) -> Result<Self> {
        let (mut bridged, mut branched) = (None, None);
        match record.driver {
            Driver::Bridge => bridged = Some(Bridged::new(&record, config, mtu, reaper)?),
            Driver::Macvlan | Driver::Ipvlan => branched = Some(Branched::new(&record, config)?),
            Driver::Cni | Driver::Host | Driver::Null => {}
        }
        Ok(Self { record, bridged, branched, gone: Arc::default() })
    }

    /// Its addresses, and where devices come from; none on `host` and `none`, and where plugins see to it.
    pub(crate) fn carrier(&self) -> Option<(Arc<Mutex<Addresses>>, Carrier)> {
        if let Some(bridged) = &self.bridged {
            return Some((Arc::clone(&bridged.addresses), Carrier::Bridge(Arc::clone(&bridged.host))));
        }
        let branched = self.branched.as_ref()?;
        Some((Arc::clone(&branched.addresses), Carrier::Parent(Arc::clone(&branched.parent))))
    }

    /// Keeps the network from going while this is held; none if it is gone.
    pub(crate) async fn hold(&self) -> Option<OwnedRwLockReadGuard<bool>> {
        let held = Arc::clone(&self.gone).read_owned().await;
        (!*held).then_some(held)
    }

    /// The same for who does not wait: none too while somebody says that it goes.
    pub(crate) fn try_hold(&self) -> Option<OwnedRwLockReadGuard<bool>> {
        let held = Arc::clone(&self.gone).try_read_owned().ok()?;
        (!*held).then_some(held)
    }

    /// Keeps others from attaching to it or removing it while this is held; none if somebody is at it just now, or it is gone.
    pub(crate) fn try_quiet(&self) -> Option<OwnedRwLockWriteGuard<bool>> {
        let quiet = Arc::clone(&self.gone).try_write_owned().ok()?;
        (!*quiet).then_some(quiet)
    }

    /// Waits until nobody attaches to it.
    pub(crate) async fn quiet(&self) {
        drop(self.gone.write().await);
    }

    /// Waits until nobody attaches to it any more, and lets `decide` say whether it goes: nobody can attach then.
    pub(crate) async fn retire(&self, decide: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut gone = self.gone.write().await;
        decide()?;
        *gone = true;
        Ok(())
    }

    /// It stays after all.
    pub(crate) async fn revive(&self) {
        *self.gone.write().await = false;
    }
}

impl Bridged {
    fn new(record: &Network, config: &Config, mtu: u32, reaper: &Arc<Reaper>) -> Result<Self> {
        let options = BridgeOptions::read(record)?;
        let addresses = Addresses::new(record)?;
        let wanted = Wanted {
            bridge: options.bridge.clone(),
            owner: config.table.clone(),
            addresses: addresses.gateways(),
            mtu: options.mtu.unwrap_or(mtu),
            isolated: !options.icc,
            ipv6: record.enable_ipv6,
        };
        let rules = BridgeRules {
            bridge: options.bridge,
            subnets: record.ipam.config.iter().map(|range| range.subnet).collect(),
            masquerade: options.masquerade && !record.internal,
            internal: record.internal,
            hairpin: options.icc,
        };
        let (addresses, host) =
            (Arc::new(Mutex::new(addresses)), Arc::new(Host::new(wanted, Arc::clone(reaper))));
        Ok(Self { addresses, host, rules })
    }
}
