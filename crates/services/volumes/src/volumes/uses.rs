//! Who has a volume, who runs with it, and what that needs.

use super::{Known, Volumes, not_found};
use crate::populate::{CopyOptions, Durability, copy_if_empty};
use crate::users::Users;
use crate::{Result, Volume, VolumeError, directories, driver};
use spec::IdMaps;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

impl Volumes {
    /// Says which containers have which volumes, once at start. Mounts of the driver that nobody needs are taken away,
    /// missing ones of running containers are made again; where that fails it is logged, so that the engine starts.
    pub async fn restore(&self, references: Vec<Reference>) -> Result<()> {
        let with_mounts = {
            let mut known = self.known();
            for Reference { volume, container, mounted } in references {
                match known.get_mut(&volume) {
                    Some(known) if mounted => known.users.mount(&container),
                    Some(known) => known.users.reference(&container),
                    None => tracing::warn!(volume, container, "a container's volume does not exist"),
                }
            }
            let with_mounts = known.values().filter(|known| driver::needs_mount(&known.volume.options));
            let state = |known: &Known| (known.volume.clone(), known.users.is_mounted());
            with_mounts.map(state).collect::<Vec<_>>()
        };
        for (volume, needed) in with_mounts {
            let name = volume.name.clone();
            let outcome =
                if needed { self.driver_mount(volume).await } else { self.driver_unmount(&name).await };
            if let Err(error) = outcome {
                tracing::warn!(volume = name, error = errors::chain(&error), "restore the volume's mount");
            }
        }
        Ok(())
    }

    /// Notes that `container` has the volume in its configuration: it cannot be removed from now on.
    pub async fn reference(&self, name: &str, container: &str) -> Result<()> {
        self.using(name, |users| users.reference(container)).map(drop)
    }

    /// The container is gone, or has the volume no longer.
    pub fn release(&self, name: &str, container: &str) {
        if let Some(known) = self.known().get_mut(name) {
            known.users.release(container);
        }
    }

    /// Makes the volume ready for a container that starts and returns its directory. The first one makes the driver's
    /// mount, if there is one. References it, too. Twice for one container is once.
    pub async fn mount(&self, name: &str, container: &str) -> Result<PathBuf> {
        let _changing = self.changing.hold(name).await;
        let volume = self.using(name, |users| users.mount(container))?;
        if driver::needs_mount(&volume.options)
            && let Err(error) = self.driver_mount(volume).await
        {
            self.no_longer_mounted(name, container);
            return Err(error);
        }
        Ok(self.path(name))
    }

    /// The container ended; after the last one the driver's mount is taken away. The reference stays.
    ///
    /// A volume or a use that is not there is no error.
    pub async fn unmount(&self, name: &str, container: &str) -> Result<()> {
        let _changing = self.changing.hold(name).await;
        match self.no_longer_mounted(name, container) {
            Some(volume) if driver::needs_mount(&volume.options) => self.driver_unmount(name).await,
            _ => Ok(()),
        }
    }

    /// Copies the image's content at `path` into the volume if it is empty; see [`populate`](crate::populate()).
    ///
    /// The volume must be mounted for `container`. If no other container has it mounted, the copy appears at once as a
    /// whole and synced, so that a crash leaves an empty volume or a full one. `ids`: what the container's ids are on the
    /// host, if not the same; then an empty volume of root's becomes the container's root's also without a copy.
    pub async fn populate(
        &self,
        name: &str,
        container: &str,
        src_root: BorrowedFd<'_>,
        path: &Path,
        ids: Option<&IdMaps>,
    ) -> Result<bool> {
        let _changing = self.changing.hold(name).await;
        let (volume, shared) = {
            let known = self.known();
            let entry = known.get(name).ok_or_else(|| not_found(name))?;
            (entry.volume.clone(), entry.users.is_mounted_by_others(container))
        };
        let root = src_root.try_clone_to_owned().map_err(|source| VolumeError::Populate {
            action: "open",
            path: path.to_owned(),
            source,
        })?;
        let (dir, path, trash) = (self.dir.clone(), path.to_owned(), Arc::clone(&self.trash));
        let ids = ids.cloned();
        offload::blocking(move || -> Result<_> {
            if shared || driver::needs_mount(&volume.options) {
                let data = directories::data(&dir, &volume.name);
                return copy_if_empty(
                    root.as_fd(),
                    &path,
                    &data,
                    &CopyOptions { durability: Durability::Later, ids },
                );
            }
            if let Some(ids) = &ids {
                directories::adopt(&dir, &volume.name, ids.root())?;
            }
            directories::populate(&dir, &volume.name, root.as_fd(), &path, ids, &trash)
        })
        .await
    }

    /// Who references the volume, by full ids.
    pub fn containers(&self, name: &str) -> Vec<String> {
        self.known().get(name).map_or_else(Vec::new, |known| known.users.containers())
    }

    /// Notes a use of a volume that exists and is not on its way out.
    fn using(&self, name: &str, note: impl FnOnce(&mut Users)) -> Result<Volume> {
        let mut known = self.known();
        let entry = known.get_mut(name).ok_or_else(|| not_found(name))?;
        if entry.removing {
            return Err(VolumeError::Removing { name: name.to_owned() });
        }
        note(&mut entry.users);
        Ok(entry.volume.clone())
    }

    /// The volume, if this was its last user.
    fn no_longer_mounted(&self, name: &str, container: &str) -> Option<Volume> {
        let mut known = self.known();
        let entry = known.get_mut(name)?;
        entry.users.unmount(container);
        (!entry.users.is_mounted()).then(|| entry.volume.clone())
    }
}
