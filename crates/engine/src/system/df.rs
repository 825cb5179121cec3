//! `system df`: what takes how much.

use crate::Services;
use errors::Result;
use std::sync::Arc;

/// What takes how much, in bytes.
#[derive(Debug, Clone, Default)]
pub struct DiskUsage {
    /// All layers, each counted once.
    pub layers: u64,
    /// Images with the number of their containers.
    pub images: Vec<crate::image::ListedImage>,
    /// Containers with their sizes.
    pub containers: Vec<crate::container::Summary>,
    /// Volumes, their sizes, and how many containers have them.
    pub volumes: Vec<(volumes::Volume, u64, usize)>,
}

/// Measures everything.
///
/// # Errors
/// The store's.
pub async fn disk_usage(services: &Arc<Services>) -> Result<DiskUsage> {
    let list = crate::container::List { all: true, size: true, ..Default::default() };
    let mut usage = DiskUsage {
        images: crate::image::list(services, &images::Filter::default()).await?,
        containers: crate::container::list(services, list).await?,
        ..DiskUsage::default()
    };
    usage.layers = services.images.layers_size();
    for volume in services.volumes.list(&volumes::Filter::default()).await? {
        let size = services.volumes.usage(&volume.name).await?;
        let users = services.volumes.containers(&volume.name).len();
        usage.volumes.push((volume, size, users));
    }
    Ok(usage)
}
