//! The service: which networks there are, and who is attached to them.

use crate::{Config, Endpoint, Network, Result, Sandbox};
use ids::{ContainerId, NetworkId};
use spec::{EndpointRequest, NetworkMode};
use std::net::IpAddr;
use std::sync::Arc;
use store::StateStore;

/// The networks of one engine.
#[derive(Debug)]
pub struct Networks {}

impl Networks {
    /// Reads the records (makes those of `bridge`, `host` and `none` at the first start), chooses the default
    /// bridge's subnet, makes the bridge and begins to prepare namespaces.
    ///
    /// The firewall's rules are written in the background; the first [`Networks::connect`] waits for them.
    ///
    /// # Errors
    /// `Conflict` when a subnet that a person configured overlaps a route of the host; `Denied` without
    /// `CAP_NET_ADMIN`.
    pub async fn open(_config: Config, _store: Arc<dyn StateStore>) -> Result<Arc<Self>> {
        todo!()
    }

    /// Every network, by name.
    pub fn list(&self) -> Vec<Network> {
        todo!()
    }

    /// The network with this name, id, or unambiguous beginning of an id.
    pub fn find(&self, _name_or_id: &str) -> Result<Network> {
        todo!()
    }

    /// The network that a container's mode means: `bridge`, `host`, `none` or a named one.
    ///
    /// `None` for [`NetworkMode::Container`], which has no network of its own.
    pub fn resolve(&self, _mode: &NetworkMode) -> Result<Option<Network>> {
        todo!()
    }

    /// Who is attached to a network now, as its `inspect` shows them.
    pub fn endpoints(&self, _network: &NetworkId) -> Vec<Endpoint> {
        todo!()
    }

    /// A fresh namespace with loopback up, from the prepared ones if there is one left.
    pub async fn sandbox(&self) -> Result<Sandbox> {
        todo!()
    }

    /// Attaches a container's namespace to a network (by name or id).
    ///
    /// `names` are those under which it is to be found, besides the request's aliases: its name, its short id, its
    /// host name. On `none` and `host` no device is made and the endpoint has no address.
    ///
    /// # Errors
    /// `NotFound` for the network, `Invalid` for an address outside its subnet or a bad MAC address, `Conflict` for an
    /// address that is taken, `Unavailable` when no address is left. Nothing is left behind then.
    pub async fn connect(
        &self,
        _sandbox: &Sandbox,
        _container: &ContainerId,
        _network: &str,
        _names: &[String],
        _request: &EndpointRequest,
    ) -> Result<Endpoint> {
        todo!()
    }

    /// Takes a network away from a container that goes on: deletes the device (about 20 ms).
    pub async fn disconnect(&self, _endpoint: &Endpoint) -> Result<()> {
        todo!()
    }

    /// Says that the container of this endpoint is over: frees its address at once; never blocks.
    ///
    /// Its device is cut off from the bridge in the background. It goes with its namespace; where something else
    /// holds that one (a second container in it), the device is deleted.
    pub fn release(&self, _endpoint: &Endpoint) {
        todo!()
    }

    /// Takes over what running containers hold after a restart of the daemon, all of them in one call: their
    /// addresses are reserved; devices of this engine that belong to none of them are deleted.
    ///
    /// Returns the endpoints whose device is not there any more.
    pub async fn adopt(&self, _endpoints: Vec<Endpoint>) -> Result<Vec<Endpoint>> {
        todo!()
    }

    /// The address that `host-gateway` stands for: the default bridge's.
    pub fn host_gateway(&self) -> IpAddr {
        todo!()
    }

    /// What works less well than it should on this host, in sentences for `info`.
    pub fn warnings(&self) -> Vec<String> {
        todo!()
    }

    /// Takes away everything that this engine made in the kernel: prepared namespaces, devices, bridge, table. The
    /// records go with the root.
    pub async fn purge(&self) -> Result<()> {
        todo!()
    }
}
