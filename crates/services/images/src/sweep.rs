//! Taking away the blobs that nobody names any more.

use crate::index::{Index, Layer, Stored};
use crate::records::{ImageRecord, NameRecord};
use crate::{Images, Result};
use oci::Digest;
use std::collections::HashSet;

/// What a sweep took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    /// How many blobs.
    pub(crate) blobs: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Keeps a blob from the sweep, also one that is still to come. When the last one goes and no record has come to name the
/// blob, it goes too.
#[derive(Debug)]
pub(crate) struct Pin {
    images: Images,
    digest: Digest,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let inner = &self.images.inner;
        inner.leases.unpin(&self.digest, || {
            if !inner.index.load().names_blob(&self.digest)
                && let Err(error) = inner.blobs.remove(&self.digest)
            {
                // The next sweep takes it away.
                tracing::warn!(blob = %self.digest, error = %errors::chain(&error), "discard a blob");
            }
        });
    }
}

impl Images {
    /// Keeps a blob. To be called before the blob is looked for or gets its name.
    pub(crate) fn pin(&self, digest: &Digest) -> Pin {
        self.inner.leases.pin(digest);
        Pin { images: self.clone(), digest: digest.clone() }
    }

    /// Takes away every blob that neither a record nor an operation in progress needs. The caller holds the lock on
    /// records. What cannot be deleted now goes with the next sweep.
    pub(crate) fn sweep_blobs(&self) -> Swept {
        self.try_sweep_blobs().unwrap_or_else(|error| {
            tracing::warn!(error = %errors::chain(&error), "sweep the blobs");
            Swept::default()
        })
    }

    fn try_sweep_blobs(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        for (digest, size) in self.spare_blobs()? {
            // Somebody may have come to need it since the list was made, and found it there.
            if let Some(removed) =
                self.inner.leases.unless_pinned(&digest, || self.inner.blobs.remove(&digest))
            {
                removed?;
                swept.blobs += 1;
                swept.bytes += size;
            }
        }
        Ok(swept)
    }

    /// Blobs that neither a record nor an operation in progress needs, with their sizes. The caller holds the lock on records.
    pub(crate) fn spare_blobs(&self) -> Result<Vec<(Digest, u64)>> {
        // In this order: a blob that comes after the list was made is not in it, one that came before is pinned or recorded.
        let mut list = self.inner.blobs.list()?;
        let mut needed = self.index().blobs();
        needed.extend(self.inner.leases.pinned());
        list.retain(|(digest, _)| !needed.contains(digest));
        Ok(list)
    }
}

impl Index {
    /// Whether a record names the blob.
    fn names_blob(&self, digest: &Digest) -> bool {
        let manifest = |stored: &Stored| stored.record.manifest_digest().as_ref() == Some(digest);
        let index = |name: &NameRecord| name.index.as_ref().is_some_and(|blob| blob.digest == *digest);
        let layer = |layer: &Layer| layer.blobs.iter().any(|blob| blob.digest == *digest);
        self.images.contains_key(digest)
            || self.unreadable.contains_key(digest)
            || self.images.values().any(manifest)
            || self.unreadable.values().any(|record| record.manifest_digest().as_ref() == Some(digest))
            || self.names.values().any(index)
            || self.layers.values().any(layer)
    }

    /// Every blob that a record names.
    pub(crate) fn blobs(&self) -> HashSet<Digest> {
        let listed = self.images.values().map(|stored| &stored.record);
        let manifests = listed.chain(self.unreadable.values()).filter_map(ImageRecord::manifest_digest);
        let indexes = self.names.values().filter_map(|name| name.index.as_ref());
        let layers = self.layers.values().flat_map(|layer| &layer.blobs);
        let named = indexes.chain(layers).map(|blob| blob.digest.clone());
        self.images.keys().chain(self.unreadable.keys()).cloned().chain(manifests).chain(named).collect()
    }
}
