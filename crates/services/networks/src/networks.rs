//! The service: which networks there are, and what the host has for them.

use crate::choice::Choosing;
use crate::create;
use crate::family::Ipv6;
use crate::forwarding::Works;
use crate::live::Live;
use crate::plugged::Plugins;
use crate::ports::Ports;
use crate::publish::rules_of;
use crate::{Config, Endpoint, Error, Network, Result, Sandbox, forwarding, predefined};
use ids::{EndpointId, NetworkId};
use ipnet::{IpNet, Ipv4Net};
use net::firewall::Others;
use net::{Elements, Pool, Reaper, Settings, Stop};
use parking_lot::{Mutex, RwLock};
use spec::NetworkMode;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use store::StateStore;
use tokio::sync::OnceCell;

/// The networks of one engine.
#[derive(Debug)]
pub struct Networks {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn StateStore>,
    /// By name.
    pub(crate) live: RwLock<BTreeMap<String, Arc<Live>>>,
    /// Held by whoever makes or removes a network.
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) attached: Arc<Mutex<HashMap<EndpointId, Endpoint>>>,
    pub(crate) reaper: Arc<Reaper>,
    pub(crate) ports: Arc<Mutex<Ports>>,
    /// Other programs' part of the packet filter.
    pub(crate) others: Arc<Mutex<Others>>,
    /// Open from the first port on that is published.
    pub(crate) elements: Mutex<Option<Elements>>,
    /// Where the subnets of new networks come from before the pools; none: from the pools.
    pub(crate) range: Mutex<Option<Ipv4Net>>,
    /// Of bridges that say nothing else, bytes.
    pub(crate) mtu: u32,
    pub(crate) prepared: Settings,
    /// Keeps the table there.
    pub(crate) table_kept: Mutex<Option<Stop>>,
    /// How often it was written.
    pub(crate) table_writings: AtomicU64,
    /// Keeps the bridges there.
    pub(crate) bridges_kept: Mutex<Option<Stop>>,
    pub(crate) plugins: Arc<Plugins>,
    pool: Arc<Pool>,
    pub(crate) ipv6: Ipv6,
    /// What it misses of IPv6, in words.
    missed: Option<String>,
    /// Whether the forwarding of packets has been set up.
    forwarding: OnceCell<()>,
    /// What came of it the last time.
    pub(crate) works: Mutex<Works>,
}

impl Networks {
    /// Reads the records (makes those of `bridge`, `host` and `none` at the first start), chooses the default
    /// bridge's subnet, makes the bridge and begins to prepare namespaces.
    ///
    /// The other bridges and the firewall's rules are made once [`Networks::adopt`] has said what runs, in the background; the first
    /// [`Networks::connect`] waits for them.
    ///
    /// # Errors
    /// `Conflict` when a subnet that a person configured overlaps a route of the host, or a device that is not this
    /// engine's has the bridge's name; `Denied` without `CAP_NET_ADMIN`.
    pub async fn open(config: Config, store: Arc<dyn StateStore>) -> Result<Arc<Self>> {
        let mut config = config;
        let ipv6 = Ipv6::of_host();
        let missed = ipv6.missed().filter(|_| config.ipv6_by_default);
        if let Some(missed) = &missed {
            tracing::warn!("{missed}");
            config.ipv6_by_default = false;
        }
        if ipv6 == Ipv6::Absent {
            config.ipv6 = None;
        }
        if config.ipv6.is_none() && config.ipv6_by_default {
            config.ipv6 = Some(create::first_of(create::prefix(&*store).await?));
        }
        let records = predefined::load(&*store).await?;
        let recorded = predefined::recorded_subnet(&records);
        let asked = config.clone();
        let (choosing, subnet, mtu) = offload::blocking(move || -> Result<_> {
            let mut choosing = Choosing::begin(Some(&asked.bridge))?;
            let subnet = choosing.default_bridge(&asked, recorded)?;
            let mtu = choosing.mtu(&asked)?;
            Ok((choosing, subnet, mtu))
        })
        .await?;
        let range = config.preferred_subnet.filter(|wanted| config.subnet_is_fixed && *wanted != subnet);
        let subnets = std::iter::once(IpNet::V4(subnet)).chain(config.ipv6.map(IpNet::V6));
        let ranges = subnets.map(crate::IpamConfig::of).collect();
        let records = predefined::reconcile(&*store, records, &config, &ranges, mtu).await?;
        let prepared = Settings { ipv6: config.ipv6.is_some() || config.ipv6_by_default };
        let asked = config.clone();
        let (pool, reaper, live) = offload::blocking(move || -> Result<_> {
            let reaper = Arc::new(Reaper::start()?);
            let live = all_live(records, ipv6, &asked, mtu, &reaper);
            let bridge = live.get("bridge").and_then(|live| live.bridged.as_ref());
            bridge.map(|bridge| bridge.host.ensure()).transpose()?;
            // From here on the kernel has the range.
            drop(choosing);
            let pool = Pool::open(asked.prepared, prepared)?;
            Ok((Arc::new(pool), reaper, live))
        })
        .await?;
        let plugins = Plugins::open(&config, Arc::clone(&store)).await?;
        let others = Others::new(&config.table, !config.bypass_firewall);
        let networks = Arc::new(Self {
            config,
            store,
            live: RwLock::new(live),
            changing: tokio::sync::Mutex::default(),
            attached: Arc::default(),
            reaper,
            ports: Arc::default(),
            others: Arc::new(Mutex::new(others)),
            elements: Mutex::default(),
            range: Mutex::new(range),
            mtu,
            prepared,
            table_kept: Mutex::default(),
            table_writings: AtomicU64::default(),
            bridges_kept: Mutex::default(),
            plugins,
            pool,
            ipv6,
            missed,
            forwarding: OnceCell::new(),
            works: Mutex::default(),
        });
        match networks.keep_table() {
            Ok(stop) => *networks.table_kept.lock() = Some(stop),
            // What that means is said where the table is written.
            Err(error) => tracing::debug!(error = %errors::chain(&error), "the table is not watched"),
        }
        match networks.keep_bridges() {
            Ok(stop) => *networks.bridges_kept.lock() = Some(stop),
            Err(error) => tracing::warn!(error = %errors::chain(&error), "bridges are not watched"),
        }
        Ok(networks)
    }

    /// Every network, by name.
    pub fn list(&self) -> Vec<Network> {
        self.live.read().values().map(|live| live.record.clone()).collect()
    }

    /// The network with this name, id, or unambiguous beginning of an id.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn find(&self, name_or_id: &str) -> Result<Network> {
        Ok(self.find_live(name_or_id)?.record.clone())
    }

    pub(crate) fn find_live(&self, name_or_id: &str) -> Result<Arc<Live>> {
        let live = self.live.read();
        if let Some(found) = live.get(name_or_id) {
            return Ok(Arc::clone(found));
        }
        let mut found = live.values().filter(|live| live.record.id.as_str().starts_with(name_or_id));
        let network = name_or_id.to_owned();
        match (found.next(), found.next()) {
            (Some(one), None) if !network.is_empty() => Ok(Arc::clone(one)),
            (Some(_), Some(_)) if !network.is_empty() => Err(Error::Ambiguous { network }),
            _ => Err(Error::NotFound { network }),
        }
    }

    /// The network that a container's mode means: `bridge`, `host`, `none` or a named one.
    ///
    /// `None` for [`NetworkMode::Container`], which has no network of its own.
    ///
    /// # Errors
    /// As [`Networks::find`].
    pub fn resolve(&self, mode: &NetworkMode) -> Result<Option<Network>> {
        match mode {
            NetworkMode::Default => self.find("bridge").map(Some),
            NetworkMode::None => self.find("none").map(Some),
            NetworkMode::Host => self.find("host").map(Some),
            NetworkMode::Named(name) => self.find(name).map(Some),
            NetworkMode::Container(_) => Ok(None),
        }
    }

    /// Who is attached to a network now, as its `inspect` shows them.
    pub fn endpoints(&self, network: &NetworkId) -> Vec<Endpoint> {
        let attached = self.attached.lock();
        attached.values().filter(|endpoint| endpoint.network_id == *network).cloned().collect()
    }

    /// A fresh namespace with loopback up, from the prepared ones if there is one left.
    pub async fn sandbox(&self) -> Result<Sandbox> {
        if let Some(prepared) = self.pool.take_prepared() {
            return Ok(Sandbox::own(prepared));
        }
        let pool = Arc::clone(&self.pool);
        offload::blocking(move || Ok(Sandbox::own(pool.take()?))).await
    }

    /// A namespace that was just made for a container, such as one that belongs to its user namespace, with loopback
    /// up.
    pub async fn sandbox_of(&self, namespace: OwnedFd) -> Result<Sandbox> {
        let pool = Arc::clone(&self.pool);
        offload::blocking(move || Ok(Sandbox::own(pool.adopt(namespace)?))).await
    }

    /// How many namespaces are prepared now.
    pub fn prepared(&self) -> usize {
        self.pool.ready()
    }

    /// The address that `host-gateway` stands for: the default bridge's.
    pub fn host_gateway(&self) -> Option<IpAddr> {
        let bridge = self.find("bridge").ok()?;
        bridge.ipam.config.first()?.gateway
    }

    /// What works less well than it should on this host, in sentences for `info`.
    pub fn warnings(&self) -> Vec<String> {
        self.missed.iter().chain(&self.works.lock().warnings).cloned().collect()
    }

    /// Whether containers can have IPv6, if only on their loopback.
    pub fn has_ipv6(&self) -> bool {
        self.ipv6 != Ipv6::Absent
    }

    /// Takes away everything that this engine made in the kernel: prepared namespaces, devices, bridges, table. The
    /// records go with the root. Nothing can be connected any more.
    ///
    /// # Errors
    /// The first failure; the rest is done nevertheless.
    pub async fn purge(&self) -> Result<()> {
        let unplugged = self.plugins.purge().await;
        // Else the table might be written after it was deleted.
        self.set_up_forwarding().await;
        self.let_table_go();
        *self.bridges_kept.lock() = None;
        self.pool.close();
        let live: Vec<Arc<Live>> = self.live.read().values().cloned().collect();
        let config = self.config.clone();
        offload::blocking(move || -> Result<_> {
            let bridges = live.iter().filter_map(|live| live.bridged.as_ref());
            // All of them are tried, whatever becomes of one.
            let mut removed: Vec<Result<()>> = bridges.map(|bridge| bridge.host.remove()).collect();
            let branched = live.iter().filter_map(|live| live.branched.as_ref());
            removed.extend(branched.map(|branched| branched.parent.remove()));
            forwarding::remove_table(&config)?;
            removed.into_iter().collect::<Result<()>>()
        })
        .await?;
        self.attached.lock().clear();
        unplugged
    }

    /// Whether what all networks need was made.
    pub(crate) fn is_set_up(&self) -> bool {
        self.forwarding.initialized()
    }

    /// Makes what all networks need, once.
    pub(crate) async fn set_up_forwarding(&self) {
        let set_up = || async {
            let live: Vec<Arc<Live>> = self.live.read().values().cloned().collect();
            let (config, others) = (self.config.clone(), Arc::clone(&self.others));
            let (ports, attached) = (Arc::clone(&self.ports), Arc::clone(&self.attached));
            offload::blocking(move || {
                // Nobody takes ports back between the look at them and the writing.
                let _held = ports.lock();
                let rules = rules_of(&attached.lock());
                forwarding::remove_strays(&config, &live);
                forwarding::set_up(&config, &live, rules, &mut others.lock())
            })
            .await
        };
        self.forwarding.get_or_init(|| async { set_up().await.0.replace(&mut self.works.lock()) }).await;
    }
}

/// Every network by name. One whose record makes no sense any more is left out, with a warning.
fn all_live(
    records: BTreeMap<String, Network>,
    ipv6: Ipv6,
    config: &Config,
    mtu: u32,
    reaper: &Arc<Reaper>,
) -> BTreeMap<String, Arc<Live>> {
    let live = records.into_iter().filter_map(|(name, record)| {
        match Live::new(ipv6.allowed(record), config, mtu, reaper) {
            Ok(live) => Some((name, Arc::new(live))),
            Err(error) => {
                tracing::error!(network = name, error = %errors::chain(&error), "a network can't be used");
                None
            }
        }
    });
    live.collect()
}
