//! An image's files, read-only, at a place of the host.

use crate::remove::{Use, User};
use crate::{Image, ImageError, Images, Result};
use oci::Digest;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// An image that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedImage {
    /// Its id.
    pub image: Digest,
    /// Where.
    pub path: PathBuf,
}

impl MountedImage {
    /// What stands in the way of the image's removal.
    pub fn as_use(&self) -> Use {
        Use { image: self.image.clone(), by: User::Mount(self.path.clone()) }
    }
}

impl Images {
    /// Mounts the image below the directory `dir`, under the digits of its id, and answers where. One that is mounted
    /// stays as it is. The mount outlives this process.
    ///
    /// # Errors
    /// [`ImageError::NotFound`] if the image is being removed; [`ImageError::Layers`] where the kernel refuses.
    pub async fn mount(&self, image: &Image, dir: &Path) -> Result<MountedImage> {
        // Nobody removes the image meanwhile; afterwards the mount is seen.
        let _writing = self.inner.writing.lock().await;
        if self.get(&image.id).is_none() {
            return Err(ImageError::NotFound { name: image.id.to_string() });
        }
        let layers = self.index().dirs(image)?;
        let mounted = MountedImage { image: image.id.clone(), path: dir.join(image.id.hex()) };
        let (store, path) = (self.inner.layers.clone(), mounted.path.clone());
        offload::blocking(move || {
            if layers::is_mounted(&path)? {
                return Ok(());
            }
            std::fs::create_dir_all(&path)
                .map_err(|source| ImageError::MountPlace { path: path.clone(), source })?;
            store.mount_on(&layers, &path).inspect_err(|_| drop(std::fs::remove_dir(&path)))?;
            Ok::<(), ImageError>(())
        })
        .await?;
        self.touch(&image.id);
        Ok(mounted)
    }

    /// Ends the image's mount below `dir`, and answers where it was. None: it is not mounted there.
    ///
    /// # Errors
    /// [`ImageError::MountInUse`] while somebody uses it, unless it goes `lazily`.
    pub async fn unmount(&self, id: &Digest, dir: &Path, lazily: bool) -> Result<Option<MountedImage>> {
        let mounted = MountedImage { image: id.clone(), path: dir.join(id.hex()) };
        offload::blocking(move || {
            if !layers::is_mounted(&mounted.path)? {
                return Ok(None);
            }
            layers::unmount_from(&mounted.path, lazily).map_err(|error| match error {
                layers::LayerError::Io { ref source, .. } if source.kind() == ErrorKind::ResourceBusy => {
                    ImageError::MountInUse {
                        id: mounted.image.short().to_owned(),
                        path: mounted.path.clone(),
                    }
                }
                other => other.into(),
            })?;
            // An empty directory that stays is used again.
            let _ = std::fs::remove_dir(&mounted.path);
            Ok(Some(mounted))
        })
        .await
    }
}

/// The images that are mounted below `dir`.
pub fn mounted_images(dir: &Path) -> Vec<MountedImage> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mounted = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        let image = format!("sha256:{}", path.file_name()?.to_str()?).parse().ok()?;
        layers::is_mounted(&path).unwrap_or(false).then_some(MountedImage { image, path })
    };
    entries.filter_map(mounted).collect()
}
