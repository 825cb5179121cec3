//! The service: which networks there are, and who is attached to them.

use crate::attach::{self, Addresses, Reservation};
use crate::host::{self, Host};
use crate::{Config, Driver, Endpoint, Error, Network, Result, Sandbox, predefined};
use ids::{ContainerId, EndpointId, NetworkId};
use ipnet::IpNet;
use net::{Pool, Settings};
use parking_lot::Mutex;
use spec::{EndpointRequest, NetworkMode};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use store::StateStore;
use tokio::sync::OnceCell;

/// The networks of one engine.
#[derive(Debug)]
pub struct Networks {
    config: Config,
    records: BTreeMap<String, Network>,
    pool: Arc<Pool>,
    host: Arc<Host>,
    addresses: Arc<Mutex<Addresses>>,
    attached: Mutex<HashMap<EndpointId, Endpoint>>,
    /// What is wrong with the forwarding of packets, once it has been set up.
    forwarding: OnceCell<Vec<String>>,
}

impl Networks {
    /// Reads the records (makes those of `bridge`, `host` and `none` at the first start), chooses the default
    /// bridge's subnet, makes the bridge and begins to prepare namespaces.
    ///
    /// The firewall's rules are written in the background; the first [`Networks::connect`] waits for them.
    ///
    /// # Errors
    /// `Conflict` when a subnet that a person configured overlaps a route of the host, or a device that is not this
    /// engine's has the bridge's name; `Denied` without `CAP_NET_ADMIN`.
    pub async fn open(config: Config, store: Arc<dyn StateStore>) -> Result<Arc<Self>> {
        let records = predefined::load(&*store).await?;
        let recorded = predefined::recorded_subnet(&records);
        let (config, choice) = offload::blocking(move || -> Result<_> {
            let choice = host::choose(&config, recorded);
            choice.map(|choice| (config, choice))
        })
        .await?;
        let addresses = Addresses::new(choice.subnet, config.ipv6)?;
        let records =
            predefined::reconcile(&*store, records, &config, addresses.ranges(), choice.mtu).await?;
        let gateways = addresses.gateways();
        let settings = Settings { ipv6: config.ipv6.is_some() };
        let (config, pool, host) = offload::blocking(move || -> Result<_> {
            let host = Host::open(&config, choice, gateways)?;
            let pool = Pool::open(config.prepared, settings)?;
            Ok((config, pool, host))
        })
        .await?;
        let networks = Arc::new(Self {
            config,
            records,
            pool: Arc::new(pool),
            host: Arc::new(host),
            addresses: Arc::new(Mutex::new(addresses)),
            attached: Mutex::default(),
            forwarding: OnceCell::new(),
        });
        let opened = Arc::clone(&networks);
        tokio::spawn(async move { opened.set_up_forwarding().await });
        Ok(networks)
    }

    /// Every network, by name.
    pub fn list(&self) -> Vec<Network> {
        self.records.values().cloned().collect()
    }

    /// The network with this name, id, or unambiguous beginning of an id.
    pub fn find(&self, name_or_id: &str) -> Result<Network> {
        if let Some(network) = self.records.get(name_or_id) {
            return Ok(network.clone());
        }
        let mut found = self.records.values().filter(|network| network.id.as_str().starts_with(name_or_id));
        let network = name_or_id.to_owned();
        match (found.next(), found.next()) {
            (Some(one), None) if !network.is_empty() => Ok(one.clone()),
            (Some(_), Some(_)) if !network.is_empty() => Err(Error::Ambiguous { network }),
            _ => Err(Error::NotFound { network }),
        }
    }

    /// The network that a container's mode means: `bridge`, `host`, `none` or a named one.
    ///
    /// `None` for [`NetworkMode::Container`], which has no network of its own.
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

    /// Attaches a container's namespace to a network (by name or id).
    ///
    /// `names` are those under which it is to be found, besides the request's aliases: its name, its short id, its
    /// host name. On `none` and `host` no device is made and the endpoint has no address.
    ///
    /// # Errors
    /// `NotFound` for the network, `Invalid` for an address outside its subnet or a bad MAC address, `Conflict` for an
    /// address that is taken, `Unavailable` when no address is left. Nothing is left behind then, nor when the
    /// returned future is dropped.
    pub async fn connect(
        &self,
        sandbox: &Sandbox,
        container: &ContainerId,
        network: &str,
        names: &[String],
        request: &EndpointRequest,
    ) -> Result<Endpoint> {
        let network = self.find(network)?;
        let mut endpoint = attach::bare(&network, container, names, request)?;
        let wish = attach::Wish::read(&network, request)?;
        if network.driver == Driver::Bridge {
            let own = sandbox.namespace();
            let namespace = own.ok_or_else(|| Error::HostNamespace { network: network.name.clone() })?;
            self.set_up_forwarding().await;
            let mut reservation = Reservation::new(&self.addresses, &self.host, &wish)?;
            let (attached, reservation) = offload::blocking(move || -> Result<_> {
                reservation.attach(&namespace, &mut endpoint)?;
                Ok((endpoint, reservation))
            })
            .await?;
            endpoint = attached;
            reservation.keep();
        }
        self.attached.lock().insert(endpoint.id.clone(), endpoint.clone());
        Ok(endpoint)
    }

    /// Says that the container of this endpoint is over: frees its address at once; never blocks.
    ///
    /// Its device is cut off from the bridge in the background. It goes with its namespace; where something else
    /// holds that one (a second container in it), the device is deleted. Harmless when it was said before.
    pub fn release(&self, endpoint: &Endpoint) {
        if self.forget(endpoint)
            && let Some(device) = &endpoint.host_device
        {
            self.host.reap(device);
        }
    }

    /// Takes over what running containers hold after a restart of the daemon, all of them in one call before the first
    /// [`Networks::connect`]: their addresses are reserved; devices of this engine that belong to none of them go.
    ///
    /// Returns the endpoints whose device is not there any more.
    pub async fn adopt(&self, endpoints: Vec<Endpoint>) -> Result<Vec<Endpoint>> {
        let host = Arc::clone(&self.host);
        let mut strays: BTreeSet<String> =
            offload::blocking(move || host.ports()).await?.into_iter().collect();
        let mut lost = Vec::new();
        for endpoint in endpoints {
            if let Some(device) = &endpoint.host_device
                && !strays.remove(device)
            {
                lost.push(endpoint.clone());
            }
            self.addresses.lock().adopt(&endpoint);
            self.attached.lock().insert(endpoint.id.clone(), endpoint);
        }
        for stray in strays {
            tracing::info!(device = stray, "a network device of no container is removed");
            self.host.reap(&stray);
        }
        Ok(lost)
    }

    /// The address that `host-gateway` stands for: the default bridge's.
    pub fn host_gateway(&self) -> IpAddr {
        self.addresses.lock().v4_gateway()
    }

    /// What works less well than it should on this host, in sentences for `info`.
    pub fn warnings(&self) -> Vec<String> {
        self.forwarding.get().cloned().unwrap_or_default()
    }

    /// Takes away everything that this engine made in the kernel: prepared namespaces, devices, bridge, table. The
    /// records go with the root. Nothing can be connected any more.
    pub async fn purge(&self) -> Result<()> {
        // Else the table might be written after it was deleted.
        self.set_up_forwarding().await;
        self.pool.close();
        let (host, config) = (Arc::clone(&self.host), self.config.clone());
        offload::blocking(move || -> Result<_> {
            let bridge = host.remove();
            host::remove_table(&config)?;
            bridge
        })
        .await?;
        self.attached.lock().clear();
        Ok(())
    }

    async fn set_up_forwarding(&self) {
        let set_up = || async {
            let config = self.config.clone();
            let subnets: Vec<IpNet> = self.addresses.lock().subnets();
            offload::blocking(move || host::set_up_forwarding(&config, subnets)).await
        };
        self.forwarding.get_or_init(set_up).await;
    }

    /// Frees the addresses of an endpoint that is known; says whether it was.
    fn forget(&self, endpoint: &Endpoint) -> bool {
        let known = self.attached.lock().remove(&endpoint.id).is_some();
        if known {
            self.addresses.lock().free(endpoint);
        }
        known
    }
}
