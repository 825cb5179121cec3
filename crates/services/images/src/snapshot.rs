//! The writable top of a container: made from an image, kept until released.
//!
//! A snapshot's key is the container's id. It keeps its layers alive without the image, so that an image can be
//! removed by force under a stopped container.

use crate::{Image, ImageError, Images, Result};
use layers::{Change, LayerError, Mount, Usage, View, ViewMount, ViewRoot};
use spec::IdMaps;
use std::io::Write;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// Directories, as docker's `GraphDriver.Data` lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphDirs {
    /// Layers below, topmost first.
    pub lower: Vec<PathBuf>,
    /// The writable directory, or an image's topmost layer.
    pub upper: PathBuf,
    /// The kernel's work directory; of an image none.
    pub work: Option<PathBuf>,
}

impl Images {
    /// Makes the writable directories of the container `key`, whose ids may be others on the host, on top of `image`. A
    /// few system calls; not durable before the container's own record is.
    ///
    /// # Errors
    /// [`ImageError::SnapshotExists`]; [`ImageError::NotFound`] if the image is being removed.
    pub async fn prepare(&self, image: &Image, key: &str, ids: Option<&IdMaps>) -> Result<()> {
        let layers = self.index().dirs(image)?;
        if self.inner.leases.of(key).is_some() {
            return Err(ImageError::SnapshotExists { key: key.to_owned() });
        }
        if !self.inner.leases.hold(key, &layers) {
            return Err(ImageError::NotFound { name: image.id.to_string() });
        }
        self.inner.layers.prepare_mapped(key, &layers, ids).map_err(|error| {
            self.inner.leases.release(key);
            snapshot_error(error)
        })?;
        self.touch(&image.id);
        Ok(())
    }

    /// What the ids of the container `key` are on the host; none: the same.
    pub fn ids(&self, key: &str) -> Result<Option<IdMaps>> {
        self.inner.layers.ids(key).map_err(snapshot_error)
    }

    /// Tries whether layers can appear with the ids that the user namespace `user` maps.
    pub fn try_ids(&self, user: BorrowedFd<'_>) -> Result<()> {
        Ok(self.inner.layers.try_ids(user)?)
    }

    /// What to mount as the root file system of the container `key`.
    pub fn rootfs(&self, key: &str) -> Result<Vec<Mount>> {
        Ok(vec![self.inner.layers.rootfs(key).map_err(snapshot_error)?])
    }

    /// The root file system of the container `key`, read-only and mounted nowhere: read inside with
    /// [`crate::read_in_root`]. Owners are as on the disk: those of the layers are never mapped. The mount goes with the descriptor.
    pub fn open_root(&self, key: &str) -> Result<OwnedFd> {
        self.inner.layers.open_root(key).map_err(snapshot_error)
    }

    /// The files of the container `key` with these mounts in them, for copying in and out. Blocks.
    pub fn view(&self, key: &str, root: ViewRoot<'_>, mounts: &[ViewMount]) -> Result<View> {
        self.inner.layers.view(key, root, mounts).map_err(snapshot_error)
    }

    /// Packs what the container `key` added, changed and deleted into a layer's tar stream. Unpacked over the same layers it
    /// is the same tree; owners are as in the container. Blocks for as long as `output` does.
    pub fn pack_diff(&self, key: &str, output: impl Write) -> Result<()> {
        self.inner.layers.pack_diff(key, output).map_err(snapshot_error)
    }

    /// Gives up the writable directories of the container `key`: one rename, the deletion comes later. One that
    /// does not exist is no error. Layers that only this container needed go in the background.
    pub async fn release(&self, key: &str) -> Result<()> {
        self.inner.layers.release(key).map_err(snapshot_error)?;
        let Some(layers) = self.inner.leases.release(key) else { return Ok(()) };
        let index = self.index();
        let unused = crate::commit::unused(&index);
        if unused.iter().any(|(_, dir)| layers.contains(dir)) {
            let this = self.clone();
            tokio::spawn(async move {
                if let Err(error) = this.sweep().await {
                    let error = errors::Error::from(error);
                    tracing::warn!(%error, "delete layers that no container needs any more");
                }
            });
        }
        Ok(())
    }

    /// Which snapshots there are, for the engine to release those whose container is gone.
    pub fn snapshots(&self) -> Vec<String> {
        self.inner.leases.keys()
    }

    /// Which snapshots the disk has: some of them may not be known, and of those that are some may be gone.
    ///
    /// # Errors
    /// Those of reading the directory.
    pub async fn snapshots_on_disk(&self) -> Result<Vec<String>> {
        let layers = self.inner.layers.clone();
        offload::blocking(move || layers.snapshots().map_err(snapshot_error)).await
    }

    /// Makes the writable directories of the container `key` anew, empty, where they are gone. What they held is lost.
    ///
    /// # Errors
    /// As [`Images::prepare`].
    pub async fn prepare_anew(&self, image: &Image, key: &str, ids: Option<&IdMaps>) -> Result<()> {
        // Else it would count as one that exists.
        self.inner.leases.release(key);
        self.prepare(image, key, ids).await
    }

    /// What the container `key` wrote. Walks the directory, on the pool for blocking work.
    pub async fn usage(&self, key: &str) -> Result<Usage> {
        let (layers, key) = (self.inner.layers.clone(), key.to_owned());
        offload::blocking(move || layers.usage(&key).map_err(snapshot_error)).await
    }

    /// Bytes of the layers below the container `key`.
    pub fn lower_size(&self, key: &str) -> Result<u64> {
        let layers =
            self.inner.leases.of(key).ok_or_else(|| ImageError::NoSnapshot { key: key.to_owned() })?;
        let index = self.index();
        let size = |id: &layers::LayerId| {
            index.layers.values().find(|layer| layer.dir == *id).map_or(0, |layer| layer.size)
        };
        Ok(layers.iter().map(size).sum())
    }

    /// What the container `key` added, changed and deleted, sorted by path.
    pub async fn changes(&self, key: &str) -> Result<Vec<Change>> {
        let (layers, key) = (self.inner.layers.clone(), key.to_owned());
        offload::blocking(move || layers.changes(&key).map_err(snapshot_error)).await
    }

    /// Directories of a container's root file system.
    pub fn dirs(&self, key: &str) -> Result<GraphDirs> {
        let dir = self.inner.layers.snapshot_dir(key).map_err(snapshot_error)?;
        let lower = self.inner.layers.stack(key).map_err(snapshot_error)?;
        Ok(GraphDirs { lower, upper: dir.join("upper"), work: Some(dir.join("work")) })
    }

    /// Directories of an image; none if it has no layers.
    pub fn image_dirs(&self, image: &Image) -> Option<GraphDirs> {
        let mut dirs = self.index().dirs(image).ok()?;
        let upper = self.inner.layers.layer_dir(&dirs.pop()?);
        let lower = dirs.iter().rev().map(|id| self.inner.layers.layer_dir(id)).collect();
        Some(GraphDirs { lower, upper, work: None })
    }
}

fn snapshot_error(error: LayerError) -> ImageError {
    match error {
        LayerError::Exists { key } => ImageError::SnapshotExists { key },
        LayerError::NotFound { key } => ImageError::NoSnapshot { key },
        other => ImageError::Layers(other),
    }
}
