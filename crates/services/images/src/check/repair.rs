//! Mending what a check has found.

use super::{Fault, Surroundings};
use crate::index::{Index, Layer};
use crate::pull::is_damage;
use crate::records::{NameRecord, layer_key, name_key};
use crate::{ImageError, Images, Result};
use oci::{Digest, Reference};
use std::sync::{Arc, PoisonError};
use store::{Transaction, put_as};

/// What a repair came to.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the thing is in order now.
    pub(super) repaired: bool,
    /// In words.
    pub(super) text: String,
    /// What came to light by it.
    pub(super) further: Vec<Fault>,
}

fn done(text: impl Into<String>) -> Outcome {
    Outcome { repaired: true, text: text.into(), further: Vec::new() }
}

fn left(text: impl Into<String>) -> Outcome {
    Outcome { repaired: false, text: text.into(), further: Vec::new() }
}

impl Images {
    pub(super) async fn repair(&self, fault: &Fault, surroundings: &Surroundings<'_>) -> Result<Outcome> {
        match fault {
            Fault::BlobMissing { digest } | Fault::BlobDamaged { digest, .. } => {
                self.repair_blob(digest, surroundings).await
            }
            Fault::ImageUnreadable { image } => self.readmit(image).await,
            Fault::LayerMissing { diff_id } | Fault::LayerDamaged { diff_id, .. } => {
                self.repair_layer(diff_id, surroundings).await
            }
            Fault::LayerOther { diff_id, blob, .. } => {
                self.forget_blob(blob).await?;
                Ok(Outcome { further: self.look_again(diff_id).await?, ..done("the blob is forgotten") })
            }
            Fault::LayerUnrecorded { .. } | Fault::LayerUnchecked { .. } => Ok(left("nothing was done")),
            Fault::NameDangling { name, image } => self.forget_name(name, image).await,
            Fault::OrphanLayer { name } => {
                let (layers, name) = (self.inner.layers.clone(), name.clone());
                offload::blocking(move || layers.remove_named(&name)).await?;
                Ok(done("removed"))
            }
            Fault::OrphanBlob { .. } => {
                let _writing = self.inner.writing.lock().await;
                let this = self.clone();
                offload::blocking(move || this.sweep_blobs()).await;
                Ok(done("removed"))
            }
        }
    }

    /// Fetches it, or does without it where the image can.
    async fn repair_blob(&self, digest: &Digest, surroundings: &Surroundings<'_>) -> Result<Outcome> {
        let index = self.index();
        let of_layers: Vec<Digest> = index
            .layers
            .iter()
            .filter(|(_, layer)| layer.blobs.iter().any(|blob| blob.digest == *digest))
            .map(|(diff_id, _)| diff_id.clone())
            .collect();
        match self.refetch(digest, &index.origins(digest), surroundings).await {
            Ok(name) => {
                let mut further = Vec::new();
                for diff_id in of_layers {
                    further.extend(self.look_again(&diff_id).await?);
                }
                Ok(Outcome { further, ..done(format!("fetched again from {}", name.domain())) })
            }
            Err(error) if of_layers.is_empty() => {
                // What is left of it would only keep the next pull from writing it.
                let (blobs, digest) = (self.inner.blobs.clone(), digest.clone());
                offload::blocking(move || blobs.remove(&digest)).await?;
                Err(error)
            }
            Err(error) => {
                self.forget_blob(digest).await?;
                let why = errors::Error::from(error);
                Ok(left(format!(
                    "{why}. It is forgotten: what was unpacked from it still runs, but cannot be checked, saved or pushed before \
                     the image is pulled or loaded again"
                )))
            }
        }
    }

    async fn look_again(&self, diff_id: &Digest) -> Result<Vec<Fault>> {
        let Some(layer) = self.index().layers.get(diff_id).cloned() else { return Ok(Vec::new()) };
        // That it has no directory was found before.
        if !self.inner.layers.contains(&layer.dir) {
            return Ok(Vec::new());
        }
        let (this, diff_id) = (self.clone(), diff_id.clone());
        offload::blocking(move || Ok(this.look_at_layer(&diff_id, &layer)?.faults)).await
    }

    /// Unpacks a layer again, in the place of what is there.
    async fn repair_layer(&self, diff_id: &Digest, surroundings: &Surroundings<'_>) -> Result<Outcome> {
        let Some(layer) = self.index().layers.get(diff_id).cloned() else {
            return Ok(done("no longer needed"));
        };
        let running = || -> Vec<String> {
            let users = self.inner.leases.users(&layer.dir).into_iter();
            let containers = users.filter(|key| (surroundings.is_running)(key));
            let images = self.index().images_with_layer(diff_id);
            let mounts = (surroundings.mounted)().into_iter();
            let mounts = mounts.filter(|mounted| images.contains(&mounted.image));
            let mounts = mounts.map(|mounted| mounted.path.display().to_string());
            containers.map(|key| format!("container {key}")).chain(mounts).collect()
        };
        let in_use = |by: &[String]| {
            left(format!("in use by {}: stop or unmount that, and repair again", by.join(", ")))
        };
        let by = running();
        if !by.is_empty() {
            return Ok(in_use(&by));
        }
        let (this, wanted, blobs) = (self.clone(), diff_id.clone(), layer.blobs.clone());
        let unpacked = offload::blocking(move || {
            for blob in &blobs {
                match this.unpack_beside(&blob.digest) {
                    Ok((staged, _)) if *staged.diff_id() == wanted => return Ok(Some(staged)),
                    Ok(_) => {}
                    // A full disk says nothing about the blob, which may be all that is left.
                    Err(error) if !is_damage(&error) => return Err(error),
                    Err(_) => {}
                }
            }
            Ok(None)
        });
        let Some(staged) = unpacked.await? else { return self.forget_layer(diff_id, &layer).await };
        let layers = self.inner.layers.clone();
        offload::blocking(move || layers.sync()).await?;
        // Unpacking took its time; from here on nobody mounts the image.
        let _writing = self.inner.writing.lock().await;
        let by = running();
        if !by.is_empty() {
            return Ok(in_use(&by));
        }
        staged.replace(&layer.dir)?;
        self.inner.measured.lock().unwrap_or_else(PoisonError::into_inner).remove(&layer.dir);
        let layers = self.inner.layers.clone();
        offload::blocking(move || layers.sync()).await?;
        Ok(done("unpacked again"))
    }

    /// Without what it can be unpacked from a layer is better not known, so that the next pull brings it.
    async fn forget_layer(&self, diff_id: &Digest, layer: &Layer) -> Result<Outcome> {
        let _writing = self.inner.writing.lock().await;
        let mut index = Index::clone(&self.index());
        let key = layer_key(diff_id);
        self.inner.store.commit(Transaction::new().delete(key)).await?;
        index.layers.remove(diff_id);
        let harmed = Fault::LayerMissing { diff_id: diff_id.clone() }.harmed(&index);
        harmed.iter().for_each(|id| index.refresh(id));
        self.inner.index.store(Arc::new(index));
        if self.inner.leases.users(&layer.dir).is_empty() {
            self.inner.layers.remove(&layer.dir)?;
        }
        let names = self.describe(&Fault::LayerMissing { diff_id: diff_id.clone() }).images;
        let pulls: Vec<String> = names.iter().map(|name| format!("'docker pull {name}'")).collect();
        Ok(left(format!(
            "there is nothing to unpack it from: run {}, or load the image again",
            pulls.join(", ")
        )))
    }

    /// Takes a blob out of the records of layers, and away.
    async fn forget_blob(&self, digest: &Digest) -> Result<()> {
        let _writing = self.inner.writing.lock().await;
        let (mut index, mut transaction) = (Index::clone(&self.index()), Transaction::new());
        for (diff_id, layer) in &mut index.layers {
            let before = layer.blobs.len();
            layer.blobs.retain(|blob| blob.digest != *digest);
            if layer.blobs.len() < before {
                transaction = put_as(transaction, &layer_key(diff_id), &layer.record())?;
            }
        }
        self.inner.store.commit(transaction).await?;
        self.inner.index.store(Arc::new(index));
        Ok(self.inner.blobs.remove(digest)?)
    }

    async fn forget_name(&self, name: &Reference, image: &Digest) -> Result<Outcome> {
        let _writing = self.inner.writing.lock().await;
        let (mut index, mut transaction) = (Index::clone(&self.index()), Transaction::new());
        let Some(record) = index.names.remove(name) else { return Ok(done("no longer there")) };
        transaction = match NameRecord::without(record, image) {
            None => transaction.delete(name_key(name)),
            Some(record) => {
                let put = put_as(transaction, &name_key(name), &record)?;
                index.names.insert(name.clone(), record);
                put
            }
        };
        self.inner.store.commit(transaction).await?;
        self.inner.index.store(Arc::new(index));
        Ok(done("the name is removed"))
    }

    /// Lets an image appear again whose config has come back.
    async fn readmit(&self, id: &Digest) -> Result<Outcome> {
        let (blobs, wanted) = (self.inner.blobs.clone(), id.clone());
        let config = match offload::blocking(move || crate::read_config(&blobs, &wanted)).await {
            Ok(config) => config,
            Err(ImageError::Blobs(_)) => {
                return Ok(left("its configuration is still not there: pull or load it again"));
            }
            Err(error) => return Err(error),
        };
        let _writing = self.inner.writing.lock().await;
        let mut index = Index::clone(&self.index());
        if let Some(record) = index.unreadable.get(id).cloned() {
            index.insert(id, record, Arc::new(config));
            self.inner.index.store(Arc::new(index));
        }
        Ok(done("the image is listed again"))
    }
}
