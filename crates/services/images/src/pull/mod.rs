//! Images from registries.
//!
//! First the documents: the manifest that the name means now, of an index the one for the platform, and the config, which
//! tells which layers are here already, by whatever blob they came. Then the layers that are not, several at a time, the
//! largest first; each is unpacked while it comes. When all are there, one transaction records them.

mod arriving;
mod choose;
mod documents;
mod fetch;
mod progress;
mod transfers;

pub(crate) use choose::platform as platform_of;
pub(crate) use documents::digest_of;
pub use documents::read_documents;
pub(crate) use fetch::is_damage;
pub(crate) use progress::Tell;
pub use progress::{LayerStep, Progress};
pub(crate) use transfers::Transfers;

use crate::commit::Haul;
use crate::leases::Lease;
use crate::load::assemble;
use crate::records::BlobRecord;
use crate::{ImageError, Images, Result};
use documents::Documents;
use fetch::Fetched;
use futures_util::future::try_join_all;
use oci::{Digest, Platform, Reference};
use registry::Repository;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;

/// What to pull.
#[derive(Debug, Clone)]
pub struct Pull {
    /// A name with a tag or a digest.
    pub reference: Reference,
    /// None: the host's, or what a manifest that offers no choice is for.
    pub platform: Option<Platform>,
}

/// The layers of an image.
#[derive(Debug)]
struct Stack {
    /// All of them, lowest first.
    held: Vec<Arc<Lease>>,
    /// Those that came now.
    fetched: Vec<Arc<Fetched>>,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The image's id.
    pub id: Digest,
    /// Digest of what the name means in the registry: a manifest or an index.
    pub digest: Digest,
    /// Whether anything is new here.
    pub newer: bool,
    /// The image is for another platform than was asked for, since there is no choice.
    pub warning: Option<String>,
}

impl Images {
    /// Makes the image that a name means in a registry be here, under that name. `tell` hears of its progress.
    ///
    /// A caller that goes away ends it, unless others wait for the same layers; what came of these stays for the next try.
    ///
    /// # Errors
    /// [`ImageError::Registry`], [`ImageError::NoMatchingManifest`], [`ImageError::NotAnImage`]; what is wrong with a
    /// layer. Then nothing is recorded.
    pub async fn pull(
        &self,
        repository: &Repository,
        pull: &Pull,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Pulled> {
        let documents = self.documents(repository, pull).await?;
        let note =
            |tag: Option<&str>, text: String| tell(Progress::Note { tag: tag.map(str::to_owned), text });
        let familiar = pull.reference.familiar();
        note(
            Some(pull.reference.tag().unwrap_or(&familiar)),
            format!("Pulling from {}", pull.reference.path()),
        );
        undo::inject::pass("image.pull", "layers")?;
        let stack = self.layers(repository, &documents, tell).await?;
        undo::inject::pass("image.pull", "blobs")?;
        let digest = documents.digest.clone();
        let newer = self.record(pull, documents, stack).await?;
        note(None, format!("Digest: {digest}"));
        let warning = match (&pull.platform, self.get(&newer.0)) {
            (Some(wanted), Some(image)) if wanted.rank(&image.platform()).is_none() => {
                let (found, wanted) = (Box::new(image.platform()), Box::new(wanted.clone()));
                Some(ImageError::WrongPlatform { name: familiar, found, wanted }.to_string())
            }
            _ => None,
        };
        Ok(Pulled { id: newer.0, digest, newer: newer.1, warning })
    }

    /// Makes all layers be here, and says what they can be unpacked from.
    async fn layers(&self, repository: &Repository, documents: &Documents, tell: Tell<'_>) -> Result<Stack> {
        let diff_ids = &documents.config.rootfs.diff_ids;
        if diff_ids.len() != documents.layers.len() {
            let (expected, found) = (diff_ids.len(), documents.layers.len());
            return Err(ImageError::LayerCount { expected, found });
        }
        let inner = &self.inner;
        // Of an image that is here docker says nothing but that.
        let known = self.get(&documents.id).is_some();
        let recorded = |diff: &Digest| inner.index.load().layers.get(diff).cloned();
        // A layer may stand in a stack twice; it comes once.
        let (mut here, mut missing) = (HashMap::new(), Vec::new());
        for (diff_id, blob) in diff_ids.iter().zip(&documents.layers) {
            match inner.leases.lease(diff_id, &inner.layers, recorded) {
                Some(lease) => {
                    if !known {
                        tell(Progress::Layer { digest: blob.digest.clone(), step: LayerStep::Exists });
                    }
                    here.insert(diff_id, lease);
                }
                None if missing
                    .iter()
                    .any(|(_, other): &(&Digest, &BlobRecord)| other.digest == blob.digest) => {}
                None => {
                    tell(Progress::Layer { digest: blob.digest.clone(), step: LayerStep::Waiting });
                    missing.push((diff_id, blob));
                }
            }
        }
        // Of two processors none stays idle while a large one is unpacked alone at the end.
        missing.sort_by_key(|(_, blob)| std::cmp::Reverse(blob.size));
        let fetched = missing.iter().copied().map(|(diff_id, blob)| async move {
            let fetched = self.transfer(repository, blob, tell).await?;
            for step in [LayerStep::Downloaded, LayerStep::Complete] {
                tell(Progress::Layer { digest: blob.digest.clone(), step });
            }
            Ok::<_, ImageError>((diff_id, fetched))
        });
        let fetched = try_join_all(fetched).await.inspect_err(|error| {
            if is_full(error) {
                self.forget(missing.iter().map(|(_, blob)| BlobRecord::clone(blob)).collect());
            }
        })?;
        here.extend(fetched.iter().map(|(diff_id, fetched)| (*diff_id, Arc::clone(&fetched.lease))));
        Ok(Stack {
            held: diff_ids.iter().filter_map(|diff_id| here.get(diff_id).cloned()).collect(),
            fetched: fetched.into_iter().map(|(_, fetched)| fetched).collect(),
        })
    }

    /// Throws away what came of layers, for want of space. In the background: their transfers are just ending.
    fn forget(&self, blobs: Vec<BlobRecord>) {
        let this = self.clone();
        tokio::spawn(async move {
            for blob in blobs {
                let discarded = match this.partial(&blob).await {
                    Ok(partial) => partial.discard(),
                    // Somebody else fetches it.
                    Err(_) => continue,
                };
                if let Err(error) = discarded {
                    tracing::warn!(blob = %blob.digest, error = %errors::chain(&error), "discard a half-fetched blob");
                }
            }
        });
    }

    /// Puts it all into records. Says the image's id, and whether there is anything that was not there.
    async fn record(&self, pull: &Pull, documents: Documents, stack: Stack) -> Result<(Digest, bool)> {
        let by_digest = pull.reference.with_digest(documents.digest.clone());
        let mut references = vec![by_digest];
        if pull.reference.digest().is_none() {
            references.push(pull.reference.clone());
        }
        let mut image = assemble(&documents.document, documents.id.clone(), &stack.held, references)?;
        image.descriptor = Some(documents.manifest);
        image.index = documents.index;
        let id = image.id.clone();
        let Stack { held, fetched } = stack;
        let naming = offload::blocking(move || fetched.iter().try_for_each(|fetched| fetched.name_blob()));
        naming.await?;
        let here = |blob: &BlobRecord| self.inner.blobs.contains(&blob.digest);
        let packed = image.config.rootfs.diff_ids.iter().cloned().zip(documents.layers);
        let packed: Vec<_> = packed.filter(|(_, blob)| here(blob)).collect();
        if self.is_recorded(&image, &packed) {
            return Ok((id, false));
        }
        let haul =
            Haul { images: vec![image], held, packed, documents: documents.bytes, pins: documents.pins };
        self.commit(haul).await?;
        Ok((id, true))
    }

    /// Whether every record is as it would be written.
    fn is_recorded(&self, image: &crate::commit::NewImage, packed: &[(Digest, BlobRecord)]) -> bool {
        let index = self.index();
        let Some(stored) = index.images.get(&image.id) else { return false };
        let named = |name: &Reference| {
            let record = index.names.get(name);
            record.is_some_and(|record| {
                record.index == image.index && record.images().any(|id| *id == image.id)
            })
        };
        let known = |(diff_id, blob): &(Digest, BlobRecord)| {
            index.layers.get(diff_id).is_some_and(|layer| layer.blobs.contains(blob))
        };
        stored.record.descriptor == image.descriptor
            && image.references.iter().all(named)
            && packed.iter().all(known)
    }
}

/// Whether the disk is what could not take more.
fn is_full(error: &ImageError) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        let kind = inner.downcast_ref().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        source = inner.source();
    }
    false
}
