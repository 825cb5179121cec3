//! The service: creating, finding and removing volumes, and keeping track of who uses them.

use crate::{Create, Filter, Result, Volume};
use durable::Trash;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::StateStore;

/// That a container has a volume in its configuration, and whether it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The volume.
    pub volume: String,
    /// The container's full id.
    pub container: String,
    /// Whether the container runs, so that the volume must stay mounted.
    pub mounted: bool,
}

/// What `prune` took away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Names.
    pub removed: Vec<String>,
    /// Bytes of disk given back.
    pub reclaimed: u64,
}

/// All volumes of this engine.
#[derive(Debug)]
pub struct Volumes {
    root: PathBuf,
    store: Arc<dyn StateStore>,
    trash: Arc<Trash>,
}

impl Volumes {
    /// Volumes below `<root>/volumes`. `trash` must be on the same mount.
    ///
    /// Directories without a record, which a crash may have left, are discarded.
    pub async fn open(root: &Path, store: Arc<dyn StateStore>, trash: Arc<Trash>) -> Result<Self> {
        todo!("{root:?} {store:?} {trash:?}")
    }

    /// Says which containers have which volumes, once at start. Mounts of the driver that nobody needs are taken away,
    /// missing ones of running containers are made again.
    pub async fn restore(&self, references: Vec<Reference>) -> Result<()> {
        todo!("{references:?}")
    }

    /// Makes a volume, or returns the one that has this name and driver already.
    ///
    /// The flag says whether it was made now.
    pub async fn create(&self, create: Create) -> Result<(Volume, bool)> {
        todo!("{create:?}")
    }

    /// The volume of this name.
    pub async fn get(&self, name: &str) -> Result<Volume> {
        todo!("{name}")
    }

    /// All that `filter` wants, by name.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Volume>> {
        todo!("{filter:?}")
    }

    /// Removes the volume with its content. With `force` one that does not exist is no error.
    ///
    /// Returns whether it was there.
    ///
    /// # Errors
    /// [`VolumeError::InUse`](crate::VolumeError::InUse) with the containers that reference it, also with `force`.
    pub async fn remove(&self, name: &str, force: bool) -> Result<bool> {
        todo!("{name} {force}")
    }

    /// Removes the volumes that no container references: the anonymous ones, or all that `filter` wants if it says so.
    pub async fn prune(&self, filter: &Filter) -> Result<Pruned> {
        todo!("{filter:?}")
    }

    /// The directory that containers see, whether or not the volume exists.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name).join("_data")
    }

    /// Notes that `container` has the volume in its configuration: it cannot be removed from now on.
    pub async fn reference(&self, name: &str, container: &str) -> Result<()> {
        todo!("{name} {container}")
    }

    /// The container is gone, or has the volume no longer.
    pub fn release(&self, name: &str, container: &str) {
        todo!("{name} {container}")
    }

    /// Makes the volume ready for a container that starts and returns its directory. The first one makes the driver's
    /// mount, if there is one. References it, too. Twice for one container is once.
    pub async fn mount(&self, name: &str, container: &str) -> Result<PathBuf> {
        todo!("{name} {container}")
    }

    /// The container ended; after the last one the driver's mount is taken away. The reference stays.
    pub async fn unmount(&self, name: &str, container: &str) -> Result<()> {
        todo!("{name} {container}")
    }

    /// Copies the image's content at `path` into the volume if it is empty; see [`populate`](crate::populate()).
    ///
    /// The volume must be mounted for `container`. If no other container has it mounted, the copy appears at once as a
    /// whole, so that a crash in between leaves an empty volume.
    pub async fn populate(
        &self,
        name: &str,
        container: &str,
        src_root: BorrowedFd<'_>,
        path: &Path,
    ) -> Result<bool> {
        todo!("{name} {container} {src_root:?} {path:?}")
    }

    /// Who references the volume.
    pub fn containers(&self, name: &str) -> Vec<String> {
        todo!("{name}")
    }

    /// Bytes of disk that the volume takes, as `du` counts them.
    pub async fn usage(&self, name: &str) -> Result<u64> {
        todo!("{name}")
    }
}
