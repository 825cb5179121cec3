//! What is known about a packet's way before anything is concluded from it.

use net::Chosen;
use std::net::{IpAddr, SocketAddr};

/// All that is looked at; what is to be said follows from this alone.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The sender, in words: `container web`, `the host`, `the world`.
    pub(super) from: String,
    /// The receiver, in words.
    pub(super) to: String,
    /// The sender's name or the receiver's that is no running container's.
    pub(super) stopped: Option<String>,
    /// What is between them.
    pub(super) way: Way,
    /// To which address the packet goes; none: the receiver has none that the sender could use.
    pub(super) address: Option<IpAddr>,
    /// What the kernel does with it in the sender's namespace; the outer none: not asked, since the sender is elsewhere.
    pub(super) route: Option<Option<Chosen>>,
    /// Who takes it.
    pub(super) listening: Listening,
    /// Names under which the sender finds the receiver.
    pub(super) names: Vec<String>,
    /// Chains of other programs that drop what the host forwards.
    pub(super) shut: Vec<String>,
}

/// What is between a sender and a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// They have the same network namespace.
    Same,
    /// A network that both are on.
    Shared { network: String, talk: bool },
    /// Both are containers, and on no network together.
    Apart { from: Vec<String>, to: Vec<String>, published: Option<String> },
    /// From a container to the host itself.
    ToHost { network: Option<String> },
    /// From a container out of the host.
    Out { network: Option<String>, internal: bool, masquerade: bool },
    /// From the host to one of its containers.
    FromHost { network: Option<String> },
    /// Between the host and a container on a device of the host's, which carries nothing between the two.
    Hidden { network: String },
    /// By a network whose plugins know what passes.
    Plugged { network: String },
    /// From the world to a container's own address.
    Unpublished { published: Option<String> },
    /// To a port of the host that leads to a container.
    Published(Led),
    /// To a port of the host that leads to no container; `outside`: from the world.
    HostPort { outside: bool },
    /// Between places that no network of this engine has a part in.
    Foreign,
}

/// Where a published port leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Led {
    /// The host's address and port.
    pub(super) host: SocketAddr,
    /// Whose.
    pub(super) container: String,
    /// Its port.
    pub(super) port: u16,
    /// Why the sender's packets don't come so far, if they don't.
    pub(super) barred: Option<Barred>,
}

/// Why a published port does not lead a sender anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Barred {
    /// It is published on loopback, and the sender is not the host.
    Loopback,
    /// The sender is on internal networks only.
    Internal(String),
}

/// Whether a program takes what arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listening {
    /// No port was named, or it can't be known.
    Unknown,
    /// Some program does.
    Yes,
    /// Only at these addresses, which the packet is not sent to.
    Elsewhere(Vec<IpAddr>),
    /// Nobody; these ports have listeners.
    No(Vec<u16>),
}
