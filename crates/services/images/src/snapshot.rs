//! The writable top of a container: made from an image, kept until released.
//!
//! A snapshot's key is the container's id. It keeps its layers alive without the image, so that an image can be
//! removed by force under a stopped container.

use crate::{Image, Images, Result};
use layers::{Change, Mount};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Bytes and inodes of what a container wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Allocated bytes.
    pub bytes: u64,
    /// Files and directories.
    pub inodes: u64,
}

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
    /// Makes the writable directories of the container `key` on top of `image`. A few system calls; not durable
    /// before the container's own record is.
    ///
    /// # Errors
    /// [`crate::ImageError::SnapshotExists`].
    pub async fn prepare(&self, image: &Image, key: &str) -> Result<()> {
        let _ = (image, key);
        todo!()
    }

    /// What to mount as the root file system of the container `key`.
    pub fn rootfs(&self, key: &str) -> Result<Vec<Mount>> {
        let _ = key;
        todo!()
    }

    /// The root file system of the container `key`, mounted nowhere: read inside with [`crate::read_in_root`]. The
    /// mount goes with the descriptor. Safe beside the container's own mount as long as nothing is written.
    pub fn open_root(&self, key: &str) -> Result<OwnedFd> {
        let _ = key;
        todo!()
    }

    /// The read-only root file system of an image, mounted nowhere.
    pub fn open_image_root(&self, image: &Image) -> Result<OwnedFd> {
        let _ = image;
        todo!()
    }

    /// Gives up the writable directories of the container `key`: one rename, the deletion comes later. One that
    /// does not exist is no error.
    pub async fn release(&self, key: &str) -> Result<()> {
        let _ = key;
        todo!()
    }

    /// Which snapshots there are, for the engine to release those whose container is gone.
    pub fn snapshots(&self) -> Vec<String> {
        todo!()
    }

    /// What the container `key` wrote. Walks the directory, on the pool for blocking work.
    pub async fn usage(&self, key: &str) -> Result<Usage> {
        let _ = key;
        todo!()
    }

    /// Bytes of the layers below the container `key`.
    pub fn lower_size(&self, key: &str) -> Result<u64> {
        let _ = key;
        todo!()
    }

    /// What the container `key` added, changed and deleted, sorted by path.
    pub async fn changes(&self, key: &str) -> Result<Vec<Change>> {
        let _ = key;
        todo!()
    }

    /// Directories of a container's root file system.
    pub fn dirs(&self, key: &str) -> Result<GraphDirs> {
        let _ = key;
        todo!()
    }

    /// Directories of an image; none if it has no layers.
    pub fn image_dirs(&self, image: &Image) -> Option<GraphDirs> {
        let _ = image;
        todo!()
    }
}
