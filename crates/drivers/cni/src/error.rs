//! What can go wrong with plugins.

use errors::{Class, Classified};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The driver's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with plugins.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No configuration of this name.
    #[error("no CNI configuration {name:?} in {}, where there {}", listed(.directories), named(.present))]
    NoConfiguration {
        /// As asked for.
        name: String,
        /// Those that there are.
        present: Vec<String>,
        /// Where it was looked for.
        directories: Vec<PathBuf>,
    },
    /// A configuration that makes no sense.
    #[error("the CNI configuration {}: {why}", .path.display())]
    BadConfiguration {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A plugin that is not installed.
    #[error("the CNI plugin {kind:?} of the network {network} is not in {}", listed(.directories))]
    NoPlugin {
        /// The configuration's name.
        network: String,
        /// The plugin's.
        kind: String,
        /// Where it was looked for.
        directories: Vec<PathBuf>,
    },
    /// A plugin that could not be run.
    #[error("run the CNI plugin {}", .program.display())]
    Run {
        /// Its path.
        program: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A plugin that failed, in its own words.
    #[error("the CNI plugin {kind} of the network {network} failed to {command}: {message}")]
    Plugin {
        /// The configuration's name.
        network: String,
        /// The plugin's.
        kind: String,
        /// `ADD`, `DEL`, `CHECK`.
        command: &'static str,
        /// What it said.
        message: String,
    },
    /// A plugin that did not end, and was killed.
    #[error("the CNI plugin {kind} of the network {network} did not end within {limit:?} of {command}")]
    Slow {
        /// The configuration's name.
        network: String,
        /// The plugin's.
        kind: String,
        /// `ADD`, `DEL`, `CHECK`.
        command: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// A plugin's result that is none.
    #[error("the result of the CNI network {network} makes no sense: {why}")]
    BadResult {
        /// The configuration's name.
        network: String,
        /// Why.
        why: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::NoConfiguration { .. } => Class::NotFound,
            Self::BadConfiguration { .. } => Class::Invalid,
            Self::NoPlugin { .. } => Class::Unsupported,
            Self::Run { .. } | Self::Plugin { .. } | Self::Slow { .. } => Class::Unavailable,
            Self::BadResult { .. } => Class::Internal,
        }
    }
}

fn listed(directories: &[PathBuf]) -> String {
    directories.iter().map(|one| one.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn named(present: &[String]) -> String {
    match present {
        [] => "is none".to_owned(),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}
