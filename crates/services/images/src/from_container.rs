//! An image out of what a container has made of its root file system: `commit`.

use crate::commit::{Haul, NewImage};
use crate::intake::{self, Taken};
use crate::{Image, ImageError, Images, MAX_CONFIG, Result, instructions};
use oci::{Digest, History, ImageConfig, Reference, RunConfig};
use std::io::BufReader;
use std::sync::Arc;

const BUFFER: usize = 256 << 10;

/// What `commit` makes of a container.
#[derive(Debug, Clone)]
pub struct FromContainer {
    /// Key of the container's root file system.
    pub key: String,
    /// The image that it was made from; none: it began with nothing.
    pub base: Option<Digest>,
    /// Defaults of containers made from the new image.
    pub config: RunConfig,
    /// Dockerfile instructions that change these.
    pub changes: Vec<String>,
    /// What the container ran, for the history.
    pub created_by: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// The image's name; none: it stays nameless.
    pub reference: Option<Reference>,
}

impl Images {
    /// Makes an image of a container: the layers that it stands on, and its changes as one more. The caller sees to it that
    /// the container does not write meanwhile, if that matters.
    ///
    /// # Errors
    /// [`ImageError::NotFound`] if its image is gone; [`ImageError::BadChange`] and [`ImageError::NotAChange`];
    /// [`ImageError::TagByDigest`].
    pub async fn commit_container(&self, from: FromContainer) -> Result<Arc<Image>> {
        if from.reference.as_ref().is_some_and(|reference| reference.digest().is_some()) {
            return Err(ImageError::TagByDigest);
        }
        let mut run = from.config.clone();
        for change in &from.changes {
            instructions::apply(&mut run, change)?;
        }
        let base = match &from.base {
            Some(id) => Some(self.get(id).ok_or_else(|| ImageError::NotFound { name: id.to_string() })?),
            None => None,
        };
        let mut haul = Haul::default();
        let mut config = base.as_ref().map(|image| image.config.clone()).unwrap_or_default();
        if let Some(base) = &base {
            self.hold_layers(base, &mut haul)?;
        }
        let layer = self.pack_changes(&from.key).await?;
        describe(&mut config, run, &from, layer.as_ref().map(|taken| &taken.lease.diff_id));
        if let Some(Taken { lease, kept }) = layer {
            if let Some(kept) = kept {
                haul.packed.push((lease.diff_id.clone(), kept.blob));
                haul.pins.push(kept.pin);
            }
            haul.held.push(lease);
        }
        let document = serde_json::to_vec(&config)
            .map_err(|source| ImageError::BadDocument { name: "config".to_owned(), source })?;
        let id = blobs::digest(&document);
        haul.images.push(NewImage {
            id: id.clone(),
            document,
            config,
            references: from.reference.into_iter().map(Reference::or_latest).collect(),
            parent: from.base,
            descriptor: None,
            index: None,
        });
        self.commit(haul).await?;
        self.get(&id).ok_or_else(|| ImageError::NotFound { name: id.to_string() })
    }

    /// Keeps the layers of an image until the one on top of it is recorded.
    fn hold_layers(&self, image: &Image, haul: &mut Haul) -> Result<()> {
        let inner = &self.inner;
        let recorded = |diff: &Digest| inner.index.load().layers.get(diff).cloned();
        for diff_id in image.layers() {
            let lease = inner.leases.lease(diff_id, &inner.layers, recorded);
            let missing = || ImageError::MissingLayer { image: image.id.clone(), layer: diff_id.clone() };
            haul.held.push(lease.ok_or_else(missing)?);
        }
        Ok(())
    }

    /// The container's changes as a layer; none if there are none.
    async fn pack_changes(&self, key: &str) -> Result<Option<Taken>> {
        let (reader, writer) = std::io::pipe().map_err(intake::reading)?;
        let (this, that, key) = (self.clone(), self.clone(), key.to_owned());
        let packing = offload::blocking(move || this.pack_diff(&key, writer));
        let taking = offload::blocking(move || {
            let mut stream = BufReader::with_capacity(BUFFER, reader);
            intake::take_in(&that, &mut stream)
        });
        let (packed, taken) = tokio::join!(packing, taking);
        // Who reads notices what is wrong on the disk that it writes to; who writes, what is wrong with the container.
        let taken = taken?;
        packed?;
        let empty = blobs::digest(&[0; 1024]);
        Ok(Some(taken).filter(|taken| taken.lease.diff_id != empty))
    }

    /// The config document of an image, byte for byte.
    pub(crate) async fn document(&self, id: &Digest) -> Result<Vec<u8>> {
        let (blobs, id) = (self.inner.blobs.clone(), id.clone());
        Ok(offload::blocking(move || blobs.read(&id, MAX_CONFIG)).await?)
    }
}

fn describe(config: &mut ImageConfig, run: RunConfig, from: &FromContainer, layer: Option<&Digest>) {
    let created = Some(jiff::Timestamp::now().to_string());
    if from.base.is_none() {
        let host = oci::Platform::host();
        (config.os, config.architecture, config.variant) = (host.os, host.architecture, host.variant);
    }
    config.config = run;
    config.author.clone_from(&from.author);
    config.comment.clone_from(&from.comment);
    config.created.clone_from(&created);
    // What docker says of the container that an image was made of; of the new image it would be wrong.
    for stale in ["container", "container_config"] {
        config.unknown.remove(stale);
    }
    config.rootfs.diff_ids.extend(layer.cloned());
    config.history.push(History {
        created,
        created_by: from.created_by.clone(),
        author: from.author.clone(),
        comment: from.comment.clone(),
        empty_layer: layer.is_none(),
        ..History::default()
    });
}
