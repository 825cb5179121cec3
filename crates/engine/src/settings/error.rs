//! What can go wrong with settings.

use config::{EditError, KeyPath, Problem, problems_text};
use errors::{Class, Classified};
use std::path::PathBuf;

/// What can go wrong with settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// They can't be so.
    #[error("{}", problems_text(.0))]
    Wrong(Vec<Problem>),
    /// The file that was named is not there.
    #[error("there is no settings file {}", .0.display())]
    NoFile(PathBuf),
    /// The file is no text.
    #[error("{}: it is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// A file or directory can't be read.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file can't be changed so.
    #[error("{}", file.display())]
    Edit {
        /// Which.
        file: PathBuf,
        /// Why.
        source: EditError,
    },
    /// Not of the form `KEY=VALUE`, or no key.
    #[error("{0}")]
    Assignment(String),
    /// A part of the engine does not take a change.
    #[error("{component} refuses {key}: {reason}. The old settings stay")]
    Refused {
        /// Who.
        component: &'static str,
        /// The key that it is about.
        key: KeyPath,
        /// Why.
        reason: String,
        /// Of the reason.
        class: Class,
    },
}

impl Classified for SettingsError {
    fn class(&self) -> Class {
        match self {
            Self::Read { .. } => Class::Internal,
            Self::Refused { class, .. } => *class,
            Self::Wrong(_) | Self::NoFile(_) | Self::NotText(_) | Self::Edit { .. } | Self::Assignment(_) => {
                Class::Invalid
            }
        }
    }
}
