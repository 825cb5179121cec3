//! The service: what volumes there are.

mod remove;
mod ties;
mod uses;

pub use remove::Pruned;
pub use uses::Reference;

use crate::locks::NameLocks;
use crate::users::Users;
use crate::{Create, Filter, Result, Volume, VolumeError, directories, driver, usage};
use durable::Trash;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{StateStore, StoreError, Transaction};

/// Below this the records are kept.
const PREFIX: &str = "volumes/";

/// All volumes of this engine.
#[derive(Debug)]
pub struct Volumes {
    pub(crate) dir: PathBuf,
    /// Whom the directories of new volumes belong to.
    owner: (u32, u32),
    store: Arc<dyn StateStore>,
    pub(crate) trash: Arc<Trash>,
    /// What the store holds, and who uses it; never locked across an `await`.
    known: Mutex<BTreeMap<String, Known>>,
    /// Held by whatever changes a volume.
    pub(crate) changing: NameLocks,
}

#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) volume: Volume,
    pub(crate) users: Users,
    /// On its way out: nobody may begin to use it.
    pub(crate) removing: bool,
}

impl Known {
    fn new(volume: Volume) -> Self {
        Self { volume, users: Users::default(), removing: false }
    }
}

impl Volumes {
    /// The volumes whose directories are in `dir` (usually `<root>/volumes`). `trash` must be on the same mount.
    ///
    /// Finishes or takes back what a crash interrupted. A directory with content but without a record, as after the
    /// loss of the store, becomes a volume again; one without content goes, unless `keep_strays` says that it may be of a
    /// container that the store does not know.
    pub async fn open(
        dir: &Path,
        store: Arc<dyn StateStore>,
        trash: Arc<Trash>,
        keep_strays: bool,
    ) -> Result<Self> {
        let (_, records) = store::list_as::<Volume>(&*store, PREFIX).await?;
        let known: BTreeMap<_, _> =
            records.into_iter().map(|(name, volume, _)| (name, Known::new(volume))).collect();
        let (path, names, bin) = (dir.to_owned(), known.keys().cloned().collect(), Arc::clone(&trash));
        let orphans =
            offload::blocking(move || directories::reconcile(&path, &names, keep_strays, &bin)).await?;
        let volumes = Self {
            dir: dir.to_owned(),
            owner: (0, 0),
            store,
            trash,
            known: Mutex::new(known),
            changing: NameLocks::default(),
        };
        for volume in orphans {
            tracing::warn!(volume = volume.name, "found a volume without a record, keeping it");
            volumes.record(volume).await?;
        }
        Ok(volumes)
    }

    /// The same, with user and group of the containers' root for new volumes.
    #[must_use]
    pub fn owned_by(self, owner: (u32, u32)) -> Self {
        Self { owner, ..self }
    }

    /// Makes a volume, or returns the one that has this name and driver already; then labels and options do not matter.
    ///
    /// The flag says whether it was made now.
    pub async fn create(&self, create: Create) -> Result<(Volume, bool)> {
        let volume = create.resolve()?;
        let _changing = self.changing.hold(&volume.name).await;
        match self.existing(&volume.name) {
            Some(existing) if existing.driver == volume.driver => {
                return Ok((self.shared(existing, &volume).await?, false));
            }
            Some(Volume { name, driver, .. }) => return Err(VolumeError::Exists { name, driver }),
            None => {}
        }
        driver::validate(&volume.name, &volume.options)?;
        let (dir, name, owner) = (self.dir.clone(), volume.name.clone(), self.owner);
        let new = offload::blocking(move || directories::create(&dir, &name, owner)).await?;
        match self.record(volume.clone()).await {
            Ok(()) => Ok((volume, true)),
            // An earlier call was cut off after its record was made.
            Err(VolumeError::Store(StoreError::Conflict { .. })) => {
                let existing = self.recorded(&volume.name).await?;
                Ok((self.shared(existing, &volume).await?, false))
            }
            Err(error) => {
                if new {
                    // What stays of it is empty, hence discarded at the next start.
                    let _ = self.trash.discard(&self.dir.join(&volume.name));
                }
                Err(error)
            }
        }
    }

    /// One that was there: if it was made for another container, it stays from now on whatever becomes of that one.
    async fn shared(&self, existing: Volume, wanted: &Volume) -> Result<Volume> {
        if existing.goes_with.is_none() || existing.goes_with == wanted.goes_with {
            return Ok(existing);
        }
        self.untie(&existing.name).await?;
        Ok(Volume { goes_with: None, ..existing })
    }

    async fn recorded(&self, name: &str) -> Result<Volume> {
        let found = store::get_as::<Volume>(&*self.store, &key(name)).await?;
        let (volume, _) = found.ok_or_else(|| not_found(name))?;
        self.known().insert(name.to_owned(), Known::new(volume.clone()));
        Ok(volume)
    }

    pub(crate) async fn record(&self, volume: Volume) -> Result<()> {
        let key = key(&volume.name);
        self.store.commit(store::put_as(Transaction::new().absent(&key), &key, &volume)?).await?;
        self.known().insert(volume.name.clone(), Known::new(volume));
        Ok(())
    }

    /// The volume of this name.
    pub async fn get(&self, name: &str) -> Result<Volume> {
        self.existing(name).ok_or_else(|| not_found(name))
    }

    /// All that `filter` wants, by name.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Volume>> {
        let known = self.known();
        let wanted = |known: &&Known| filter.matches(&known.volume, !known.users.containers().is_empty());
        Ok(known.values().filter(wanted).map(|known| known.volume.clone()).collect())
    }

    /// The directory that containers see, whether or not the volume exists.
    pub fn path(&self, name: &str) -> PathBuf {
        directories::data(&self.dir, name)
    }

    /// Bytes of disk that the volume takes, as `du` counts them.
    pub async fn usage(&self, name: &str) -> Result<u64> {
        let path = self.path(name);
        offload::blocking(move || usage::of(&path)).await
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn existing(&self, name: &str) -> Option<Volume> {
        self.known().get(name).map(|known| known.volume.clone())
    }

    pub(crate) async fn driver_mount(&self, volume: Volume) -> Result<()> {
        let path = self.path(&volume.name);
        offload::blocking(move || driver::mount(&volume.options, &path)).await
    }

    pub(crate) async fn driver_unmount(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        offload::blocking(move || driver::unmount(&path)).await
    }
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn not_found(name: &str) -> VolumeError {
    VolumeError::NotFound { name: name.to_owned() }
}

#[cfg(test)]
mod tests;
