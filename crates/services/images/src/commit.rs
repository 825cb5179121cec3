//! Changing records: first what is on disk, then the store, then the copy in memory.

use crate::index::Index;
use crate::leases::Lease;
use crate::records::{BlobRecord, ImageRecord, NameRecord, image_key, layer_key, name_key};
use crate::sweep::Pin;
use crate::used::now;
use crate::{ImageError, Images, Result};
use layers::LayerId;
use oci::{Descriptor, Digest, ImageConfig, Platform, Reference};
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
    /// Its manifest, which is among the documents or the blobs.
    pub(crate) descriptor: Option<Descriptor>,
    /// The index that its references stand for, likewise.
    pub(crate) index: Option<BlobRecord>,
}

/// Everything that an operation brought: images, and what they need.
#[derive(Debug, Default)]
pub(crate) struct Haul {
    pub(crate) images: Vec<NewImage>,
    pub(crate) held: Vec<Arc<Lease>>,
    /// What layers can be unpacked from, by diff id.
    pub(crate) packed: Vec<(Digest, BlobRecord)>,
    /// Manifests and indexes, to be stored as blobs.
    pub(crate) documents: Vec<Vec<u8>>,
    /// Keeps the blobs of `packed`, and others that are there already, from the sweep.
    pub(crate) pins: Vec<Pin>,
}

impl NewImage {
    /// Its record, built on the one of the same image that may be there.
    fn record(&self, known: Option<ImageRecord>, now: i64) -> ImageRecord {
        let known = known.unwrap_or_default();
        let tagged = self.references.iter().any(|name| name.tag().is_some());
        ImageRecord {
            stored: now,
            last_tagged: if tagged { Some(now) } else { known.last_tagged },
            last_used: known.last_used,
            parent: self.parent.clone().or(known.parent),
            descriptor: self.descriptor.clone().or(known.descriptor),
        }
    }

    /// What one of its references means from now on. Beside images of the same index it stays with them, and the host's
    /// platform is the one that is meant.
    fn named(
        &self,
        known: Option<&NameRecord>,
        platform: impl Fn(&Digest) -> Option<Platform>,
    ) -> NameRecord {
        let mut record = NameRecord { index: self.index.clone(), ..NameRecord::of(self.id.clone()) };
        let Some(known) = known.filter(|known| self.index.is_some() && known.index == self.index) else {
            return record;
        };
        record.others = known.images().filter(|id| **id != self.id).cloned().collect();
        let host = Platform::host();
        let ours = host.rank(&self.config.platform());
        let better = |id: &Digest| {
            let theirs = platform(id).and_then(|platform| host.rank(&platform));
            theirs.is_some_and(|theirs| ours.is_none_or(|ours| theirs < ours))
        };
        if let Some(position) = record.others.iter().position(better) {
            std::mem::swap(&mut record.image, &mut record.others[position]);
        }
        record
    }
}

/// A name that went from one image to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) name: Reference,
    pub(crate) from: Digest,
}

impl Images {
    /// Records what an operation brought. Not cut short when the caller goes away.
    pub(crate) async fn commit(&self, haul: Haul) -> Result<Vec<Moved>> {
        let this = self.clone();
        let task = tokio::spawn(async move { this.commit_all(haul).await });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(crate::ImageError::ShuttingDown),
        }
    }

    async fn commit_all(&self, haul: Haul) -> Result<Vec<Moved>> {
        let haul = Arc::new(haul);
        let documents = haul.images.iter().map(|image| &image.document).chain(&haul.documents);
        let _pins: Vec<Pin> = documents.map(|bytes| self.pin(&blobs::digest(bytes))).collect();
        undo::inject::pass("image.record", "documents")?;
        self.write_documents(&haul, true).await?;
        let _writing = self.inner.writing.lock().await;
        // A removal that held the lock may have taken an equal document away.
        self.write_documents(&haul, false).await?;
        let (mut index, mut transaction) = (Index::clone(&self.index()), Transaction::new());
        transaction = add_layers(transaction, &mut index, &haul)?;
        let now = now();
        let mut names: BTreeMap<Reference, NameRecord> = BTreeMap::new();
        let mut records: BTreeMap<Digest, (ImageRecord, Arc<ImageConfig>)> = BTreeMap::new();
        for image in &haul.images {
            // Removed while it was pushed: without its layers it must not come back.
            if !image.config.rootfs.diff_ids.iter().all(|diff_id| index.layers.contains_key(diff_id)) {
                continue;
            }
            for name in &image.references {
                let known = names.get(name).or_else(|| index.names.get(name));
                let platform = |id: &Digest| {
                    let fresh = records.get(id).map(|(_, config)| config.platform());
                    fresh.or_else(|| index.images.get(id).map(|stored| stored.config.platform()))
                };
                let record = image.named(known, platform);
                names.insert(name.clone(), record);
            }
            let known = index.images.get(&image.id).map(|stored| stored.record.clone());
            records.insert(image.id.clone(), (image.record(known, now), Arc::new(image.config.clone())));
        }
        for (id, (record, _)) in &records {
            transaction = put_as(transaction, &image_key(id), record)?;
        }
        let (transaction, moved) = name_all(transaction, &mut index, &names)?;
        undo::inject::pass("image.record", "records")?;
        self.inner.store.commit(transaction).await?;
        haul.held.iter().for_each(|lease| lease.record());
        for (id, (record, config)) in records {
            index.insert(&id, record, config);
        }
        for id in moved.iter().map(|moved| &moved.from) {
            index.refresh(id);
        }
        self.inner.index.store(Arc::new(index));
        Ok(moved)
    }

    /// Puts the documents that are missing, and waits until they, all blobs and all layers are on disk; without `always` only
    /// if a document was missing.
    async fn write_documents(&self, haul: &Arc<Haul>, always: bool) -> Result<()> {
        let (this, haul) = (self.clone(), Arc::clone(haul));
        offload::blocking(move || -> Result<_> {
            let blobs = &this.inner.blobs;
            let mut written = false;
            for document in haul.images.iter().map(|image| &image.document).chain(&haul.documents) {
                // One of that name that is damaged would be found by nobody before the next start.
                let there = blobs.read(&blobs::digest(document), document.len() as u64);
                if there.is_err() {
                    blobs.put(document)?;
                    written = true;
                }
            }
            if always || written { Ok(this.inner.layers.sync()?) } else { Ok(()) }
        })
        .await
    }

    /// Replaces names alone: puts those of `add`, deletes those of `drop`. The caller holds the lock and has `index`.
    pub(crate) async fn rename(
        &self,
        mut index: Index,
        add: &BTreeMap<Reference, NameRecord>,
        drop: &BTreeSet<Reference>,
        tagged: Option<&Digest>,
    ) -> Result<Vec<Moved>> {
        let mut touched: BTreeSet<Digest> = add.values().flat_map(NameRecord::images).cloned().collect();
        let (transaction, moved) = name_all(Transaction::new(), &mut index, add)?;
        touched.extend(moved.iter().map(|moved| moved.from.clone()));
        let (mut transaction, dropped) = drop_names(transaction, &mut index, drop);
        touched.extend(dropped);
        if let Some(stored) = tagged.and_then(|id| index.images.get_mut(id)) {
            stored.record.last_tagged = Some(now());
            transaction = put_as(transaction, &image_key(&stored.image.id), &stored.record)?;
        }
        self.inner.store.commit(transaction).await?;
        touched.iter().for_each(|id| index.refresh(id));
        self.inner.index.store(Arc::new(index));
        Ok(moved)
    }

    /// Takes away images and these names, every other name for what is left of its images, and the layers that nothing needs then, in one transaction. Says which
    /// layers went. The caller holds the lock.
    pub(crate) async fn delete(&self, images: &[Digest], names: &[Reference]) -> Result<Vec<Digest>> {
        let mut index = Index::clone(&self.index());
        let (mut transaction, touched) = drop_names(Transaction::new(), &mut index, names);
        for id in images {
            transaction = transaction.delete(image_key(id));
            index.images.remove(id);
        }
        touched.iter().for_each(|id| index.refresh(id));
        let less: Vec<_> =
            index.names.extract_if(.., |_, record| record.images().any(|id| images.contains(id))).collect();
        for (name, record) in less {
            // Of a name for several platforms the others keep it.
            let left = images.iter().try_fold(record, NameRecord::without);
            transaction = match left {
                None => transaction.delete(name_key(&name)),
                Some(record) => {
                    let put = put_as(transaction, &name_key(&name), &record)?;
                    index.names.insert(name, record);
                    put
                }
            };
        }
        let marked = self.inner.leases.mark_for_removal(unused(&index));
        for (diff, _) in &marked {
            transaction = transaction.delete(layer_key(diff));
            index.layers.remove(diff);
        }
        let committed = match undo::inject::pass("image.remove", "records") {
            Ok(()) => self.inner.store.commit(transaction).await.map_err(ImageError::from),
            Err(injected) => Err(injected.into()),
        };
        if committed.is_ok() {
            self.inner.index.store(Arc::new(index));
            for (diff, dir) in &marked {
                if let Err(error) = self.remove_layer(dir) {
                    // The next start takes it away, since no record names it.
                    tracing::warn!(layer = %diff, error = %errors::chain(&error), "delete a layer");
                }
            }
            self.sweep_blobs();
        }
        self.inner.leases.unmark(&marked);
        committed?;
        Ok(marked.into_iter().map(|(diff, _)| diff).collect())
    }

    fn remove_layer(&self, dir: &LayerId) -> Result<()> {
        undo::inject::pass("image.remove", "layer")?;
        Ok(self.inner.layers.remove(dir)?)
    }

    /// Takes away layers that nothing needs any more, after a container has gone.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let _writing = self.inner.writing.lock().await;
        self.delete(&[], &[]).await.map(drop)
    }
}

/// Layers that no image has. None while there is an image that cannot be read: nobody knows which are its.
pub(crate) fn unused(index: &Index) -> Vec<(Digest, LayerId)> {
    if !index.unreadable.is_empty() {
        return Vec::new();
    }
    let used = index.used_layers();
    let unused = index.layers.iter().filter(|(diff, _)| !used.contains(diff));
    unused.map(|(diff, layer)| (diff.clone(), layer.dir.clone())).collect()
}

/// Adds the layers that are new, and to those that were here the blobs that they can be unpacked from as well.
fn add_layers(mut transaction: Transaction, index: &mut Index, haul: &Haul) -> Result<Transaction> {
    let mut changed = BTreeSet::new();
    for lease in &haul.held {
        if !index.layers.contains_key(&lease.diff_id) {
            index.layers.insert(lease.diff_id.clone(), lease.layer.clone());
            changed.insert(&lease.diff_id);
        }
    }
    for (diff_id, blob) in &haul.packed {
        if let Some(layer) = index.layers.get_mut(diff_id)
            && !layer.blobs.contains(blob)
        {
            layer.blobs.push(blob.clone());
            changed.insert(diff_id);
        }
    }
    for diff_id in changed {
        if let Some(layer) = index.layers.get(diff_id) {
            transaction = put_as(transaction, &layer_key(diff_id), &layer.record())?;
        }
    }
    Ok(transaction)
}

/// Takes names away, and says which images had them.
fn drop_names<'a>(
    mut transaction: Transaction,
    index: &mut Index,
    names: impl IntoIterator<Item = &'a Reference>,
) -> (Transaction, BTreeSet<Digest>) {
    let mut images = BTreeSet::new();
    for name in names {
        transaction = transaction.delete(name_key(name));
        images.extend(index.names.remove(name).iter().flat_map(NameRecord::images).cloned());
    }
    (transaction, images)
}

fn name_all(
    mut transaction: Transaction,
    index: &mut Index,
    names: &BTreeMap<Reference, NameRecord>,
) -> Result<(Transaction, Vec<Moved>)> {
    let mut moved = Vec::new();
    for (name, record) in names {
        transaction = put_as(transaction, &name_key(name), record)?;
        let before = index.names.insert(name.clone(), record.clone());
        for from in before.iter().flat_map(NameRecord::images) {
            if record.images().all(|id| id != from) {
                moved.push(Moved { name: name.clone(), from: from.clone() });
            }
        }
    }
    Ok((transaction, moved))
}
