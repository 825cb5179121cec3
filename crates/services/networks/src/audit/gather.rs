//! Looks up what the records and the kernel say of networks.

use crate::live::Live;
use crate::{Endpoint, Networks, Result};
use ids::NetworkId;
use net::firewall::{Outline, Rules};
use net::{Socket, address, link};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// All that is looked at; what follows from it is a matter of `compare.rs`.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// What this engine writes on its bridges.
    pub(super) mark: String,
    /// Of networks to which nobody attaches just now.
    pub(super) bridges: Vec<Bridge>,
    /// Those of the others.
    pub(super) busy: BTreeSet<String>,
    /// Whether a network is being made or removed just now.
    pub(super) changing: bool,
    /// Devices of the host that networks stand on.
    pub(super) parents: BTreeSet<String>,
    pub(super) endpoints: Vec<Endpoint>,
    /// Every device of the host.
    pub(super) devices: BTreeMap<String, Device>,
    /// Devices that are on their way out.
    pub(super) going: BTreeSet<String>,
    /// Addresses that are given out, by network.
    pub(super) given: Vec<(NetworkId, String, IpAddr)>,
    /// What the packet filter should be, and is; none where the host has none, which `info` tells.
    pub(super) filter: Option<(Outline, Option<Outline>)>,
    /// Files that keep namespaces, and those of them that an attachment has.
    pub(super) pins: BTreeSet<PathBuf>,
    pub(super) pinned: BTreeSet<PathBuf>,
}

/// A network's bridge as it should be.
#[derive(Debug, Clone)]
pub(super) struct Bridge {
    pub(super) network: String,
    pub(super) id: NetworkId,
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
}

/// A device as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Device {
    pub(super) alias: Option<String>,
    /// The name of its bridge.
    pub(super) master: Option<String>,
    pub(super) up: bool,
    pub(super) addresses: Vec<IpAddr>,
}

impl Networks {
    /// Blocking. A network to which somebody attaches just now is left out, with all that concerns it.
    pub(super) fn gather(&self) -> Result<Facts> {
        // Whoever repairs bridges passes over networks that are kept quiet: it waits instead.
        let _kept = self.bridges_kept.lock();
        // Before it is asked which there are: a network that goes in between would be missing in the table.
        let changing = self.changing.try_lock();
        let all: Vec<Arc<Live>> = self.live.read().values().cloned().collect();
        let parents = all.iter().filter_map(|live| live.branched.as_ref());
        let parents = parents.map(|branched| branched.parent.device().to_owned()).collect();
        // Whoever attaches holds it for as long as what it makes is nobody's yet.
        let quiet: Vec<_> = all.iter().map(|live| live.try_quiet()).collect();
        let (calm, busy): (Vec<_>, Vec<_>) = all.iter().zip(&quiet).partition(|(_, quiet)| quiet.is_some());
        // Nobody publishes or withdraws meanwhile either.
        let ports = self.ports.lock();
        let devices = devices()?;
        let endpoints: Vec<Endpoint> = self.attached.lock().values().cloned().collect();
        let given = calm.iter().flat_map(|(live, _)| given(live)).collect();
        let filter = self.filter(&all, &endpoints);
        drop(ports);
        let going = devices.keys().filter(|name| self.reaper.has(name)).cloned().collect();
        let (pins, pinned) = self.plugins.pins();
        Ok(Facts {
            mark: self.config.table.clone(),
            bridges: calm.iter().filter_map(|(live, _)| bridge(live)).collect(),
            busy: busy.iter().filter_map(|(live, _)| bridge(live)).map(|bridge| bridge.name).collect(),
            changing: changing.is_err(),
            parents,
            endpoints,
            devices,
            going,
            given,
            filter,
            pins,
            pinned,
        })
    }

    fn filter(&self, all: &[Arc<Live>], endpoints: &[Endpoint]) -> Option<(Outline, Option<Outline>)> {
        // It has not been written yet, or can't be.
        if !self.is_set_up() || self.works.lock().lacks_table {
            return None;
        }
        let bridges = all.iter().filter_map(|live| live.bridged.as_ref());
        let rules = Rules {
            table: self.config.table.clone(),
            bridges: bridges.map(|bridged| bridged.rules.clone()).collect(),
            ports: endpoints.iter().flat_map(Endpoint::port_rules).collect(),
        };
        let expected = Outline::of(&rules).ok()?;
        let present = Outline::present(&self.config.table).ok()?;
        Some((expected, present))
    }
}

fn bridge(live: &Live) -> Option<Bridge> {
    let bridged = live.bridged.as_ref()?;
    let addresses = bridged.addresses.lock().gateways().iter().map(ipnet::IpNet::addr).collect();
    let (id, network) = (live.record.id.clone(), live.record.name.clone());
    Some(Bridge { network, id, name: bridged.host.bridge().to_owned(), addresses })
}

fn given(live: &Live) -> Vec<(NetworkId, String, IpAddr)> {
    let Some((addresses, _)) = live.carrier() else { return Vec::new() };
    let given = addresses.lock().given();
    given.into_iter().map(|one| (live.record.id.clone(), live.record.name.clone(), one)).collect()
}

/// Every device of the host, with its addresses.
pub(crate) fn devices() -> net::Result<BTreeMap<String, Device>> {
    let mut socket = Socket::open()?;
    let links = link::list(&mut socket, None)?;
    let names: BTreeMap<u32, String> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let mut devices: BTreeMap<String, Device> = links
        .into_iter()
        .map(|link| {
            let master = link.master.and_then(|master| names.get(&master).cloned());
            (link.name, Device { alias: link.alias, master, up: link.up, addresses: Vec::new() })
        })
        .collect();
    for found in address::list(&mut socket)? {
        if let Some(device) = names.get(&found.index).and_then(|name| devices.get_mut(name)) {
            device.addresses.push(found.address.addr());
        }
    }
    Ok(devices)
}
