//! `image mount`: an image's files for programs of the host, read-only and without a container.

use crate::Services;
use errors::{Class, Error, Result};
use images::{Image, MountedImage, mounted_images};
use oci::Platform;
use std::path::PathBuf;
use std::sync::Arc;

/// Mounts an image in the state directory, and answers where. Until it is unmounted the image can't be removed.
///
/// # Errors
/// `NotFound`; `Internal` where the kernel refuses.
pub async fn mount(
    services: &Arc<Services>,
    name: &str,
    platform: Option<&Platform>,
) -> Result<MountedImage> {
    let image = services.images.resolve_for(name, platform)?;
    Ok(services.images.mount(&image, &directory(services)).await?)
}

/// Ends an image's mount, and answers where it was.
///
/// # Errors
/// `NotFound` for an image that is not here, or not mounted; `Conflict` while a process uses the mount, unless it goes by
/// `force`: then it is gone for newcomers at once, and for the others as they leave.
pub async fn unmount(
    services: &Arc<Services>,
    name: &str,
    platform: Option<&Platform>,
    force: bool,
) -> Result<MountedImage> {
    let image = services.images.resolve_for(name, platform)?;
    let unmounted = services.images.unmount(&image.id, &directory(services), force).await?;
    unmounted.ok_or_else(|| Error::new(Class::NotFound, format!("image {name} is not mounted")))
}

/// What is mounted, with the images.
pub fn mounts(services: &Services) -> Vec<(MountedImage, Option<Arc<Image>>)> {
    let all = mounted(services).into_iter();
    all.map(|one| (services.images.get(&one.image), one)).map(|(image, one)| (one, image)).collect()
}

/// Ends all mounts, for a purge.
pub(crate) async fn unmount_all(services: &Services) -> Result<()> {
    for one in mounted(services) {
        services.images.unmount(&one.image, &directory(services), true).await?;
    }
    Ok(())
}

pub(crate) fn mounted(services: &Services) -> Vec<MountedImage> {
    mounted_images(&directory(services))
}

/// Gone after a restart of the host, as the mounts are.
fn directory(services: &Services) -> PathBuf {
    services.settings().runtime.state_dir.join("images")
}
