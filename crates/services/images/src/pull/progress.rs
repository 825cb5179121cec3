//! What a transfer tells while it goes on.

use oci::Digest;
use std::sync::Arc;

/// Something that happened to a part of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A line about the whole, perhaps about one tag.
    Note {
        /// The tag.
        tag: Option<String>,
        /// The line.
        text: String,
    },
    /// A layer.
    Layer {
        /// The layer's blob.
        digest: Digest,
        /// How far it is.
        step: LayerStep,
    },
}

/// How far a layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerStep {
    /// It is known, and not begun.
    Waiting,
    /// Its bytes come, and are unpacked as they come.
    Downloading {
        /// Bytes so far.
        current: u64,
        /// Of so many.
        total: u64,
    },
    /// All bytes are there; the last of them are being unpacked.
    Extracting {
        /// Of so many.
        total: u64,
    },
    /// All bytes are there, and what their digest says.
    Downloaded,
    /// It is here now.
    Complete,
    /// It was here before.
    Exists,
    /// It is to go to a registry.
    Preparing,
    /// Bytes go to a registry.
    Pushing {
        /// Bytes so far.
        current: u64,
        /// Of so many.
        total: u64,
    },
    /// The registry has it now.
    Pushed,
    /// The registry had it.
    ExistsThere,
    /// The registry took it from this other repository.
    Mounted(Arc<str>),
}

/// Where progress is told.
pub(crate) type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);
