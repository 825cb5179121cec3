//! What can go wrong with a log and its options, in Docker's words where Docker has some.

use errors::{Class, io_class};
use std::io;
use std::path::{Path, PathBuf};

/// Why an option is refused, or a log can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such driver.
    #[error("error looking up logging plugin {name}: plugin \"{name}\" not found")]
    UnknownDriver {
        /// What was asked for.
        name: String,
    },
    /// A driver that Docker has and this engine has not.
    #[error("the log driver '{name}' is not supported by this engine: use json-file or none")]
    UnsupportedDriver {
        /// What was asked for.
        name: String,
    },
    /// The driver does not know the option.
    #[error("unknown log opt '{option}' for {driver} log driver")]
    UnknownOption {
        /// What was asked for.
        option: String,
        /// Of which driver.
        driver: &'static str,
    },
    /// A value that the option can't have; the text is what the daemon of Docker says.
    #[error("{message}")]
    BadValue {
        /// Docker's message.
        message: String,
        /// The option.
        option: &'static str,
    },
    /// The driver keeps nothing.
    #[error("configured logging driver does not support reading")]
    NotReadable,
    /// The host refused.
    #[error("{verb} {path}")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}

impl Error {
    pub(crate) fn io(verb: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io { verb, path: path.to_owned(), cause }
    }
}

impl errors::Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::UnknownDriver { .. } | Self::UnknownOption { .. } | Self::BadValue { .. } => Class::Invalid,
            Self::UnsupportedDriver { .. } | Self::NotReadable => Class::Unsupported,
            Self::Io { cause, .. } => io_class(cause),
        }
    }
}
