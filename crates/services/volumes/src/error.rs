//! What can go wrong with volumes, in Docker's words where clients compare them.

use errors::{Class, Classified};
use std::io;
use std::path::PathBuf;

/// Results of volume operations.
pub type Result<T, E = VolumeError> = std::result::Result<T, E>;

/// What can go wrong with volumes.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// No volume of that name.
    #[error("get {name}: no such volume")]
    NotFound {
        /// As asked for.
        name: String,
    },
    /// A volume of that name exists with another driver.
    #[error("create {name}: conflict: volume name must be unique: it exists with driver \"{driver}\"")]
    Exists {
        /// The name.
        name: String,
        /// The existing one's driver.
        driver: String,
    },
    /// Containers have it.
    #[error("remove {name}: volume is in use - [{}]", containers.join(", "))]
    InUse {
        /// The name.
        name: String,
        /// Their ids.
        containers: Vec<String>,
    },
    /// It is on its way out.
    #[error("{name}: volume is being removed")]
    Removing {
        /// The name.
        name: String,
    },
    /// A character that Docker does not allow in names.
    #[error(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )]
    BadName {
        /// As given.
        name: String,
    },
    /// One character only.
    #[error("create {name}: volume name is too short, names should be at least two alphanumeric characters")]
    ShortName {
        /// As given.
        name: String,
    },
    /// A driver other than `local`.
    #[error("create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found")]
    UnknownDriver {
        /// The volume's name.
        name: String,
        /// As given.
        driver: String,
    },
    /// An option that the local driver does not have.
    #[error("create {name}: invalid option: \"{option}\"")]
    UnknownOption {
        /// The volume.
        name: String,
        /// The option.
        option: String,
    },
    /// Options of which one is missing or which contradict each other.
    #[error("create {name}: missing required option: \"{option}\"")]
    MissingOption {
        /// The volume.
        name: String,
        /// The option.
        option: &'static str,
    },
    /// A filter that the list does not have.
    #[error("invalid filter '{name}'")]
    BadFilter {
        /// Its name.
        name: String,
    },
    /// A filter value that has no meaning.
    #[error("invalid filter '{name}=[{value}]'")]
    BadFilterValue {
        /// The filter.
        name: String,
        /// Its value.
        value: String,
    },
    /// `size` needs project quotas.
    #[error("create {name}: quota size requested but no quota support")]
    NoQuota {
        /// The volume.
        name: String,
    },
    /// The driver's mount failed.
    #[error(
        "error while mounting volume '{}': failed to mount local volume: mount {device}:{}",
        target.display(),
        target.display()
    )]
    Mount {
        /// The volume's directory.
        target: PathBuf,
        /// What was to be mounted.
        device: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A server's name that would have to be looked up.
    #[error(
        "error while mounting volume '{}': the server '{host}' is no IP address and not in /etc/hosts: \
         write addr=<IP address>",
        target.display()
    )]
    HostName {
        /// The volume's directory.
        target: PathBuf,
        /// The server.
        host: String,
    },
    /// The driver's mount cannot be taken away.
    #[error("unmount volume directory {}", target.display())]
    Unmount {
        /// The volume's directory.
        target: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Copying the image's content failed.
    #[error("copy the image's content into the volume: {action} {}", path.display())]
    Populate {
        /// A verb.
        action: &'static str,
        /// The file, relative to the directory that is copied.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Measuring failed.
    #[error("measure {}", path.display())]
    Usage {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The kernel gave no random bytes.
    #[error("draw a random name")]
    NoRandomness {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Records.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Files.
    #[error(transparent)]
    File(#[from] durable::FileError),
}

impl Classified for VolumeError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } | Self::UnknownDriver { .. } => Class::NotFound,
            Self::Exists { .. } | Self::InUse { .. } | Self::Removing { .. } => Class::Conflict,
            Self::NoQuota { .. }
            | Self::BadName { .. }
            | Self::ShortName { .. }
            | Self::UnknownOption { .. }
            | Self::MissingOption { .. }
            | Self::BadFilter { .. }
            | Self::BadFilterValue { .. } => Class::Invalid,
            Self::HostName { .. } => Class::Unsupported,
            Self::Mount { .. } | Self::Unmount { .. } | Self::NoRandomness { .. } => Class::Internal,
            Self::Populate { source, .. } | Self::Usage { source, .. } => errors::io_class(source),
            Self::Store(error) => error.class(),
            Self::File(error) => error.class(),
        }
    }
}
