//! The default bridge on the host: making it, attaching to it, its packet filter.

use crate::{Config, Result, predefined, subnet};
use ipnet::{IpNet, Ipv4Net};
use net::firewall::{self, BridgeRules, Rules};
use net::{
    Attachment, Bridge, BridgeConfig, Mac, Namespace, NamespaceLock, Reaper, Socket, link, route, sysctl,
};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::time::Duration;

const CHOOSING: &str = "container-runtime/address-ranges";
const CHOOSING_LIMIT: Duration = Duration::from_secs(10);
const USUAL_MTU: u32 = 1500;
/// How often a name that another device has already is drawn again.
const NAME_TRIES: u32 = 3;

/// A range that nobody else takes until this is dropped.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) subnet: Ipv4Net,
    pub(crate) mtu: u32,
    socket: Socket,
    _lock: NamespaceLock,
}

/// Chooses the default bridge's range and MTU by what the kernel has.
pub(crate) fn choose(config: &Config, recorded: Option<Ipv4Net>) -> Result<Choice> {
    link::check_name(&config.bridge)?;
    let lock = NamespaceLock::acquire(CHOOSING, CHOOSING_LIMIT)?;
    let mut socket = Socket::open()?;
    let mut occupied = route::occupied(&mut socket, &config.bridge)?;
    occupied.extend(name_servers());
    let subnet = subnet::choose(config, recorded, &occupied)?;
    if let Some(ipv6) = config.ipv6 {
        subnet::check(ipv6.into(), &occupied)?;
    }
    if recorded.is_some_and(|recorded| recorded != subnet) {
        tracing::warn!(?recorded, %subnet, "the default bridge gets another subnet than the last time");
    }
    let mtu = match config.mtu {
        Some(mtu) => mtu,
        None => route::default_mtu(&mut socket)?.unwrap_or(USUAL_MTU).min(USUAL_MTU),
    };
    Ok(Choice { subnet, mtu, socket, _lock: lock })
}

/// The host's resolvers: a range that covers them would cut the host off from its names.
fn name_servers() -> Vec<route::Occupied> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers =
        text.lines().filter_map(|line| line.strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok());
    servers
        .map(|address| route::Occupied { subnet: IpNet::from(address), by: route::Occupant::NameServer })
        .collect()
}

/// The default bridge, as the kernel has it.
#[derive(Debug)]
pub(crate) struct Host {
    wanted: BridgeConfig,
    bridge: Mutex<(Bridge, Socket)>,
    reaper: Reaper,
}

/// A device that a container is to get.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) mac: Mac,
    pub(crate) announced: bool,
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) gateways: Vec<IpAddr>,
}

/// Its name inside, as long as a container has one network.
pub(crate) const INNER_DEVICE: &str = "eth0";

impl Host {
    /// Makes the bridge with these addresses, or finds the one of the last time. The choice is the kernel's from then on.
    pub(crate) fn open(config: &Config, choice: Choice, addresses: Vec<IpNet>) -> Result<Self> {
        let mut socket = choice.socket;
        let wanted = BridgeConfig {
            name: config.bridge.clone(),
            owner: config.table.clone(),
            addresses,
            mtu: choice.mtu,
        };
        let bridge = ensure(&mut socket, &wanted)?;
        Ok(Self { wanted, bridge: Mutex::new((bridge, socket)), reaper: Reaper::start()? })
    }

    /// Attaches a namespace and answers the name of the device on the host. Makes the bridge again if somebody has
    /// deleted it.
    pub(crate) fn attach(&self, namespace: &Namespace, device: &Device) -> Result<String> {
        let mut guard = self.bridge.lock();
        let (bridge, socket) = &mut *guard;
        let mut tries = 0;
        loop {
            let outer = outer_name()?;
            let attachment = Attachment {
                outer: &outer,
                inner: INNER_DEVICE,
                mac: device.mac,
                announced: device.announced,
                addresses: &device.addresses,
                gateways: &device.gateways,
            };
            tries += 1;
            match bridge.attach(socket, namespace, &attachment) {
                Ok(()) => return Ok(outer),
                Err(error) if error.is_exists() && tries < NAME_TRIES => {}
                Err(error) if error.is_gone() && tries < NAME_TRIES => {
                    tracing::warn!(bridge = self.wanted.name, "the bridge was deleted, it is made again");
                    *bridge = ensure(socket, &self.wanted)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Cuts a device off and sees to it that it goes; never blocks.
    pub(crate) fn reap(&self, device: &str) {
        self.reaper.reap(device);
    }

    /// The names of the devices on the bridge.
    pub(crate) fn ports(&self) -> Result<Vec<String>> {
        let (bridge, socket) = &mut *self.bridge.lock();
        Ok(bridge.ports(socket)?.into_iter().map(|link| link.name).collect())
    }

    /// Deletes the bridge and what is on it.
    pub(crate) fn remove(&self) -> Result<()> {
        let (_, socket) = &mut *self.bridge.lock();
        Ok(Bridge::remove(socket, &self.wanted.name, &self.wanted.owner)?)
    }
}

fn ensure(socket: &mut Socket, wanted: &BridgeConfig) -> Result<Bridge> {
    Ok(Bridge::ensure(socket, wanted, Mac::local(predefined::random()?))?)
}

/// `veth` and seven hexadecimal digits, as Docker names them.
fn outer_name() -> Result<String> {
    let number = u32::from_ne_bytes(predefined::random()?) >> 4;
    Ok(format!("veth{number:07x}"))
}

/// Turns forwarding on and writes the table. Answers, in sentences, what does not work on this host.
pub(crate) fn set_up_forwarding(config: &Config, subnets: Vec<IpNet>) -> Vec<String> {
    let mut warnings = Vec::new();
    for parameter in forwarding_sysctls(config) {
        match sysctl::ensure(parameter, "1") {
            Ok(true) => tracing::info!(parameter, "forwarding was off, it is on now"),
            Ok(false) => {}
            Err(error) => {
                warnings.push(format!("containers reach this host only: {}", errors::chain(&error)))
            }
        }
    }
    let bridge = BridgeRules { bridge: config.bridge.clone(), subnets, masquerade: config.masquerade };
    match firewall::write(&Rules { table: config.table.clone(), bridges: vec![bridge] }) {
        Ok(drops) => warnings.extend(drops.into_iter().map(|chain| {
            format!(
                "containers may reach this host only: the chain {chain} drops forwarded packets by its policy"
            )
        })),
        Err(error) => warnings
            .push(format!("containers have no address translation to the world: {}", errors::chain(&error))),
    }
    for warning in &warnings {
        tracing::warn!(warning, "networks work less well than they should");
    }
    warnings
}

fn forwarding_sysctls(config: &Config) -> Vec<&'static str> {
    let mut parameters = vec!["ipv4/ip_forward"];
    if config.ipv6.is_some() {
        parameters.push("ipv6/conf/all/forwarding");
    }
    parameters
}

/// Deletes the table.
pub(crate) fn remove_table(config: &Config) -> Result<()> {
    Ok(firewall::remove(&config.table)?)
}
