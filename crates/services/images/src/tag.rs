//! Giving names to images.

use crate::index::Index;
use crate::records::NameRecord;
use crate::{ImageError, Images, Result};
use oci::{Digest, Reference};
use std::collections::{BTreeMap, BTreeSet};

/// What `tag` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The image.
    pub id: Digest,
    /// Its new name.
    pub reference: Reference,
    /// The image that had the name before and has lost it.
    pub replaced: Option<Digest>,
}

impl Images {
    /// Gives the image that `source` means the name `target`, with `latest` if it has no tag.
    ///
    /// # Errors
    /// [`ImageError::NotFound`]; [`ImageError::TagByDigest`] if `target` has a digest, [`ImageError::AmbiguousTag`] if it reads as one.
    pub async fn tag(&self, source: &str, target: &Reference) -> Result<Tagged> {
        if target.digest().is_some() {
            return Err(ImageError::TagByDigest);
        }
        if target.familiar_name() == "sha256" {
            return Err(ImageError::AmbiguousTag);
        }
        let reference = target.clone().or_latest();
        let _writing = self.inner.writing.lock().await;
        let index = Index::clone(&self.index());
        let id = index.resolve(source)?.image.id.clone();
        // A name that stands for several platforms goes on to do so.
        let known = source.parse::<Reference>().ok().and_then(|name| index.name(&name.or_latest()).cloned());
        let record = known.unwrap_or_else(|| NameRecord::of(id.clone()));
        let names = BTreeMap::from([(reference.clone(), record)]);
        let moved = self.rename(index, &names, &BTreeSet::new(), Some(&id)).await?;
        Ok(Tagged { id, reference, replaced: moved.into_iter().next().map(|moved| moved.from) })
    }
}
