//! What can go wrong between this crate and the kernel.

use errors::{Class, Classified, io_class};
use std::io;
use std::path::PathBuf;

/// The driver's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between this crate and the kernel.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a request about links, addresses or routes.
    #[error("{operation}{}", words(.explanation.as_deref()))]
    Refused {
        /// What was asked, with the names of the devices.
        operation: String,
        /// The kernel's own words, where it has any.
        explanation: Option<String>,
        /// Its error number.
        #[source]
        cause: io::Error,
    },
    /// A socket could not be opened, written or read.
    #[error("{action} a kernel socket")]
    Socket {
        /// `open`, `bind`, `write to`, `read from`.
        action: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The kernel answered something that is no netlink message.
    #[error("{operation}: the kernel's answer can't be read")]
    BadAnswer {
        /// What was asked.
        operation: String,
    },
    /// No device has this name.
    #[error("network device {device} does not exist")]
    NoDevice {
        /// The name.
        device: String,
    },
    /// A kind of device that the kernel does not have.
    #[error("this kernel has no {kind} devices: its module {module} is missing")]
    NoModule {
        /// `macvlan`, `ipvlan`, `vlan`.
        kind: String,
        /// What would have to be loaded.
        module: String,
    },
    /// A device of the wanted name exists, and this engine did not make it.
    #[error("network device {device} exists already and is not this engine's bridge")]
    ForeignDevice {
        /// The name.
        device: String,
    },
    /// A bridge has as many devices as the kernel allows (`BR_MAX_PORTS`).
    #[error("the bridge {bridge} is full: the kernel allows 1023 devices on one")]
    BridgeFull {
        /// Its name.
        bridge: String,
    },
    /// A name that no device or table can have.
    #[error("'{name}' can't name {what}: {rule}")]
    BadName {
        /// As given.
        name: String,
        /// `a network device`, `an nftables table`.
        what: &'static str,
        /// What a name has to be.
        rule: &'static str,
    },
    /// A network namespace could not be made or opened.
    #[error("{action} the network namespace{}", of(.path.as_ref()))]
    Namespace {
        /// `make`, `open`, `return from`.
        action: &'static str,
        /// Its file, if it has one.
        path: Option<PathBuf>,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A kernel parameter could not be read or written.
    #[error("{action} the kernel parameter {}", .path.display())]
    Sysctl {
        /// `read`, `write`.
        action: &'static str,
        /// Below `/proc/sys`.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another engine holds the lock.
    #[error("another engine has been choosing its addresses for more than {} s", .limit.as_secs_f32())]
    LockHeld {
        /// Which.
        name: &'static str,
        /// How long it was waited for.
        limit: std::time::Duration,
    },
    /// A thread could not be started.
    #[error("start the thread {name}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The program `nft` is not installed.
    #[error("the program nft is not installed (package nftables)")]
    NoNft,
    /// The kernel has no packet filter that `nft` could write.
    #[error("this kernel has no nftables: its module nf_tables is missing or can't be loaded")]
    NoNftables,
    /// The program `nft` could not be run.
    #[error("run {}", .program.display())]
    RunNft {
        /// Its path.
        program: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// `nft` refused the rules.
    #[error("write the nftables table {table}: {message}")]
    Nft {
        /// The table.
        table: String,
        /// What it printed.
        message: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Refused { cause, .. } => kernel_class(cause),
            Self::Socket { cause, .. } | Self::Namespace { cause, .. } | Self::Sysctl { cause, .. } => {
                io_class(cause)
            }
            Self::NoDevice { .. } => Class::NotFound,
            Self::ForeignDevice { .. } => Class::Conflict,
            Self::BadName { .. } => Class::Invalid,
            Self::NoNft | Self::NoNftables | Self::Nft { .. } | Self::NoModule { .. } => Class::Unsupported,
            Self::BridgeFull { .. } | Self::LockHeld { .. } | Self::Thread { .. } | Self::RunNft { .. } => {
                Class::Unavailable
            }
            Self::BadAnswer { .. } => Class::Internal,
        }
    }
}

impl Error {
    /// Whether the kernel said that the thing is there already.
    pub fn is_exists(&self) -> bool {
        self.errno() == Some(rustix::io::Errno::EXIST)
    }

    /// Whether the kernel said that the device or address is not there.
    pub fn is_gone(&self) -> bool {
        use rustix::io::Errno;
        matches!(self, Self::NoDevice { .. })
            || matches!(self.errno(), Some(Errno::NODEV | Errno::NXIO | Errno::SRCH | Errno::ADDRNOTAVAIL))
    }

    /// Whether the kernel said that the table, set or element is not there.
    pub fn is_absent(&self) -> bool {
        self.errno() == Some(rustix::io::Errno::NOENT)
    }

    /// Whether this host can't filter packets at all: it lacks the program or the kernel's part of it.
    pub fn is_no_filter(&self) -> bool {
        matches!(self, Self::NoNft | Self::NoNftables)
    }

    /// Whether the kernel said that no route leads there.
    pub fn is_unreachable(&self) -> bool {
        use rustix::io::Errno;
        matches!(self.errno(), Some(Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::ACCESS | Errno::INVAL))
    }

    /// Whether the kernel said that it does not have such things.
    pub fn is_unsupported(&self) -> bool {
        self.errno() == Some(rustix::io::Errno::OPNOTSUPP)
    }

    /// Whether the kernel said that a bridge has no number left for another device.
    pub(crate) fn is_full(&self) -> bool {
        self.errno() == Some(rustix::io::Errno::XFULL)
    }

    fn errno(&self) -> Option<rustix::io::Errno> {
        match self {
            Self::Refused { cause, .. } => rustix::io::Errno::from_io_error(cause),
            _ => None,
        }
    }
}

fn kernel_class(cause: &io::Error) -> Class {
    use rustix::io::Errno;
    match Errno::from_io_error(cause) {
        Some(Errno::NODEV | Errno::SRCH | Errno::NXIO | Errno::ADDRNOTAVAIL) => Class::NotFound,
        Some(Errno::OPNOTSUPP | Errno::AFNOSUPPORT) => Class::Unsupported,
        _ => io_class(cause),
    }
}

fn words(explanation: Option<&str>) -> String {
    explanation.map(|text| format!(" ({text})")).unwrap_or_default()
}

fn of(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display())).unwrap_or_default()
}
