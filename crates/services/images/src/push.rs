//! Images to registries: the blobs first, then what names them, so that a registry never has half of an image.

use crate::commit::{Haul, NewImage};
use crate::index::Index;
use crate::manifest::Outgoing;
use crate::pull::{LayerStep, Progress, Tell};
use crate::records::BlobRecord;
use crate::{Image, ImageError, Images, Result};
use futures_util::stream::{self, TryStreamExt};
use oci::{Digest, Platform, Reference};
use registry::{Repository, Source, Target, Uploaded};
use std::sync::Arc;

/// What to push.
#[derive(Debug, Clone)]
pub struct Push {
    /// A name with a tag.
    pub reference: Reference,
    /// Of a name for several platforms only this one.
    pub platform: Option<Platform>,
    /// How many layers go at a time.
    pub uploads: usize,
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Digest of what the tag means there now.
    pub digest: Digest,
    /// Bytes of that document.
    pub size: u64,
}

impl Images {
    /// Makes a registry have what a name means here. Of an index that is here whole, all of it; else the one image.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::Registry`].
    pub async fn push(&self, repository: &Repository, push: &Push, tell: Tell<'_>) -> Result<Pushed> {
        let index = self.index();
        let name = push.reference.clone().or_latest();
        let missing = || match self.tags_of(&name) {
            Ok(_) => ImageError::NoSuchTag { name: name.familiar() },
            Err(error) => error,
        };
        let record = index.name(&name).ok_or_else(missing)?.clone();
        let images: Vec<Arc<Image>> = match &push.platform {
            Some(platform) => vec![self.resolve_for(&name.familiar(), Some(platform))?],
            None => record.images().filter_map(|id| self.get(id)).collect(),
        };
        let (this, at) = (self.clone(), Arc::clone(&index));
        let found = images.clone();
        let outgoing = offload::blocking(move || {
            found.iter().map(|image| this.outgoing(&at, image)).collect::<Result<Vec<_>>>()
        });
        let mut outgoing: Vec<(Arc<Image>, Outgoing)> = images.into_iter().zip(outgoing.await?).collect();
        let whole = match (&record.index, &push.platform) {
            (Some(blob), None) => self.whole_index(blob, &outgoing).await,
            _ => None,
        };
        if whole.is_none() {
            outgoing.truncate(1);
        }
        // A removal meanwhile must not take away what is still to be sent.
        let blobs = outgoing.iter().flat_map(|(_, outgoing)| outgoing.blobs());
        let _pins: Vec<_> = blobs.map(|digest| self.pin(digest)).collect();
        for (_, outgoing) in &outgoing {
            self.send(repository, &index, outgoing, push.uploads, tell).await?;
        }
        let target = Target::Tag(name.tag().unwrap_or(oci::DEFAULT_TAG).to_owned());
        let (document, bytes) = match &whole {
            Some((blob, bytes)) => {
                for (_, child) in &outgoing {
                    let target = Target::Digest(child.manifest.digest.clone());
                    repository.put_manifest(&target, &child.manifest.media_type, &child.bytes).await?;
                }
                (blob, bytes)
            }
            None => (&outgoing[0].1.manifest, &outgoing[0].1.bytes),
        };
        repository.put_manifest(&target, &document.media_type, bytes).await?;
        let pushed = Pushed { digest: document.digest.clone(), size: document.size };
        self.remember(&name, whole.map(|(blob, _)| blob), outgoing, &pushed.digest).await?;
        Ok(pushed)
    }

    /// The index that a name stands for, if all images that it lists go out with the manifests that it lists.
    async fn whole_index(
        &self,
        blob: &BlobRecord,
        outgoing: &[(Arc<Image>, Outgoing)],
    ) -> Option<(BlobRecord, Vec<u8>)> {
        let (this, index) = (self.clone(), blob.clone());
        let here = outgoing.iter().map(|(_, outgoing)| outgoing.manifest.digest.clone()).collect::<Vec<_>>();
        offload::blocking(move || this.index_of(&index, &here)).await
    }

    /// Sends the blobs of one image, several at a time.
    async fn send(
        &self,
        repository: &Repository,
        index: &Index,
        outgoing: &Outgoing,
        uploads: usize,
        tell: Tell<'_>,
    ) -> Result<()> {
        let told = |digest: &Digest, step| tell(Progress::Layer { digest: digest.clone(), step });
        // Docker lists the topmost first. One that stands in the stack twice goes once.
        let mut layers: Vec<&(Digest, BlobRecord)> = Vec::new();
        for layer in outgoing.layers.iter().rev() {
            if layers.iter().all(|(_, blob)| blob.digest != layer.1.digest) {
                layers.push(layer);
            }
        }
        for (diff_id, _) in &layers {
            told(diff_id, LayerStep::Preparing);
        }
        let layers = layers.into_iter().map(Ok);
        let sent =
            stream::iter(layers).try_for_each_concurrent(uploads.max(1), |(diff_id, blob)| async move {
                let from = mountable(index, repository, diff_id);
                match self.send_blob(repository, diff_id, blob, from.as_deref(), tell).await? {
                    Uploaded::Exists => told(diff_id, LayerStep::ExistsThere),
                    Uploaded::Mounted => told(diff_id, LayerStep::Mounted(from.unwrap_or_default().into())),
                    Uploaded::Sent => told(diff_id, LayerStep::Pushed),
                }
                Ok::<_, ImageError>(())
            });
        sent.await?;
        let config = &outgoing.config;
        let source = Source::File(self.inner.blobs.path(&config.digest));
        repository.upload(&config.digest, config.size, &source, None, Arc::new(|_| {})).await?;
        Ok(())
    }

    async fn send_blob(
        &self,
        repository: &Repository,
        diff_id: &Digest,
        blob: &BlobRecord,
        from: Option<&str>,
        tell: Tell<'_>,
    ) -> Result<Uploaded> {
        let (sender, mut positions) = tokio::sync::watch::channel(0);
        let sent = Arc::new(move |position| {
            sender.send_replace(position);
        });
        let source = Source::File(self.inner.blobs.path(&blob.digest));
        let upload = repository.upload(&blob.digest, blob.size, &source, from, sent);
        tokio::pin!(upload);
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
        loop {
            tokio::select! {
                done = &mut upload => return Ok(done?),
                _ = tick.tick() => {
                    if positions.has_changed().unwrap_or(false) {
                        let current = *positions.borrow_and_update();
                        let step = LayerStep::Pushing { current, total: blob.size };
                        tell(Progress::Layer { digest: diff_id.clone(), step });
                    }
                }
            }
        }
    }

    /// Records what the registry knows the images by.
    async fn remember(
        &self,
        name: &Reference,
        whole: Option<BlobRecord>,
        outgoing: Vec<(Arc<Image>, Outgoing)>,
        digest: &Digest,
    ) -> Result<()> {
        let mut haul = Haul::default();
        for (image, outgoing) in outgoing {
            haul.images.push(NewImage {
                document: self.document(&image.id).await?,
                id: image.id.clone(),
                config: image.config.clone(),
                references: vec![name.with_digest(digest.clone())],
                parent: None,
                descriptor: Some(outgoing.descriptor()?),
                index: whole.clone(),
            });
            haul.documents.push(outgoing.bytes);
        }
        self.commit(haul).await?;
        Ok(())
    }
}

/// Another repository of the same registry that is known to have a layer.
fn mountable(index: &Index, repository: &Repository, diff_id: &Digest) -> Option<String> {
    let ours = repository.name();
    let others = index.names.iter().filter(|(name, _)| {
        name.digest().is_some() && name.domain() == ours.domain() && !name.same_repository(ours)
    });
    let has = |id: &Digest| {
        index.images.get(id).is_some_and(|stored| stored.config.rootfs.diff_ids.contains(diff_id))
    };
    others.into_iter().find(|(_, record)| record.images().any(has)).map(|(name, _)| name.path().to_owned())
}
