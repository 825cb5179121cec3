//! From a client's wish to an attachment, with everything given back if it does not come to that.

use crate::branch_options::BranchOptions;
use crate::connect::Connection;
use crate::host::{Device, Host};
use crate::ipam::Allocator;
use crate::parent::Parent;
use crate::{Assigned, Driver, Endpoint, Error, Network, Result, predefined};
use ids::EndpointId;
use ipnet::IpNet;
use net::branch::Branch;
use net::{Mac, Namespace};
use parking_lot::Mutex;
use spec::EndpointRequest;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// What a client wants of an attachment, read from its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) ipv4: Option<IpAddr>,
    pub(crate) ipv6: Option<IpAddr>,
    pub(crate) mac: Option<Mac>,
}

impl Wish {
    /// Reads a request and refuses what the network can't do.
    pub(crate) fn read(network: &Network, request: &EndpointRequest) -> Result<Self> {
        let ipv4 = parse::<Ipv4Addr>(request.ipv4.as_deref())?;
        let ipv6 = parse::<Ipv6Addr>(request.ipv6.as_deref())?;
        let devices = network.driver.has_devices();
        let refused = ipv4
            .filter(|_| !devices || !network.enable_ipv4)
            .or_else(|| ipv6.filter(|_| !devices || !network.enable_ipv6));
        if let Some(address) = refused {
            return Err(Error::NoAddresses { address, network: network.name.clone() });
        }
        let mac = match request.mac_address.as_deref() {
            None | Some("") => None,
            Some(_) if network.driver == Driver::Ipvlan => {
                return Err(Error::Unsupported {
                    what: "an Ethernet address of one's own on an ipvlan network",
                });
            }
            Some(text) => Some(text.parse()?),
        };
        Ok(Self { ipv4, ipv6, mac })
    }
}

fn parse<T: std::str::FromStr + Into<IpAddr>>(text: Option<&str>) -> Result<Option<IpAddr>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => {
            let parsed = text.parse::<T>().map_err(|_| Error::BadAddress { text: text.to_owned() })?;
            Ok(Some(parsed.into()))
        }
    }
}

/// An endpoint without a device and without addresses.
pub(crate) fn bare(network: &Network, connection: &Connection<'_>) -> Result<Endpoint> {
    let Connection { container, names, request, .. } = connection;
    let mut dns_names: Vec<String> = Vec::new();
    // In docker's order: what people call it first.
    let (called, others) = names.split_at(names.len().min(1));
    for name in called.iter().chain(&request.aliases).chain(others) {
        if !dns_names.contains(name) {
            dns_names.push(name.clone());
        }
    }
    Ok(Endpoint {
        id: EndpointId::from_bytes(predefined::random()?),
        container: (*container).clone(),
        network_id: network.id.clone(),
        network: network.name.clone(),
        ipv4: None,
        ipv6: None,
        mac: None,
        host_device: None,
        device: None,
        aliases: request.aliases.clone(),
        dns_names,
        gateway_priority: request.gateway_priority,
        ports: Vec::new(),
        plugged: false,
    })
}

/// The addresses of a network.
#[derive(Debug)]
pub(crate) struct Addresses {
    v4: Option<Allocator>,
    v6: Option<Allocator>,
    /// Whether containers have a gateway there.
    leads_out: bool,
    /// Whether they need none to get out.
    by_device: bool,
    /// Given back by who had another Ethernet address than theirs: neighbours may remember it.
    misremembered: BTreeSet<IpAddr>,
}

impl Addresses {
    /// Of the network's ranges, at most one of each family.
    pub(crate) fn new(network: &Network) -> Result<Self> {
        let family = |v4: bool| {
            let range = network.ipam.config.iter().find(|range| range.subnet.addr().is_ipv4() == v4);
            range.map(|range| Allocator::new(&network.name, range)).transpose()
        };
        let branch = network.driver.is_branch();
        let out = network.may_lead_out();
        let by_device = out && branch && BranchOptions::read(network)?.routes_by_device();
        let leads_out = out && !by_device;
        let misremembered = BTreeSet::new();
        Ok(Self { v4: family(true)?, v6: family(false)?, leads_out, by_device, misremembered })
    }

    /// The bridge's addresses, with the prefix lengths of their subnets.
    pub(crate) fn gateways(&self) -> Vec<IpNet> {
        let both = self.v4.iter().chain(&self.v6);
        let gateways =
            both.filter_map(|family| IpNet::new(family.gateway()?, family.subnet().prefix_len()).ok());
        gateways.collect()
    }

    /// Reserves what a running container holds. What the present subnets do not cover stays with the container.
    pub(crate) fn adopt(&mut self, endpoint: &Endpoint) {
        let families = [(endpoint.ipv4, self.v4.as_mut()), (endpoint.ipv6, self.v6.as_mut())];
        for (assigned, family) in families {
            if let (Some(assigned), Some(family)) = (assigned, family)
                && let Err(error) = family.take(Some(assigned.address))
            {
                tracing::warn!(container = endpoint.container.short(), %error, "a running container's address");
            }
        }
    }

    /// Those that somebody has.
    pub(crate) fn given(&self) -> Vec<IpAddr> {
        self.v4.iter().chain(&self.v6).flat_map(Allocator::taken).collect()
    }

    pub(crate) fn free(&mut self, endpoint: &Endpoint) {
        let expected = endpoint.ipv4.and_then(|assigned| mac_of(assigned.address));
        for assigned in [endpoint.ipv4, endpoint.ipv6].into_iter().flatten() {
            if endpoint.mac != expected {
                self.misremembered.insert(assigned.address);
            }
            self.free_address(assigned.address);
        }
    }

    pub(crate) fn free_address(&mut self, address: IpAddr) {
        let family = if address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        if let Some(family) = family {
            family.free(address);
        }
    }

    /// One of each family that there is, those that are wished for among them.
    fn assign(&mut self, wish: &Wish) -> Result<(Option<Assigned>, Option<Assigned>)> {
        let out = (self.leads_out, self.by_device);
        let ipv4 = self.v4.as_mut().map(|v4| assign(v4, wish.ipv4, out)).transpose()?;
        match self.v6.as_mut().map(|v6| assign(v6, wish.ipv6, out)).transpose() {
            Ok(ipv6) => Ok((ipv4, ipv6)),
            Err(error) => {
                if let Some(ipv4) = ipv4 {
                    self.free_address(ipv4.address);
                }
                Err(error)
            }
        }
    }
}

/// The Ethernet address that goes with an address, if one does.
fn mac_of(address: IpAddr) -> Option<Mac> {
    match address {
        IpAddr::V4(address) => Some(Mac::of_ipv4(address)),
        IpAddr::V6(_) => None,
    }
}

fn assign(
    family: &mut Allocator,
    wanted: Option<IpAddr>,
    (leads_out, by_device): (bool, bool),
) -> Result<Assigned> {
    let address = family.take(wanted)?;
    let gateway = family.gateway().filter(|_| leads_out);
    Ok(Assigned { address, prefix: family.subnet().prefix_len(), gateway, by_device })
}

/// Where an attachment goes in a container.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The device's name: `eth0`, …
    pub(crate) device: String,
    /// Whether the container's default routes lead here.
    pub(crate) routed: bool,
    /// Whether its namespace was prepared for devices with IPv6.
    pub(crate) prepared_ipv6: bool,
}

/// Where devices come from.
#[derive(Debug, Clone)]
pub(crate) enum Carrier {
    /// A bridge: a pair, one end of which is the container's.
    Bridge(Arc<Host>),
    /// A device of the host: one that stands on it.
    Parent(Arc<Parent>),
}

/// How a device that is made is taken back.
#[derive(Debug)]
enum Made {
    /// By its end on the host.
    Outer(Arc<Host>, String),
    /// In the container.
    Inner(Arc<Namespace>, String),
}

/// Addresses, then a device, that go back where they came from unless they are kept.
#[derive(Debug)]
pub(crate) struct Reservation {
    addresses: Arc<Mutex<Addresses>>,
    carrier: Carrier,
    ipv4: Option<Assigned>,
    ipv6: Option<Assigned>,
    /// The client's choice, if it made one.
    mac: Option<Mac>,
    /// Whether neighbours have to be told who has the addresses.
    announced: bool,
    made: Option<Made>,
    kept: bool,
}

impl Reservation {
    /// Reserves addresses of every family that the network has.
    pub(crate) fn new(addresses: Arc<Mutex<Addresses>>, carrier: Carrier, wish: &Wish) -> Result<Self> {
        let mut families = addresses.lock();
        let (ipv4, ipv6) = families.assign(wish)?;
        let given = [ipv4, ipv6].into_iter().flatten().map(|assigned| assigned.address);
        // All of them are looked up: each is remembered rightly from now on.
        let misremembered = given.filter(|address| families.misremembered.remove(address)).count() > 0;
        let announced = wish.mac.is_some() || misremembered;
        drop(families);
        Ok(Self { addresses, carrier, ipv4, ipv6, mac: wish.mac, announced, made: None, kept: false })
    }

    /// Makes the device and enters everything into `endpoint`.
    pub(crate) fn attach(
        &mut self,
        namespace: &Arc<Namespace>,
        place: &Place,
        endpoint: &mut Endpoint,
    ) -> Result<()> {
        let assigned = [self.ipv4, self.ipv6];
        let addresses = assigned.iter().flatten().flat_map(|one| IpNet::new(one.address, one.prefix));
        let gateways = assigned.iter().flatten().filter_map(|one| one.gateway);
        let derived = self.ipv4.and_then(|assigned| mac_of(assigned.address));
        let mac = match self.mac.or(derived) {
            Some(mac) => mac,
            None => Mac::local(predefined::random()?),
        };
        let device = Device {
            name: place.device.clone(),
            mac,
            // Who is on the host's wire may remember another as the one with the address, of whom we know nothing.
            announced: self.announced || matches!(self.carrier, Carrier::Parent(_)),
            addresses: addresses.collect(),
            gateways: if place.routed { gateways.collect() } else { Vec::new() },
            by_device: place.routed && assigned.iter().flatten().any(|one| one.by_device),
            prepared_ipv6: place.prepared_ipv6,
        };
        let mut mac = Some(mac);
        match &self.carrier {
            Carrier::Bridge(host) => {
                let outer = host.attach(namespace, &device)?;
                self.made = Some(Made::Outer(Arc::clone(host), outer.clone()));
                endpoint.host_device = Some(outer);
            }
            Carrier::Parent(parent) => {
                parent.attach(namespace, &device)?;
                self.made = Some(Made::Inner(Arc::clone(namespace), device.name.clone()));
                mac = mac.filter(|_| matches!(parent.options.branch, Branch::Macvlan(_)));
            }
        }
        endpoint.ipv4 = self.ipv4;
        endpoint.ipv6 = self.ipv6;
        endpoint.mac = mac;
        endpoint.device = Some(device.name);
        Ok(())
    }

    /// The attachment stands.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        match &self.made {
            Some(Made::Outer(host, device)) => host.reap(device),
            Some(Made::Inner(namespace, device)) => {
                if let Err(error) = net::branch::detach(namespace, device) {
                    tracing::warn!(device, error = %errors::chain(&error), "a device of a failed attachment is left over");
                }
            }
            None => {}
        }
        let mut families = self.addresses.lock();
        for assigned in [self.ipv4, self.ipv6].into_iter().flatten() {
            families.free_address(assigned.address);
        }
    }
}
