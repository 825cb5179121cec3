//! The device of the host that the containers' devices of a macvlan or ipvlan network stand on.

use crate::attach::Addresses;
use crate::branch_options::{BranchOptions, Missing};
use crate::host::Device;
use crate::{Config, Error, Network, Result};
use net::{Attachment, Namespace, Socket, branch};
use parking_lot::Mutex;
use std::sync::Arc;

/// What a macvlan or ipvlan network has.
#[derive(Debug)]
pub(crate) struct Branched {
    pub(crate) addresses: Arc<Mutex<Addresses>>,
    pub(crate) parent: Arc<Parent>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Parent {
    network: String,
    pub(crate) options: BranchOptions,
    owner: String,
    ipv6: bool,
}

impl Branched {
    /// The kernel is not asked for anything.
    pub(crate) fn new(record: &Network, config: &Config) -> Result<Self> {
        let parent = Parent {
            network: record.name.clone(),
            options: BranchOptions::read(record)?,
            owner: config.table.clone(),
            ipv6: record.enable_ipv6,
        };
        Ok(Self { addresses: Arc::new(Mutex::new(Addresses::new(record)?)), parent: Arc::new(parent) })
    }
}

impl Parent {
    /// The device's name.
    pub(crate) fn device(&self) -> &str {
        &self.options.parent
    }

    /// Whether the kernel has such devices.
    pub(crate) fn check_kernel(&self) -> Result<()> {
        Ok(branch::check_kernel(&mut Socket::open()?, self.options.branch)?)
    }

    /// Makes the parent where it is the network's to make, and says if there is none.
    pub(crate) fn ensure(&self) -> Result<()> {
        let mut socket = Socket::open()?;
        let found = match &self.options.missing {
            Missing::Make(new) => branch::ensure_parent(&mut socket, self.device(), new, &self.owner),
            Missing::Fail => net::link::get(&mut socket, self.device()).map(drop),
            Missing::Misnamed(why) => match net::link::find(&mut socket, self.device())? {
                Some(_) => Ok(()),
                None => return Err(Error::BadParent { why: why.clone() }),
            },
        };
        found.map_err(|error| self.explain(error))
    }

    /// Takes the parent away if this engine made it.
    pub(crate) fn remove(&self) -> Result<()> {
        Ok(branch::remove_parent(&mut Socket::open()?, self.device(), &self.owner)?)
    }

    /// Gives a namespace a device.
    pub(crate) fn attach(&self, namespace: &Namespace, device: &Device) -> Result<()> {
        self.ensure()?;
        let attachment = Attachment {
            outer: "",
            inner: &device.name,
            mac: device.mac,
            announced: device.announced,
            mtu: self.options.mtu,
            ipv6: (self.ipv6 != device.prepared_ipv6).then_some(self.ipv6),
            addresses: &device.addresses,
            gateways: &device.gateways,
        };
        let by_device = device.by_device && self.options.routes_by_device();
        let mut socket = Socket::open()?;
        branch::attach(&mut socket, self.device(), self.options.branch, namespace, &attachment, by_device)
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: net::Error) -> Error {
        match error {
            net::Error::NoDevice { device } => Error::NoParent { device, network: self.network.clone() },
            error => error.into(),
        }
    }
}
