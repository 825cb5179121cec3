//! Options of macvlan and ipvlan networks, as Docker reads them.

use crate::{Driver, Error, Network, Result, options};
use net::branch::{Branch, Ipvlan, IpvlanFlag, Macvlan, NewParent};

const PARENT: &str = "parent";
const MACVLAN_MODE: &str = "macvlan_mode";
const IPVLAN_MODE: &str = "ipvlan_mode";
const IPVLAN_FLAG: &str = "ipvlan_flag";

/// What a network says of the device that its containers' devices stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BranchOptions {
    /// The device.
    pub(crate) parent: String,
    pub(crate) missing: Missing,
    pub(crate) branch: Branch,
    /// None: the parent's.
    pub(crate) mtu: Option<u32>,
}

/// What is done where the parent is not there. One that is there is taken, whatever its name looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is made.
    Make(NewParent),
    /// Somebody else has to make it.
    Fail,
    /// The same; its name looks like one that is made, but is none: why, in Docker's words.
    Misnamed(String),
}

impl BranchOptions {
    /// Those of a network.
    ///
    /// # Errors
    /// [`Error::BadOption`], [`Error::BadParent`].
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let option = |key: &str| network.options.get(key).map(String::as_str).unwrap_or_default();
        let branch = match network.driver {
            Driver::Ipvlan => Branch::Ipvlan(ipvlan_mode(option(IPVLAN_MODE))?, flag(option(IPVLAN_FLAG))?),
            _ => Branch::Macvlan(macvlan_mode(option(MACVLAN_MODE))?),
        };
        let mtu = options::mtu(network)?;
        let (parent, missing) = match option(PARENT) {
            "" => {
                let peer = format!("dp-{}", network.id.short());
                (island_name(network), Missing::Make(NewParent::Island { peer }))
            }
            "lo" => {
                let why =
                    format!("loopback interface is not a valid {} parent link", network.driver.as_str());
                return Err(Error::BadParent { why });
            }
            parent => (parent.to_owned(), vlan(parent)),
        };
        net::link::check_name(&parent)?;
        Ok(Self { parent, missing, branch, mtu })
    }

    /// Whether a device has the Ethernet of its parent to itself.
    pub(crate) fn is_alone(&self) -> bool {
        self.branch == Branch::Macvlan(Macvlan::Passthru)
    }

    /// Whether default routes leave by the device, without a gateway.
    pub(crate) fn routes_by_device(&self) -> bool {
        matches!(self.branch, Branch::Ipvlan(Ipvlan::L3 | Ipvlan::L3s, _))
    }
}

/// Whether a network of these drivers has a way out: without a parent it has none.
pub(crate) fn has_parent(network: &Network) -> bool {
    network.options.get(PARENT).is_some_and(|parent| !parent.is_empty())
}

/// As Docker's.
fn island_name(network: &Network) -> String {
    format!("dm-{}", network.id.short())
}

fn macvlan_mode(text: &str) -> Result<Macvlan> {
    Ok(match text {
        "" | "bridge" => Macvlan::Bridge,
        "private" => Macvlan::Private,
        "vepa" => Macvlan::Vepa,
        "passthru" => Macvlan::Passthru,
        _ => return Err(options::bad(MACVLAN_MODE, text, "bridge, private, vepa or passthru")),
    })
}

fn ipvlan_mode(text: &str) -> Result<Ipvlan> {
    Ok(match text {
        "" | "l2" => Ipvlan::L2,
        "l3" => Ipvlan::L3,
        "l3s" => Ipvlan::L3s,
        _ => return Err(options::bad(IPVLAN_MODE, text, "l2, l3 or l3s")),
    })
}

fn flag(text: &str) -> Result<IpvlanFlag> {
    Ok(match text {
        "" | "bridge" => IpvlanFlag::Bridge,
        "private" => IpvlanFlag::Private,
        "vepa" => IpvlanFlag::Vepa,
        _ => return Err(options::bad(IPVLAN_FLAG, text, "bridge, private or vepa")),
    })
}

/// `eth0.10` is made where it is missing.
fn vlan(parent: &str) -> Missing {
    let Some((on, text)) = parent.rsplit_once('.') else { return Missing::Fail };
    match text.parse::<u16>() {
        Ok(id @ 1..=4094) if !on.is_empty() => Missing::Make(NewParent::Vlan { on: on.to_owned(), id }),
        Ok(id) if !on.is_empty() => {
            Missing::Misnamed(format!("vlan id must be between 1-4094, received: {id}"))
        }
        _ => Missing::Misnamed(format!(
            "invalid subinterface vlan name {parent}, example formatting is eth0.10"
        )),
    }
}
