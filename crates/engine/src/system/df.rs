//! `system df`: what takes how much, as `du` would count it.
//!
//! Together the parts are what the root directory takes, but for the file of records. So a container's share is its log
//! too, and an image's the blobs that it can be pushed and repaired from.

use crate::Services;
use errors::Result;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// What takes how much, in allocated bytes.
#[derive(Debug, Clone, Default)]
pub struct DiskUsage {
    /// All layers and blobs, each counted once, half-fetched ones included.
    pub layers: u64,
    /// Images with the number of their containers.
    pub images: Vec<(crate::image::ListedImage, images::ImageUsage)>,
    /// Containers with their sizes.
    pub containers: Vec<crate::container::Summary>,
    /// Volumes, their sizes, and how many containers have them.
    pub volumes: Vec<(volumes::Volume, u64, usize)>,
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Images.
    pub images: bool,
    /// Containers.
    pub containers: bool,
    /// Volumes.
    pub volumes: bool,
}

/// Measures what is wanted.
///
/// # Errors
/// The store's, and those of reading directories.
pub async fn disk_usage(services: &Arc<Services>, wanted: Measured) -> Result<DiskUsage> {
    let mut usage = DiskUsage::default();
    if wanted.images {
        let measured = services.images.disk_usage().await?;
        usage.layers = measured.total;
        for listed in crate::image::list(services, &images::Filter::default()).await? {
            let size = measured.images.get(&listed.summary.image.id).copied().unwrap_or_default();
            usage.images.push((listed, size));
        }
    }
    if wanted.containers {
        usage.containers = containers(services).await?;
    }
    if wanted.volumes {
        for volume in services.volumes.list(&volumes::Filter::default()).await? {
            let size = services.volumes.usage(&volume.name).await?;
            let users = services.volumes.containers(&volume.name).len();
            usage.volumes.push((volume, size, users));
        }
    }
    Ok(usage)
}

async fn containers(services: &Arc<Services>) -> Result<Vec<crate::container::Summary>> {
    let list = crate::container::List { all: true, size: true, ..Default::default() };
    let mut found = crate::container::list(services, list).await?;
    for summary in &mut found {
        let own = services.images.snapshot_usage(summary.record.id.as_str()).await?;
        let dir = services.container_dir(&summary.record.id);
        let files = offload::blocking(move || below(&dir)).await;
        let sizes = summary.sizes.get_or_insert_default();
        let image = sizes.total.saturating_sub(sizes.writable);
        (sizes.writable, sizes.total) = (own + files, image + own + files);
    }
    Ok(found)
}

/// Allocated bytes of a directory and all in it. What cannot be read, or vanishes meanwhile, counts nothing.
fn below(path: &Path) -> u64 {
    let Ok(stat) = fs::symlink_metadata(path) else { return 0 };
    let entries = if stat.is_dir() { fs::read_dir(path).ok() } else { None };
    let inside: u64 = entries.into_iter().flatten().flatten().map(|entry| below(&entry.path())).sum();
    stat.blocks() * 512 + inside
}
