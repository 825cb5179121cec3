//! From a client's wish to an attachment, with everything given back if it does not come to that.

use crate::connect::Connection;
use crate::host::{Device, Host};
use crate::ipam::Allocator;
use crate::live::Bridged;
use crate::{Assigned, Driver, Endpoint, Error, Network, Result, predefined};
use ids::EndpointId;
use ipnet::IpNet;
use net::{Mac, Namespace};
use parking_lot::Mutex;
use spec::EndpointRequest;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// What a client wants of an attachment, read from its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    ipv4: Option<IpAddr>,
    ipv6: Option<IpAddr>,
    mac: Option<Mac>,
}

impl Wish {
    /// Reads a request and refuses what the network can't do.
    pub(crate) fn read(network: &Network, request: &EndpointRequest) -> Result<Self> {
        let ipv4 = parse::<Ipv4Addr>(request.ipv4.as_deref())?;
        let ipv6 = parse::<Ipv6Addr>(request.ipv6.as_deref())?;
        let bridge = network.driver == Driver::Bridge;
        let refused = ipv4
            .filter(|_| !bridge || !network.enable_ipv4)
            .or_else(|| ipv6.filter(|_| !bridge || !network.enable_ipv6));
        if let Some(address) = refused {
            return Err(Error::NoAddresses { address, network: network.name.clone() });
        }
        let mac = match request.mac_address.as_deref() {
            None | Some("") => None,
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
    })
}

/// The addresses of a network.
#[derive(Debug)]
pub(crate) struct Addresses {
    v4: Option<Allocator>,
    v6: Option<Allocator>,
    /// Whether containers have a gateway there.
    leads_out: bool,
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
        let leads_out = !network.internal;
        Ok(Self { v4: family(true)?, v6: family(false)?, leads_out, misremembered: BTreeSet::new() })
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

    pub(crate) fn free(&mut self, endpoint: &Endpoint) {
        let expected = endpoint.ipv4.and_then(|assigned| mac_of(assigned.address));
        for assigned in [endpoint.ipv4, endpoint.ipv6].into_iter().flatten() {
            if endpoint.mac != expected {
                self.misremembered.insert(assigned.address);
            }
            self.free_address(assigned.address);
        }
    }

    fn free_address(&mut self, address: IpAddr) {
        let family = if address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        if let Some(family) = family {
            family.free(address);
        }
    }

    /// One of each family that there is, those that are wished for among them.
    fn assign(&mut self, wish: &Wish) -> Result<(Option<Assigned>, Option<Assigned>)> {
        let leads_out = self.leads_out;
        let ipv4 = self.v4.as_mut().map(|v4| assign(v4, wish.ipv4, leads_out)).transpose()?;
        match self.v6.as_mut().map(|v6| assign(v6, wish.ipv6, leads_out)).transpose() {
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

fn assign(family: &mut Allocator, wanted: Option<IpAddr>, leads_out: bool) -> Result<Assigned> {
    let address = family.take(wanted)?;
    let gateway = family.gateway().filter(|_| leads_out);
    Ok(Assigned { address, prefix: family.subnet().prefix_len(), gateway })
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

/// Addresses, then a device, that go back where they came from unless they are kept.
#[derive(Debug)]
pub(crate) struct Reservation {
    addresses: Arc<Mutex<Addresses>>,
    host: Arc<Host>,
    ipv4: Option<Assigned>,
    ipv6: Option<Assigned>,
    /// The client's choice, if it made one.
    mac: Option<Mac>,
    /// Whether neighbours have to be told who has the addresses.
    announced: bool,
    device: Option<String>,
    kept: bool,
}

impl Reservation {
    /// Reserves addresses of every family that the network has.
    pub(crate) fn new(network: &Bridged, wish: &Wish) -> Result<Self> {
        let mut families = network.addresses.lock();
        let (ipv4, ipv6) = families.assign(wish)?;
        let given = [ipv4, ipv6].into_iter().flatten().map(|assigned| assigned.address);
        // All of them are looked up: each is remembered rightly from now on.
        let misremembered = given.filter(|address| families.misremembered.remove(address)).count() > 0;
        let announced = wish.mac.is_some() || misremembered;
        drop(families);
        let (addresses, host) = (Arc::clone(&network.addresses), Arc::clone(&network.host));
        Ok(Self { addresses, host, ipv4, ipv6, mac: wish.mac, announced, device: None, kept: false })
    }

    /// Makes the device and enters everything into `endpoint`.
    pub(crate) fn attach(
        &mut self,
        namespace: &Namespace,
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
            announced: self.announced,
            addresses: addresses.collect(),
            gateways: if place.routed { gateways.collect() } else { Vec::new() },
            prepared_ipv6: place.prepared_ipv6,
        };
        let outer = self.host.attach(namespace, &device)?;
        self.device = Some(outer.clone());
        endpoint.ipv4 = self.ipv4;
        endpoint.ipv6 = self.ipv6;
        endpoint.mac = Some(mac);
        endpoint.host_device = Some(outer);
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
        if let Some(device) = &self.device {
            self.host.reap(device);
        }
        let mut families = self.addresses.lock();
        for assigned in [self.ipv4, self.ipv6].into_iter().flatten() {
            families.free_address(assigned.address);
        }
    }
}
