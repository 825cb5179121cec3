//! What the kernel has of networks, beside what it should have: each disagreement by its name, and its repair.
//!
//! What is in progress is none: nobody attaches to a network while it is looked at, and devices on their way out are known to the
//! reaper. Nothing is touched that does not bear this engine's mark, or is not on a bridge that does.

mod compare;
pub mod flaws;
mod gather;
mod mend;

pub(crate) use compare::strays;
pub(crate) use gather::devices;

use crate::Endpoint;
use std::net::IpAddr;
use std::path::PathBuf;

/// Something that the records and the kernel say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A network's bridge, or an address of it, is not there.
    BridgeMissing {
        /// The network.
        network: String,
        /// The bridge.
        bridge: String,
    },
    /// A device with this engine's mark that no network has.
    BridgeStray {
        /// The device.
        device: String,
    },
    /// A device on a network's bridge that is no container's.
    DeviceStray {
        /// The device.
        device: String,
        /// The bridge.
        bridge: String,
    },
    /// A running container's device is not there, or not on its bridge.
    DeviceMissing(Box<Endpoint>),
    /// An address that is kept for nobody.
    AddressStray {
        /// The network.
        network: String,
        /// The address.
        address: IpAddr,
    },
    /// The packet filter's table is not there, or its rules are not those that were written.
    FilterOther {
        /// What is different, in words.
        how: String,
    },
    /// Published ports are not in the packet filter.
    PortsMissing {
        /// How many elements.
        count: usize,
    },
    /// The packet filter has ports that nobody publishes.
    PortsStray {
        /// How many elements.
        count: usize,
    },
    /// A file keeps a namespace for nobody.
    NamespaceStray {
        /// The file.
        path: PathBuf,
    },
}
