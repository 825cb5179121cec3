//! Taking volumes away.

use super::{Volumes, key, not_found};
use crate::{Filter, Result, VolumeError, directories};
use std::path::Path;
use store::Transaction;

/// What `prune` took away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Names.
    pub removed: Vec<String>,
    /// Bytes of disk given back.
    pub reclaimed: u64,
}

impl Volumes {
    /// Removes the volume with its content. With `force` one that does not exist is no error.
    ///
    /// Returns whether it was there.
    ///
    /// # Errors
    /// [`VolumeError::InUse`] with the containers that reference it, also with `force`.
    pub async fn remove(&self, name: &str, force: bool) -> Result<bool> {
        let _changing = self.changing.hold(name).await;
        let _marked = match self.mark_for_removal(name) {
            Ok(marked) => marked,
            Err(VolumeError::NotFound { .. }) if force => return Ok(false),
            Err(error) => return Err(error),
        };
        self.delete(name).await?;
        self.known().remove(name);
        Ok(true)
    }

    /// From here on nobody can begin to use the volume.
    fn mark_for_removal(&self, name: &str) -> Result<Marked<'_>> {
        let mut known = self.known();
        let entry = known.get_mut(name).ok_or_else(|| not_found(name))?;
        let containers = entry.users.containers();
        if !containers.is_empty() {
            return Err(VolumeError::InUse { name: name.to_owned(), containers });
        }
        entry.removing = true;
        Ok(Marked { volumes: self, name: name.to_owned() })
    }

    async fn delete(&self, name: &str) -> Result<()> {
        self.driver_unmount(name).await?;
        let aside = self.in_directory(name, directories::move_aside).await?;
        if let Err(error) = self.store.commit(Transaction::new().delete(key(name))).await {
            self.in_directory(name, directories::move_back).await?;
            return Err(error.into());
        }
        if let Err(error) = self.trash.discard(&aside) {
            // The volume is gone; at the next start its directory goes too.
            tracing::warn!(
                volume = name,
                error = errors::chain(&error),
                "the volume's directory stays for now"
            );
        }
        Ok(())
    }

    async fn in_directory<T: Send + 'static>(
        &self,
        name: &str,
        work: fn(&Path, &str) -> Result<T>,
    ) -> Result<T> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        offload::blocking(move || work(&dir, &name)).await
    }

    /// Removes the volumes that no container references: the anonymous ones, or all that `filter` wants if it says so.
    pub async fn prune(&self, filter: &Filter) -> Result<Pruned> {
        let mut pruned = Pruned::default();
        for volume in self.list(filter).await? {
            if !(filter.all() || volume.is_anonymous()) || !self.containers(&volume.name).is_empty() {
                continue;
            }
            let size = self.usage(&volume.name).await?;
            match self.remove(&volume.name, true).await {
                Ok(true) => {
                    pruned.reclaimed += size;
                    pruned.removed.push(volume.name);
                }
                // Somebody was faster, one way or the other.
                Ok(false) | Err(VolumeError::InUse { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pruned)
    }
}

/// Keeps a volume from being used. If it is still there in the end, however that came, it may be used again.
struct Marked<'a> {
    volumes: &'a Volumes,
    name: String,
}

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        if let Some(known) = self.volumes.known().get_mut(&self.name) {
            known.removing = false;
        }
    }
}
