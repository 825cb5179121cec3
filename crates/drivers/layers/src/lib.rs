//! Layers as directories, stacked by the kernel's overlay file system.
//!
//! A layer is one directory, unpacked once from a tar stream and never changed again; it depends on no other, so
//! that images share it wherever it stands in their stack. A snapshot is the writable top of a container: an upper
//! and a work directory, and the layers below it. The driver keeps no records: whoever calls it says which layers
//! are wanted, and the others go when [`Layers::retain`] is called at start.
//!
//! ```text
//! <root>/l/<id>/            a layer; ids are six characters, so that 128 of them fit one mount's options
//! <root>/c/<key>/upper      what the container wrote
//! <root>/c/<key>/work       the kernel's
//! <root>/c/<key>/lower      symbolic link whose target lists the layers, topmost first
//! <root>/c/<key>/ids        likewise, for a container with ids of its own: which they are on the host
//! <root>/i/<name>/          what runtimes mount upon and some image lacks: see the module `init`
//! <root>/e/1, <root>/e/2    empty directories, below what has too few layers for the kernel
//! <root>/tmp/<id>/          a layer being unpacked; gone at the next start
//! <root>/trash/             what is being deleted in the background
//! ```
//!
//! Everything is below directories that only root may enter, since a layer holds other systems' set-id programs.

pub mod archive;
mod capability;
mod changes;
mod compare;
mod decompress;
mod error;
mod id;
mod ingest;
mod init;
mod mount;
mod mounted;
mod overlay;
mod pack;
mod pipe;
mod reserve;
mod snapshot;
mod spread;
mod stage;
mod thread;
mod unpack;
mod usage;
mod view;
mod walk;

pub use changes::{Change, ChangeKind};
pub use compare::Differences;
pub use decompress::{Compression, decompress};
pub use error::{LayerError, Result};
pub use id::LayerId;
pub use mount::{Mount, read_in_root};
pub use mounted::{is_mounted, unmount_from};
pub use pack::{PackOptions, pack_contents, pack_directory, pack_file};
pub use stage::Staged;
pub use unpack::{Contents, Extract, Limits, Owner};
pub use usage::Usage;
pub use view::{View, ViewMount, ViewRoot};

use durable::Trash;
use error::at;
use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The directory of layers and snapshots. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Layers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    trash: Trash,
    /// Which init layer goes with which stack.
    inits: Mutex<HashMap<Vec<LayerId>, String>>,
}

impl Layers {
    /// Makes the directories below `root` if need be and takes away what was being unpacked.
    pub fn open(root: &Path) -> Result<Self> {
        for name in ["", "l", "c", "i", "e/1", "e/2", "tmp"] {
            let dir = root.join(name);
            DirBuilder::new().mode(0o700).recursive(true).create(&dir).map_err(at("create", &dir))?;
        }
        let trash = Trash::open(&root.join("trash"))?;
        let layers =
            Self { inner: Arc::new(Inner { root: root.to_owned(), trash, inits: Mutex::default() }) };
        spread::children_of(&layers.staging_dir());
        for name in names(&layers.staging_dir())? {
            layers.inner.trash.discard(&layers.staging_dir().join(name))?;
        }
        // Their list of layers comes last: without it they were still being made when the engine was killed.
        for key in layers.snapshots()? {
            if let Err(LayerError::NotFound { .. }) = layers.lower(&key) {
                layers.release(&key)?;
            }
        }
        Ok(layers)
    }

    /// Takes away every layer that is neither `wanted` nor below a snapshot, and says how many.
    pub fn retain(&self, wanted: &HashSet<LayerId>) -> Result<usize> {
        let mut used = wanted.clone();
        for key in self.snapshots()? {
            used.extend(self.lower(&key)?);
        }
        let mut count = 0;
        for name in names(&self.inner.root.join("l"))? {
            if !name.parse().is_ok_and(|id| used.contains(&id)) {
                self.inner.trash.discard(&self.inner.root.join("l").join(&name))?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Takes a layer away: one rename, the deletion comes later. The caller knows that nobody needs it.
    pub fn remove(&self, id: &LayerId) -> Result<()> {
        Ok(self.inner.trash.discard(&self.layer_dir(id))?)
    }

    /// Takes away what [`Layers::list`] has named. The caller knows that it is nobody's.
    pub fn remove_named(&self, name: &str) -> Result<()> {
        Ok(self.inner.trash.discard(&self.inner.root.join("l").join(name))?)
    }

    /// What is in the directory of layers, whether it is one or not.
    pub fn list(&self) -> Result<Vec<String>> {
        names(&self.inner.root.join("l"))
    }

    /// Whether the layer is there.
    pub fn contains(&self, id: &LayerId) -> bool {
        self.layer_dir(id).is_dir()
    }

    /// The directory of a layer.
    pub fn layer_dir(&self, id: &LayerId) -> PathBuf {
        self.inner.root.join("l").join(id.as_str())
    }

    /// Waits until everything written so far is on disk.
    pub fn sync(&self) -> Result<()> {
        let root = &self.inner.root;
        let handle = File::open(root).map_err(at("open", root))?;
        rustix::fs::syncfs(handle).map_err(at("sync", root))
    }

    fn staging_dir(&self) -> PathBuf {
        self.inner.root.join("tmp")
    }

    /// For destructors: what cannot be moved away now goes at the next start.
    fn discard(&self, path: &Path) {
        if let Err(error) = self.inner.trash.discard(path) {
            tracing::warn!(path = %path.display(), error = %errors::chain(&error), "discard a directory");
        }
    }
}

/// Names in a directory.
fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).map_err(at("read", dir))?;
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<std::io::Result<_>>().map_err(at("read", dir))
}
