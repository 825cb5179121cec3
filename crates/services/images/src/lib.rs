//! Images: their records, names and layers, and the writable snapshots of containers on top of them.
//!
//! An image is its config, whose digest is its id, and a stack of layers that are shared by diff id. Records live in
//! the [`store::StateStore`]; a copy of all of them is kept in memory and replaced as a whole with each change, so
//! that lists and lookups wait for nothing. Layers and blobs are on disk before a record names them, and what no
//! record names is deleted at the next start.

mod check;
mod commit;
mod distribution;
mod embedded;
mod error;
mod from_container;
mod history;
mod image;
mod import;
mod index;
mod instructions;
mod intake;
mod leases;
mod list;
mod load;
mod manifest;
mod mounted;
mod partials;
mod pattern;
mod platforms;
mod pull;
mod push;
mod records;
mod remove;
mod save;
mod snapshot;
mod sweep;
mod tag;
mod usage;
mod used;

pub use blobs::digest as digest_of_bytes;
pub use check::{Finding, Report, Surroundings};
pub use distribution::{Distribution, ask, bring_over, read_remote};
pub use embedded::NAME as EMBEDDED_NAME;
pub use error::{ImageError, Result};
pub use from_container::FromContainer;
pub use history::HistoryItem;
pub use image::Image;
pub use import::Import;
pub use layers::{Change, ChangeKind, LayerError, Mount, Usage, read_in_root};
pub use list::{Filter, Summary};
use load::Turns;
pub use load::{LoadOptions, Loaded};
pub use mounted::{MountedImage, mounted_images};
pub use platforms::PlatformManifest;
pub use pull::{LayerStep, Progress, Pull, Pulled, read_documents};
pub use push::{Push, Pushed};
pub use remove::{Removal, Removed, Use, User};
pub use snapshot::GraphDirs;
pub use tag::Tagged;
pub use usage::{ImageUsage, StoreUsage};

use arc_swap::ArcSwap;
use blobs::Blobs;
use index::{Index, Layer};
use layers::{LayerId, Layers};
use leases::Leases;
use oci::{Digest, ImageConfig, Platform, Reference};
use pull::Transfers;
use records::{IMAGES, ImageRecord, LAYERS, LayerRecord, NAMES, NameRecord};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};
use store::StateStore;

/// Where the blobs are in [`Config::root`].
pub const BLOBS: &str = "blobs";

/// The same of layers.
pub const LAYERS_DIR: &str = "layers";

/// The largest config document that is read.
pub(crate) const MAX_CONFIG: u64 = 8 << 20;

/// Where images live.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory for `blobs` and `layers`, on one file system that supports overlay.
    pub root: PathBuf,
    /// Another directory of blobs on that file system, a registry's: what it has is not fetched but linked.
    pub beside: Option<PathBuf>,
    /// Layers that may come from registries at a time, of all pulls together.
    pub downloads: usize,
}

/// The images of one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Images {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blobs: Blobs,
    layers: Layers,
    store: Arc<dyn StateStore>,
    index: ArcSwap<Index>,
    leases: Arc<Leases>,
    /// Held by whoever changes records, from reading the index to replacing it.
    writing: tokio::sync::Mutex<()>,
    /// Of those who read archives.
    turns: Turns,
    /// Layers that are coming from registries.
    transfers: Arc<Transfers>,
    /// Allocated bytes of layers that somebody wanted to know.
    measured: Mutex<HashMap<LayerId, u64>>,
    /// When images were used that their records do not say yet, Unix time in nanoseconds.
    used: Mutex<HashMap<Digest, i64>>,
    /// Shared by those who are between giving a layer its place and taking hold of it.
    publishing: RwLock<()>,
}

impl Images {
    /// Reads all records and deletes layers that none of them names and no container needs.
    ///
    /// An image whose config cannot be read is left out with a warning; its record stays, for a repair.
    pub async fn open(config: Config, store: Arc<dyn StateStore>) -> Result<Self> {
        let records = Records::read(&*store).await?;
        let inner = offload::blocking(move || -> Result<_> {
            let mut blobs = Blobs::open(&config.root.join(BLOBS))?;
            if let Some(beside) = &config.beside {
                blobs = blobs.beside(beside);
            }
            let layers = Layers::open(&config.root.join(LAYERS_DIR))?;
            let index = records.index(&blobs)?;
            let leases = Arc::new(Leases::default());
            for key in layers.snapshots()? {
                let mut lower = layers.lower(&key)?;
                lower.reverse();
                leases.hold(&key, &lower);
            }
            layers.retain(&index.layers.values().map(|layer| layer.dir.clone()).collect())?;
            let (index, writing) = (ArcSwap::from_pointee(index), tokio::sync::Mutex::default());
            let transfers = Arc::new(Transfers::new(config.downloads));
            let (measured, used, publishing) = (Mutex::default(), Mutex::default(), RwLock::default());
            Ok(Inner {
                blobs,
                layers,
                store,
                index,
                leases,
                writing,
                turns: Turns::default(),
                transfers,
                measured,
                used,
                publishing,
            })
        })
        .await?;
        let images = Self { inner: Arc::new(inner) };
        images.sweep_blobs();
        Ok(images)
    }

    /// The image that `name` means: a reference (`latest` if it has neither tag nor digest), an id or an unambiguous
    /// beginning of one.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::Ambiguous`], or [`ImageError::Reference`] if it can be neither.
    pub fn resolve(&self, name: &str) -> Result<Arc<Image>> {
        Ok(Arc::clone(&self.index().resolve(name)?.image))
    }

    /// The same for a platform: of a name that stands for several that one; whatever it means if none is asked for.
    ///
    /// # Errors
    /// [`ImageError::WrongPlatform`] if the image is for another one.
    pub fn resolve_for(&self, name: &str, platform: Option<&Platform>) -> Result<Arc<Image>> {
        let index = self.index();
        let image = Arc::clone(&index.resolve(name)?.image);
        let Some(wanted) = platform else { return Ok(image) };
        let record = name.parse::<Reference>().ok().and_then(|name| index.name(&name.or_latest()));
        let others =
            record.into_iter().flat_map(|record| &record.others).filter_map(|id| index.images.get(id));
        let all = others.map(|stored| &stored.image).chain([&image]);
        let ranked = all.filter_map(|image| Some((wanted.rank(&image.platform())?, image)));
        match ranked.min_by_key(|(rank, _)| *rank) {
            Some((_, found)) => Ok(Arc::clone(found)),
            None => Err(ImageError::WrongPlatform {
                name: name.to_owned(),
                found: Box::new(image.platform()),
                wanted: Box::new(wanted.clone()),
            }),
        }
    }

    /// All tags of a repository, sorted.
    ///
    /// # Errors
    /// [`ImageError::NothingToPush`] if there is none.
    pub fn tags_of(&self, repository: &Reference) -> Result<Vec<Reference>> {
        let index = self.index();
        let tags = index.names.keys().filter(|name| name.tag().is_some() && name.same_repository(repository));
        let tags: Vec<Reference> = tags.cloned().collect();
        let name = repository.familiar_name().to_owned();
        if tags.is_empty() { Err(ImageError::NothingToPush { name }) } else { Ok(tags) }
    }

    /// The image with exactly this id.
    pub fn get(&self, id: &Digest) -> Option<Arc<Image>> {
        self.index().images.get(id).map(|stored| Arc::clone(&stored.image))
    }

    /// How many images there are, those without a name included.
    pub fn count(&self) -> usize {
        self.index().images.len()
    }

    fn index(&self) -> Arc<Index> {
        self.inner.index.load_full()
    }
}

/// Everything that the store says about images.
struct Records {
    images: Vec<(String, ImageRecord)>,
    names: Vec<(String, NameRecord)>,
    layers: Vec<(String, LayerRecord)>,
}

impl Records {
    async fn read(store: &dyn StateStore) -> Result<Self> {
        let images = store::list_as(store, IMAGES).await?.1;
        let names = store::list_as(store, NAMES).await?.1;
        let layers = store::list_as(store, LAYERS).await?.1;
        let images = images.into_iter().map(|(key, record, _)| (key, record)).collect();
        let names = names.into_iter().map(|(key, record, _)| (key, record)).collect();
        let layers = layers.into_iter().map(|(key, record, _)| (key, record)).collect();
        Ok(Self { images, names, layers })
    }

    fn index(self, blobs: &Blobs) -> Result<Index> {
        let mut index = Index::default();
        for (key, record) in self.layers {
            let bad = || ImageError::BadRecord { key: format!("{LAYERS}{key}") };
            let dir = record.dir.parse().map_err(|_| bad())?;
            let layer = Layer { dir, size: record.size, blobs: record.blobs };
            index.layers.insert(key.parse().map_err(|_| bad())?, layer);
        }
        for (key, record) in self.names {
            let name: Reference =
                key.parse().map_err(|_| ImageError::BadRecord { key: format!("{NAMES}{key}") })?;
            index.names.insert(name, record);
        }
        for (key, record) in self.images {
            let id = key.parse().map_err(|_| ImageError::BadRecord { key: format!("{IMAGES}{key}") })?;
            match read_config(blobs, &id) {
                Ok(config) => index.insert(&id, record, Arc::new(config)),
                Err(error) => {
                    index.unreadable.insert(id.clone(), record);
                    let error = errors::Error::from(error);
                    tracing::error!(image = %id, %error, "an image cannot be read and is left out");
                }
            }
        }
        Ok(index)
    }
}

fn read_config(blobs: &Blobs, id: &Digest) -> Result<ImageConfig> {
    let bytes = blobs.read(id, MAX_CONFIG)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| ImageError::BadDocument { name: format!("config {id}"), source })
}
