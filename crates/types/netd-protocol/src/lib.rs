//! What the daemon tells `container-runtime netd`, the process that answers containers' questions for names, and carries what the
//! kernel can't.
//!
//! ```text
//! <state>/netd.sock               SOCK_SEQPACKET: one [`Request`] a message, one [`Response`] back      netd
//! <state>/netd.lock               held by the one netd of this directory                               netd
//! <state>/netd/network-ID.json    [`Network`]                                                          daemon
//! <state>/netd/container-ID.json  [`Container`]                                                        daemon
//! ```
//!
//! The daemon writes a record, then puts it: once that is answered, every client sees its names. netd writes no records; it
//! reads all of them when it starts. Messages are JSON and end at [`MAX_MESSAGE`] bytes.
//!
//! A network has to be put before the containers on it. Descriptors travel with a message (`SCM_RIGHTS`), for each container
//! first its network namespace, then its process's pidfd, as far as [`Put`] says that they are there.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

mod place;
mod port;
mod process;

pub use place::{container_file, network_file};
pub use port::{BadPort, Port};
pub use process::Process;

/// File names in the state directory.
pub mod file {
    /// Directory of the records.
    pub const RECORDS: &str = "netd";
    /// Where netd takes requests.
    pub const SOCKET: &str = "netd.sock";
    /// Held by netd.
    pub const LOCK: &str = "netd.lock";
    /// What netd complains of.
    pub const LOG: &str = "netd.log";
}

/// Bytes of the longest message: what a unix socket takes with the kernel's default buffers.
pub const MAX_MESSAGE: usize = 128 << 10;

/// Descriptors that come with one message at most: two for each container. The kernel's limit is 253.
pub const MAX_DESCRIPTORS: usize = 128;

/// A network whose containers ask netd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name: `web` is also `web.NAME`.
    pub name: String,
    /// The addresses of its bridge, where netd listens on port 53.
    pub gateways: Vec<IpAddr>,
    /// Whether it has no way out.
    #[serde(default)]
    pub internal: bool,
}

/// A container: what it is called, and what it may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id; of a length that a label may have it is one of its names.
    pub id: String,
    /// Its networks; the gateway of the first is its host.
    pub endpoints: Vec<Endpoint>,
    /// Names that only this container knows, of other containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Names that only this container knows, of addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// Its own servers for all other names; none: the host's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<SocketAddr>,
    /// Its published ports. Of those that are at `::1` netd carries what comes there: the kernel sends nothing from that
    /// address to another device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Whether its user chose `ndots`: then names without a dot are not asked outside, as Docker does it.
    #[serde(default)]
    pub ndots_chosen: bool,
    /// Whether netd listens in its namespace on 127.0.0.11. A program that binds port 53 of all addresses there finds it
    /// in use.
    #[serde(default)]
    pub loopback: bool,
    /// The process whose end is the container's, once it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// A file that is its network namespace, where there is one; otherwise it is found by the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<PathBuf>,
}

/// A container on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The network's id.
    pub network: String,
    /// Its addresses there.
    pub addresses: Vec<IpAddr>,
    /// What it is called there: name, short id, aliases, host name. The first is the answer to a question for the name of
    /// its address.
    pub names: Vec<String>,
}

/// Another container by a name of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The name.
    pub alias: String,
    /// Any name of the other on a network that both are on: its short id is one that never changes.
    pub target: String,
}

/// An address by a name of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The name.
    pub name: String,
    /// Its addresses; none: the host's, `host-gateway`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
}

/// What is asked of netd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb")]
pub enum Request {
    /// These are so from now on.
    Put(Put),
    /// These are no more. Those that are not known are no error.
    Remove {
        /// Ids of networks.
        #[serde(default)]
        networks: Vec<String>,
        /// Ids of containers.
        #[serde(default)]
        containers: Vec<String>,
    },
    /// How many there are.
    Status,
    /// End.
    Stop,
}

/// Records that are new or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Networks.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// Containers.
    #[serde(default)]
    pub containers: Vec<PutContainer>,
}

/// A container, and which descriptors of it come along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutContainer {
    /// Its record.
    pub record: Container,
    /// Its network namespace comes along.
    #[serde(default)]
    pub namespace: bool,
    /// Its process's pidfd comes along.
    #[serde(default)]
    pub process: bool,
}

/// What netd says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What does not work of what was done: an address that something else listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Networks that are known.
    #[serde(default)]
    pub networks: usize,
    /// Containers that are known.
    #[serde(default)]
    pub containers: usize,
    /// Sockets that are open, listening ones for TCP not counted.
    #[serde(default)]
    pub sockets: usize,
}
