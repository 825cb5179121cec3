//! Changing records: first what is on disk, then the store, then the copy in memory.

use crate::index::Index;
use crate::leases::Lease;
use crate::records::{ImageRecord, NameRecord, image_key, layer_key, name_key};
use crate::{Images, Result};
use layers::LayerId;
use oci::{Descriptor, Digest, ImageConfig, Reference};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Transaction, put_as};

/// An image whose layers are on disk and held.
#[derive(Debug)]
pub(crate) struct NewImage {
    pub(crate) id: Digest,
    /// The document, byte for byte.
    pub(crate) document: Vec<u8>,
    pub(crate) config: ImageConfig,
    pub(crate) references: Vec<Reference>,
    pub(crate) parent: Option<Digest>,
    pub(crate) descriptor: Option<Descriptor>,
}

impl NewImage {
    /// Its record, built on the one of the same image that may be there.
    fn record(&self, known: Option<ImageRecord>, now: i64) -> ImageRecord {
        let known = known.unwrap_or_default();
        let tagged = self.references.iter().any(|name| name.tag().is_some());
        ImageRecord {
            stored: now,
            last_tagged: if tagged { Some(now) } else { known.last_tagged },
            parent: self.parent.clone().or(known.parent),
            descriptor: self.descriptor.clone().or(known.descriptor),
        }
    }
}

/// A name that went from one image to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) name: Reference,
    pub(crate) from: Digest,
}

impl Images {
    /// Records `images`. Not cut short when the caller goes away.
    pub(crate) async fn commit(&self, images: Vec<NewImage>, held: Vec<Arc<Lease>>) -> Result<Vec<Moved>> {
        let this = self.clone();
        let task = tokio::spawn(async move { this.commit_all(images, held).await });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(crate::ImageError::ShuttingDown),
        }
    }

    async fn commit_all(&self, images: Vec<NewImage>, held: Vec<Arc<Lease>>) -> Result<Vec<Moved>> {
        let images = Arc::new(images);
        self.write_configs(&images, true).await?;
        let _writing = self.inner.writing.lock().await;
        // A removal that held the lock may have taken an equal config away.
        self.write_configs(&images, false).await?;
        let (mut index, mut transaction) = (Index::clone(&self.index()), Transaction::new());
        for lease in &held {
            if index.layers.insert(lease.diff_id.clone(), lease.layer.clone()).is_none() {
                transaction = put_as(transaction, &layer_key(&lease.diff_id), &lease.layer.record())?;
            }
        }
        let now = jiff::Timestamp::now().as_nanosecond() as i64;
        let mut names = BTreeMap::new();
        let mut records: BTreeMap<Digest, (ImageRecord, Arc<ImageConfig>)> = BTreeMap::new();
        for image in images.iter() {
            names.extend(image.references.iter().map(|name| (name.clone(), image.id.clone())));
            let known = index.images.get(&image.id).map(|stored| stored.record.clone());
            records.insert(image.id.clone(), (image.record(known, now), Arc::new(image.config.clone())));
        }
        for (id, (record, _)) in &records {
            transaction = put_as(transaction, &image_key(id), record)?;
        }
        let (transaction, moved) = name_all(transaction, &mut index, &names)?;
        self.inner.store.commit(transaction).await?;
        held.iter().for_each(|lease| lease.record());
        for (id, (record, config)) in records {
            index.insert(&id, record, config);
        }
        for id in moved.iter().map(|moved| &moved.from) {
            index.refresh(id);
        }
        self.inner.index.store(Arc::new(index));
        Ok(moved)
    }

    /// Puts the configs that are missing, and waits until they and all layers are on disk; without `always` only if a
    /// config was missing.
    async fn write_configs(&self, images: &Arc<Vec<NewImage>>, always: bool) -> Result<()> {
        let (this, images) = (self.clone(), Arc::clone(images));
        offload::blocking(move || -> Result<_> {
            let blobs = &this.inner.blobs;
            let missing = images.iter().filter(|image| !blobs.contains(&image.id));
            let written = missing.map(|image| blobs.put(&image.document)).collect::<Result<Vec<_>, _>>()?;
            if always || !written.is_empty() { Ok(this.inner.layers.sync()?) } else { Ok(()) }
        })
        .await
    }

    /// Replaces names alone: puts those of `add`, deletes those of `drop`. The caller holds the lock and has `index`.
    pub(crate) async fn rename(
        &self,
        mut index: Index,
        add: &BTreeMap<Reference, Digest>,
        drop: &BTreeSet<Reference>,
        tagged: Option<&Digest>,
    ) -> Result<Vec<Moved>> {
        let mut touched: BTreeSet<Digest> = add.values().cloned().collect();
        let (mut transaction, moved) = name_all(Transaction::new(), &mut index, add)?;
        touched.extend(moved.iter().map(|moved| moved.from.clone()));
        for name in drop {
            transaction = transaction.delete(name_key(name));
            touched.extend(index.names.remove(name));
        }
        if let Some(stored) = tagged.and_then(|id| index.images.get_mut(id)) {
            stored.record.last_tagged = Some(jiff::Timestamp::now().as_nanosecond() as i64);
            transaction = put_as(transaction, &image_key(&stored.image.id), &stored.record)?;
        }
        self.inner.store.commit(transaction).await?;
        touched.iter().for_each(|id| index.refresh(id));
        self.inner.index.store(Arc::new(index));
        Ok(moved)
    }

    /// Takes away images with all their names, and the layers that nothing needs then, in one transaction. Says which
    /// layers went. The caller holds the lock.
    pub(crate) async fn delete(&self, images: &[Digest]) -> Result<Vec<Digest>> {
        let mut index = Index::clone(&self.index());
        let mut transaction = Transaction::new();
        for id in images {
            transaction = transaction.delete(image_key(id));
            index.images.remove(id);
        }
        let names: Vec<_> =
            index.names.extract_if(.., |_, id| images.contains(id)).map(|(name, _)| name).collect();
        transaction = names.iter().fold(transaction, |transaction, name| transaction.delete(name_key(name)));
        let marked = self.inner.leases.mark_for_removal(unused(&index));
        for (diff, _) in &marked {
            transaction = transaction.delete(layer_key(diff));
            index.layers.remove(diff);
        }
        let committed = self.inner.store.commit(transaction).await;
        if committed.is_ok() {
            self.inner.index.store(Arc::new(index));
            for (diff, dir) in &marked {
                if let Err(error) = self.inner.layers.remove(dir) {
                    // The next start takes it away, since no record names it.
                    tracing::warn!(layer = %diff, error = %errors::chain(&error), "delete a layer");
                }
            }
            for id in images {
                if let Err(error) = self.inner.blobs.remove(id) {
                    tracing::warn!(image = %id, error = %errors::chain(&error), "delete a config");
                }
            }
        }
        self.inner.leases.unmark(&marked);
        committed?;
        Ok(marked.into_iter().map(|(diff, _)| diff).collect())
    }

    /// Takes away layers that nothing needs any more, after a container has gone.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let _writing = self.inner.writing.lock().await;
        self.delete(&[]).await.map(drop)
    }
}

/// Layers that no image has.
pub(crate) fn unused(index: &Index) -> Vec<(Digest, LayerId)> {
    let used = index.used_layers();
    let unused = index.layers.iter().filter(|(diff, _)| !used.contains(diff));
    unused.map(|(diff, layer)| (diff.clone(), layer.dir.clone())).collect()
}

fn name_all(
    mut transaction: Transaction,
    index: &mut Index,
    names: &BTreeMap<Reference, Digest>,
) -> Result<(Transaction, Vec<Moved>)> {
    let mut moved = Vec::new();
    for (name, id) in names {
        transaction = put_as(transaction, &name_key(name), &NameRecord { image: id.clone() })?;
        let before = index.names.insert(name.clone(), id.clone());
        if let Some(from) = before.filter(|from| from != id) {
            moved.push(Moved { name: name.clone(), from });
        }
    }
    Ok((transaction, moved))
}
