//! Failures of the cgroup file systems.

use errors::{Class, Classified};
use std::path::PathBuf;
use std::time::Duration;

/// The result of a cgroup operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No cgroup file system is mounted.
    #[error("no cgroup file system is mounted")]
    NotMounted,
    /// A file of a cgroup.
    #[error("{action} {path}", path = path.display())]
    File {
        /// Verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file of a cgroup does not say what its documentation promises.
    #[error("{path}: unintelligible: {text:?}", path = path.display())]
    Unintelligible {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// This host lacks the controller that the operation needs.
    #[error("this host has no {controller} cgroup controller")]
    NoController {
        /// Its name.
        controller: &'static str,
    },
    /// A limit that this host can't set.
    #[error("{limit}: {problem}")]
    Limit {
        /// What is limited.
        limit: &'static str,
        /// Why not.
        problem: String,
    },
    /// systemd refused.
    #[error("systemd: {method}: {message} ({name})")]
    Systemd {
        /// What it was asked.
        method: &'static str,
        /// Its name for the error.
        name: String,
        /// Its words.
        message: String,
    },
    /// systemd could not start or stop a unit.
    #[error("systemd: the job for {unit} is {result}: see `systemctl status {unit}`")]
    Job {
        /// The unit.
        unit: String,
        /// `failed`, `canceled`, `timeout`, …
        result: String,
    },
    /// The kernel did not get there in time.
    #[error("cgroup {path} is not {wanted} after {limit:?}", path = path.display())]
    Deadline {
        /// The cgroup.
        path: PathBuf,
        /// `frozen`, `empty`, …
        wanted: &'static str,
        /// How long was waited.
        limit: Duration,
    },
}

impl Error {
    /// Whether the cgroup simply does not exist (any more).
    pub fn is_missing(&self) -> bool {
        // ENODEV is what reads answer while a cgroup is being removed.
        matches!(self, Self::File { cause, .. }
            if cause.kind() == std::io::ErrorKind::NotFound || cause.raw_os_error() == Some(19))
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::NotMounted | Self::NoController { .. } => Class::Unsupported,
            Self::Limit { .. } => Class::Invalid,
            Self::File { .. } if self.is_missing() => Class::NotFound,
            Self::File { cause, .. } => errors::io_class(cause),
            Self::Unintelligible { .. } | Self::Systemd { .. } | Self::Job { .. } => Class::Internal,
            Self::Deadline { .. } => Class::Unavailable,
        }
    }
}
