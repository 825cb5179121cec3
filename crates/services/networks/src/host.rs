//! A network's bridge in the kernel, and devices on it.

use crate::{Result, predefined};
use ipnet::IpNet;
use net::{Attachment, Bridge, BridgeConfig, Mac, Namespace, Reaper, Socket, link};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// How often a name that another device has already is drawn again.
const NAME_TRIES: u32 = 3;
/// How often a bridge is begun that somebody deletes meanwhile.
const MAKE_TRIES: u32 = 5;

/// What a network's bridge should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) bridge: String,
    /// Written on it.
    pub(crate) owner: String,
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) mtu: u32,
    pub(crate) isolated: bool,
    /// Whether containers' devices have IPv6.
    pub(crate) ipv6: bool,
}

/// A network's bridge. It is made when it is needed, and made again if somebody has deleted it.
#[derive(Debug)]
pub(crate) struct Host {
    wanted: Wanted,
    made: Mutex<Option<(Bridge, Socket)>>,
    reaper: Arc<Reaper>,
}

/// A device that a container is to get.
#[derive(Debug)]
pub(crate) struct Device {
    /// Its name inside.
    pub(crate) name: String,
    pub(crate) mac: Mac,
    pub(crate) announced: bool,
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) gateways: Vec<IpAddr>,
    /// Whether default routes leave by it where it has no gateways.
    pub(crate) by_device: bool,
    /// Whether namespaces are prepared for devices with IPv6.
    pub(crate) prepared_ipv6: bool,
}

impl Host {
    /// Nothing is asked of the kernel yet.
    pub(crate) fn new(wanted: Wanted, reaper: Arc<Reaper>) -> Self {
        Self { wanted, made: Mutex::default(), reaper }
    }

    /// The bridge's name.
    pub(crate) fn bridge(&self) -> &str {
        &self.wanted.bridge
    }

    /// Makes the bridge, or brings the one of the last time to what it should be.
    pub(crate) fn ensure(&self) -> Result<()> {
        self.on_bridge(|_, _| Ok(()))
    }

    /// Lets published ports be reached at 127.0.0.1 too: such packets come from an address that the kernel else keeps to
    /// itself. For hosts whose table keeps containers from coming by it the other way.
    pub(crate) fn allow_loopback(&self) {
        let parameter = format!("ipv4/conf/{}/route_localnet", self.wanted.bridge);
        if let Err(error) = net::sysctl::ensure(&parameter, "1") {
            tracing::debug!(parameter, error = %errors::chain(&error), "ports are not at 127.0.0.1");
        }
    }

    /// Attaches a namespace and answers the name of the device on the host.
    pub(crate) fn attach(&self, namespace: &Namespace, device: &Device) -> Result<String> {
        let ipv6 = (self.wanted.ipv6 != device.prepared_ipv6).then_some(self.wanted.ipv6);
        let mut tries = 0;
        loop {
            let outer = outer_name()?;
            let attachment = Attachment {
                outer: &outer,
                inner: &device.name,
                mac: device.mac,
                announced: device.announced,
                mtu: None,
                ipv6,
                addresses: &device.addresses,
                gateways: &device.gateways,
            };
            tries += 1;
            match self.on_bridge(|bridge, socket| bridge.attach(socket, namespace, &attachment)) {
                Ok(()) => return Ok(outer),
                Err(crate::Error::Kernel(error)) if error.is_exists() && tries < NAME_TRIES => {}
                Err(crate::Error::Kernel(error)) if error.is_gone() && tries < NAME_TRIES => {
                    tracing::warn!(bridge = self.wanted.bridge, "the bridge was deleted, it is made again");
                    *self.made.lock() = None;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets a container reach its own published ports.
    pub(crate) fn reflect(&self, device: &str) -> Result<()> {
        self.on_bridge(|_, socket| link::reflect(socket, device))
    }

    /// Makes the bridge what it should be, and brings these devices back to it. Says whether some were elsewhere.
    pub(crate) fn repair(&self, devices: &[String]) -> Result<bool> {
        let mut made = self.made.lock();
        let (bridge, socket) = made.insert(self.make()?);
        let ports = bridge.ports(socket)?;
        let in_order: HashSet<_> = ports.iter().filter(|port| port.up).map(|port| &port.name).collect();
        let mut brought = false;
        for device in devices.iter().filter(|device| !in_order.contains(device)) {
            brought |= bridge.take(socket, device)?;
        }
        Ok(brought)
    }

    /// Cuts a device off and sees to it that it goes; never blocks.
    pub(crate) fn reap(&self, device: &str) {
        self.reaper.reap(device);
    }

    /// Deletes a device that its container does without from now on. Takes the kernel 18 ms.
    pub(crate) fn detach(&self, device: &str) -> Result<()> {
        self.on_bridge(|_, socket| link::delete(socket, device))
    }

    /// The names of the devices on the bridge.
    pub(crate) fn ports(&self) -> Result<Vec<String>> {
        let ports = self.on_bridge(|bridge, socket| bridge.ports(socket))?;
        Ok(ports.into_iter().map(|link| link.name).collect())
    }

    /// Deletes the bridge and what is on it.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut made = self.made.lock();
        let mut socket = match made.take() {
            Some((_, socket)) => socket,
            None => Socket::open()?,
        };
        Ok(Bridge::remove(&mut socket, &self.wanted.bridge, &self.wanted.owner)?)
    }

    fn on_bridge<T>(&self, act: impl FnOnce(&Bridge, &mut Socket) -> net::Result<T>) -> Result<T> {
        let mut made = self.made.lock();
        let (bridge, socket) = match &mut *made {
            Some(made) => made,
            None => made.insert(self.make()?),
        };
        Ok(act(bridge, socket)?)
    }

    /// A bridge that is made again has the one that containers remember.
    fn mac(&self) -> Result<Mac> {
        let mut gateways = self.wanted.addresses.iter().map(IpNet::addr);
        match gateways.find_map(|gateway| if let IpAddr::V4(v4) = gateway { Some(v4) } else { None }) {
            Some(gateway) => Ok(Mac::of_ipv4(gateway)),
            None => Ok(Mac::local(predefined::random()?)),
        }
    }

    fn make(&self) -> Result<(Bridge, Socket)> {
        let mut socket = Socket::open()?;
        let config = BridgeConfig {
            name: self.wanted.bridge.clone(),
            owner: self.wanted.owner.clone(),
            addresses: self.wanted.addresses.clone(),
            mtu: self.wanted.mtu,
            isolated: self.wanted.isolated,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match Bridge::ensure(&mut socket, &config, self.mac()?) {
                // Somebody deleted it when it was half made: without an address, of whose loss the kernel would have told.
                Err(error) if tries < MAKE_TRIES && link::find(&mut socket, &config.name)?.is_none() => {
                    let (bridge, error) = (&config.name, errors::chain(&error));
                    tracing::warn!(
                        bridge,
                        error,
                        "the bridge was deleted while it was made, it is made again"
                    );
                }
                made => return Ok((made?, socket)),
            }
        }
    }
}

/// `veth` and seven hexadecimal digits, as Docker names them.
fn outer_name() -> Result<String> {
    let number = u32::from_ne_bytes(predefined::random()?) >> 4;
    Ok(format!("veth{number:07x}"))
}
