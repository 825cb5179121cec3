//! Images: their records, names and layers, and the writable snapshots of containers on top of them.
//!
//! An image is its config, whose digest is its id, and a stack of layers that are shared by diff id. Records live in
//! the [`store::StateStore`]; a copy of all of them is kept in memory and replaced as a whole with each change, so
//! that lists and lookups wait for nothing. Layers and blobs are on disk before a record names them, and what no
//! record names is deleted at the next start.

mod embedded;
mod error;
mod history;
mod image;
mod import;
mod list;
mod load;
mod remove;
mod save;
mod snapshot;
mod tag;

pub use embedded::NAME as EMBEDDED_NAME;
pub use error::{ImageError, Result};
pub use history::HistoryItem;
pub use image::Image;
pub use import::Import;
pub use layers::{Change, ChangeKind, Mount, read_in_root};
pub use list::{Filter, Summary};
pub use load::{LoadOptions, Loaded};
pub use remove::{Removal, Removed, Use};
pub use snapshot::{GraphDirs, Usage};
pub use tag::Tagged;

use oci::Digest;
use std::path::PathBuf;
use std::sync::Arc;
use store::StateStore;

/// Where images live.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory for `blobs` and `layers`, on one file system that supports overlay.
    pub root: PathBuf,
}

/// The images of one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Images {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {}

impl Images {
    /// Reads all records and deletes layers and blobs that none of them names.
    pub async fn open(config: Config, store: Arc<dyn StateStore>) -> Result<Self> {
        let _ = (config, store);
        todo!()
    }

    /// The image that `name` means: a reference (`latest` if it has neither tag nor digest), an id or an unambiguous
    /// beginning of one.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::Ambiguous`], or [`ImageError::Reference`] if it can be neither.
    pub fn resolve(&self, name: &str) -> Result<Arc<Image>> {
        let _ = name;
        todo!()
    }

    /// The image with exactly this id.
    pub fn get(&self, id: &Digest) -> Option<Arc<Image>> {
        let _ = id;
        todo!()
    }

    /// How many images there are, those without a name included.
    pub fn count(&self) -> usize {
        todo!()
    }
}
