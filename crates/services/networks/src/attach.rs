//! From a client's wish to an attachment, with everything given back if it does not come to that.

use crate::host::{Device, Host, INNER_DEVICE};
use crate::ipam::Allocator;
use crate::{Assigned, Driver, Endpoint, Error, IpamConfig, Network, Result, predefined};
use ids::{ContainerId, EndpointId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
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
        let refused = ipv4.filter(|_| !bridge).or_else(|| ipv6.filter(|_| !bridge || !network.enable_ipv6));
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
pub(crate) fn bare(
    network: &Network,
    container: &ContainerId,
    names: &[String],
    request: &EndpointRequest,
) -> Result<Endpoint> {
    let mut dns_names: Vec<String> = Vec::new();
    for name in names.iter().chain(&request.aliases) {
        if !dns_names.contains(name) {
            dns_names.push(name.clone());
        }
    }
    Ok(Endpoint {
        id: EndpointId::from_bytes(predefined::random()?),
        container: container.clone(),
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
    })
}

/// The addresses of the default bridge.
#[derive(Debug)]
pub(crate) struct Addresses {
    v4: Allocator,
    v6: Option<Allocator>,
    /// Given back by who had another Ethernet address than theirs: neighbours may remember it.
    misremembered: BTreeSet<IpAddr>,
}

impl Addresses {
    pub(crate) fn new(v4: Ipv4Net, v6: Option<Ipv6Net>) -> Result<Self> {
        let v6 = v6.map(|subnet| Allocator::new("bridge", subnet.into())).transpose()?;
        Ok(Self { v4: Allocator::new("bridge", v4.into())?, v6, misremembered: BTreeSet::new() })
    }

    pub(crate) fn subnets(&self) -> Vec<IpNet> {
        self.both().map(Allocator::subnet).collect()
    }

    pub(crate) fn ranges(&self) -> Vec<IpamConfig> {
        self.both().map(|family| predefined::range(family.subnet(), family.gateway())).collect()
    }

    /// The bridge's addresses, with the prefix lengths of their subnets.
    pub(crate) fn gateways(&self) -> Vec<IpNet> {
        let gateways = self.both().map(|family| IpNet::new(family.gateway(), family.subnet().prefix_len()));
        gateways.flatten().collect()
    }

    pub(crate) fn v4_gateway(&self) -> IpAddr {
        self.v4.gateway()
    }

    /// Reserves what a running container holds. What the present subnets do not cover stays with the container.
    pub(crate) fn adopt(&mut self, endpoint: &Endpoint) {
        let families = [(endpoint.ipv4, Some(&mut self.v4)), (endpoint.ipv6, self.v6.as_mut())];
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
        match (address, &mut self.v6) {
            (IpAddr::V4(_), _) => self.v4.free(address),
            (IpAddr::V6(_), Some(v6)) => v6.free(address),
            (IpAddr::V6(_), None) => {}
        }
    }

    fn both(&self) -> impl Iterator<Item = &Allocator> {
        std::iter::once(&self.v4).chain(&self.v6)
    }
}

/// The Ethernet address that goes with an address, if one does.
fn mac_of(address: IpAddr) -> Option<Mac> {
    match address {
        IpAddr::V4(address) => Some(Mac::of_ipv4(address)),
        IpAddr::V6(_) => None,
    }
}

fn assign(family: &mut Allocator, wanted: Option<IpAddr>) -> Result<Assigned> {
    let address = family.take(wanted)?;
    Ok(Assigned { address, prefix: family.subnet().prefix_len(), gateway: Some(family.gateway()) })
}

/// Addresses, then a device, that go back where they came from unless they are kept.
#[derive(Debug)]
pub(crate) struct Reservation {
    addresses: Arc<Mutex<Addresses>>,
    host: Arc<Host>,
    ipv4: Assigned,
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
    pub(crate) fn new(addresses: &Arc<Mutex<Addresses>>, host: &Arc<Host>, wish: &Wish) -> Result<Self> {
        let mut families = addresses.lock();
        let ipv4 = assign(&mut families.v4, wish.ipv4)?;
        let ipv6 = match families.v6.as_mut().map(|v6| assign(v6, wish.ipv6)).transpose() {
            Ok(ipv6) => ipv6,
            Err(error) => {
                families.v4.free(ipv4.address);
                return Err(error);
            }
        };
        let given = [Some(ipv4), ipv6].into_iter().flatten().map(|assigned| assigned.address);
        // All of them are looked up: each is remembered rightly from now on.
        let misremembered = given.filter(|address| families.misremembered.remove(address)).count() > 0;
        let announced = wish.mac.is_some() || misremembered;
        drop(families);
        let (addresses, host) = (Arc::clone(addresses), Arc::clone(host));
        Ok(Self { addresses, host, ipv4, ipv6, mac: wish.mac, announced, device: None, kept: false })
    }

    /// Makes the device and enters everything into `endpoint`.
    pub(crate) fn attach(&mut self, namespace: &Namespace, endpoint: &mut Endpoint) -> Result<()> {
        let assigned = [Some(self.ipv4), self.ipv6];
        let addresses = assigned.iter().flatten().flat_map(|one| IpNet::new(one.address, one.prefix));
        let gateways = assigned.iter().flatten().filter_map(|one| one.gateway);
        let mac = match self.mac.or_else(|| mac_of(self.ipv4.address)) {
            Some(mac) => mac,
            None => Mac::local(predefined::random()?),
        };
        let device = Device {
            mac,
            announced: self.announced,
            addresses: addresses.collect(),
            gateways: gateways.collect(),
        };
        let outer = self.host.attach(namespace, &device)?;
        self.device = Some(outer.clone());
        endpoint.ipv4 = Some(self.ipv4);
        endpoint.ipv6 = self.ipv6;
        endpoint.mac = Some(mac);
        endpoint.host_device = Some(outer);
        endpoint.device = Some(INNER_DEVICE.to_owned());
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
        for assigned in [Some(self.ipv4), self.ipv6].into_iter().flatten() {
            families.free_address(assigned.address);
        }
    }
}
