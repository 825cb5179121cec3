//! Repositories of a registry: their tags, manifests, blobs and referrers, and the uploads in progress. No HTTP.
//!
//! [`Repositories`] holds the rules of the OCI distribution specification; where the bytes are is the business of a
//! [`Storage`]: a [`Directory`] or a [`Bucket`]. A storage knows content, named by its digest and shared by all
//! repositories, and links: small records that say that a repository has a piece of content, or what a tag means.
//! A [`Mirror`] fills repositories from other registries.
//! There are no counters: content that no link names is swept, see [`Repositories::collect`].
//!
//! Durable before named: a storage has the bytes of content on disk before it writes a link to it, and links are on
//! disk when [`Storage::write_links`] returns. A link whose content is missing counts as absent.

mod blobs_of;
mod bucket;
mod catalog;
mod check;
mod collect;
mod directory;
mod error;
mod fence;
mod key;
mod manifest;
mod manifests;
mod mirror;
mod name;
mod referrers;
mod sessions;
mod storage;
mod tags;
mod upload_id;
mod uploads;

pub use bucket::Bucket;
pub use catalog::Page;
pub use check::{CheckReport, Checkup, Flaw, Trouble};
pub use collect::{Collected, Collection};
pub use directory::Directory;
pub use error::{RepositoryError, Result, StorageError};
pub use key::{Folder, Key};
pub use manifest::{Descriptor, MAX_MANIFEST, Manifest};
pub use manifests::{Pushed, Put, Stored};
pub use mirror::{Mirror, Mirrored, Upstream};
pub use name::{RepositoryName, Tag, Target};
pub use storage::{Content, LinkInfo, Stat, Storage, Upload, UploadInfo};
pub use upload_id::UploadId;
pub use uploads::{Mounted, Session};

use fence::Fence;
use sessions::Sessions;
use std::sync::Arc;

/// All repositories of a registry.
#[derive(Debug, Clone)]
pub struct Repositories {
    storage: Arc<dyn Storage>,
    sessions: Arc<Sessions>,
    fence: Arc<Fence>,
}

impl Repositories {
    /// Those that `storage` holds.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, sessions: Arc::default(), fence: Arc::default() }
    }
}
