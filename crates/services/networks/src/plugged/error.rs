//! What can go wrong with networks of the driver `cni`.

use errors::{Class, Classified};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// What can go wrong with networks of the driver `cni`.
#[derive(Debug, thiserror::Error)]
pub enum PluggedError {
    /// Plugins, and their configurations.
    #[error(transparent)]
    Plugins(#[from] cni::Error),
    /// What a network of plugins can't be told.
    #[error(
        "{what} can't be asked of a network of the driver cni: its CNI configuration says what it is like"
    )]
    NotOurs {
        /// What was asked for.
        what: String,
    },
    /// An option that says nothing to this driver.
    #[error("the driver cni has no option {option:?}: there is conf, the name of a CNI configuration")]
    NoOption {
        /// As given.
        option: String,
    },
    /// No configuration was named.
    #[error("a network of the driver cni needs the name of a CNI configuration: -o conf=NAME")]
    NoConf,
    /// Something that none of the plugins can do.
    #[error("no plugin of the network {network} has the capability {capability}, which {what} needs")]
    Incapable {
        /// The network's name.
        network: String,
        /// What was asked for.
        what: &'static str,
        /// As the configuration would have it.
        capability: &'static str,
    },
    /// What plugins made for the container before, and could not take back.
    #[error(
        "the device {device} that plugins of the network {network} made for this container is left over, see the daemon's log: \
         once what keeps them from deleting it is mended, start the container again"
    )]
    LeftOver {
        /// The network's name.
        network: String,
        /// The device in the container.
        device: String,
    },
    /// No thread for a plugin.
    #[error("start a thread for a plugin")]
    Thread(#[source] io::Error),
    /// An address that the plugins were asked for, and another that they gave.
    #[error("the plugins of the network {network} did not give the address {address}")]
    OtherAddress {
        /// The network's name.
        network: String,
        /// The wanted address.
        address: IpAddr,
    },
    /// Ports that plugins would have to lead from now on.
    #[error("the plugins of the network {network} publish ports when a container starts, not while it runs")]
    Fixed {
        /// The network's name.
        network: String,
    },
    /// A namespace that can't be kept for the plugins, or not let go.
    #[error("{action} the network namespace {}", .path.display())]
    Pin {
        /// `keep`, `let go of`.
        action: &'static str,
        /// The file that stands for it.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Classified for PluggedError {
    fn class(&self) -> Class {
        match self {
            Self::Plugins(error) => error.class(),
            Self::NotOurs { .. } | Self::NoOption { .. } | Self::NoConf => Class::Invalid,
            Self::Incapable { .. } | Self::Fixed { .. } => Class::Unsupported,
            Self::LeftOver { .. } | Self::Thread(_) | Self::OtherAddress { .. } | Self::Pin { .. } => {
                Class::Unavailable
            }
        }
    }
}
