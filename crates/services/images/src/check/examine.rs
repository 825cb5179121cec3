//! Looking at everything, with as many threads as there are processors.

use super::{Fault, Report};
use crate::index::{Index, Layer};
use crate::intake::drain;
use crate::pull::is_damage;
use crate::{ImageError, Images, Result};
use layers::{LayerError, LayerId, Limits, Staged};
use oci::Digest;
use std::collections::{BTreeSet, HashSet};
use std::io::BufReader;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// More threads make a disk no faster.
const THREADS: usize = 4;
const BUFFER: usize = 128 << 10;

/// One thing to look at.
#[derive(Debug)]
enum Work {
    Layer(Digest, Layer),
    Blob(Digest),
}

/// What looking at one thing came to.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) faults: Vec<Fault>,
    /// Blobs hashed, and their bytes.
    blobs: usize,
    bytes: u64,
    /// Layers compared.
    layers: usize,
}

impl Images {
    /// Everything that is wrong.
    pub(super) async fn examine(&self) -> Result<(Vec<Fault>, Report)> {
        let index = self.index();
        let pins: Vec<_> = index.blobs().iter().map(|digest| self.pin(digest)).collect();
        let recorded = |diff_id: &Digest| index.layers.get(diff_id).cloned();
        let inner = &self.inner;
        let layers = index.layers.keys();
        let leases: Vec<_> =
            layers.filter_map(|diff_id| inner.leases.lease(diff_id, &inner.layers, recorded)).collect();
        let mut report = Report {
            images: index.images.len() + index.unreadable.len(),
            layers_without_blob: index.layers.values().filter(|layer| layer.blobs.is_empty()).count(),
            ..Report::default()
        };
        let mut faults = records(&index);
        let this = self.clone();
        let seen = offload::blocking(move || this.look_at_all(work(&index))).await?;
        faults.extend(seen.faults);
        (report.blobs, report.bytes, report.layers) = (seen.blobs, seen.bytes, seen.layers);
        drop((pins, leases));
        faults.extend(self.orphans().await?);
        Ok((faults, report))
    }

    fn look_at_all(&self, work: Vec<Work>) -> Result<Seen> {
        let queue = Mutex::new(work.into_iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let total = Mutex::new(Seen::default());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        thread::scope(|scope| {
            let look = || {
                while let Some(work) = next() {
                    let seen = self.look_at(&work)?;
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    total.faults.extend(seen.faults);
                    total.blobs += seen.blobs;
                    total.bytes += seen.bytes;
                    total.layers += seen.layers;
                }
                Ok(())
            };
            let lookers: Vec<_> = (0..threads).map(|_| scope.spawn(look)).collect();
            lookers.into_iter().try_for_each(|looker| looker.join().map_err(|_| LayerError::Crashed)?)
        })
        .map_err(|error: ImageError| error)?;
        Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn look_at(&self, work: &Work) -> Result<Seen> {
        match work {
            Work::Blob(digest) => self.look_at_blob(digest),
            Work::Layer(diff_id, layer) => self.look_at_layer(diff_id, layer),
        }
    }

    fn look_at_blob(&self, digest: &Digest) -> Result<Seen> {
        let opened = self.inner.blobs.open_blob_on_disk(digest);
        let hashed = opened.map_err(ImageError::from).and_then(|blob| {
            let size = blob.size();
            drain(blob).map(|()| size)
        });
        match hashed {
            Ok(bytes) => Ok(Seen { blobs: 1, bytes, ..Seen::default() }),
            Err(error) => Ok(Seen { faults: vec![blob_fault(digest, error)?], ..Seen::default() }),
        }
    }

    /// Hashes one of its blobs and compares the layer with what that unpacks to.
    pub(super) fn look_at_layer(&self, diff_id: &Digest, layer: &Layer) -> Result<Seen> {
        let (mut seen, inner) = (Seen::default(), &self.inner);
        let here = inner.layers.contains(&layer.dir);
        if !here {
            seen.faults.push(Fault::LayerMissing { diff_id: diff_id.clone() });
        }
        for blob in &layer.blobs {
            match self.unpack_beside(&blob.digest) {
                Ok((staged, bytes)) => {
                    (seen.blobs, seen.bytes) = (seen.blobs + 1, seen.bytes + bytes);
                    if staged.diff_id() != diff_id {
                        let (blob, found) = (blob.digest.clone(), staged.diff_id().clone());
                        seen.faults.push(Fault::LayerOther { diff_id: diff_id.clone(), blob, found });
                    } else if here && seen.layers == 0 {
                        seen.layers = 1;
                        seen.faults.extend(compare(&staged, diff_id, &layer.dir));
                    }
                    // Else the trash would come to hold the whole store a second time.
                    staged.delete()?;
                }
                Err(error) if is_host(&error) => {
                    let reason = errors::chain(&error);
                    seen.faults.push(Fault::LayerUnchecked { diff_id: diff_id.clone(), reason });
                }
                Err(error) => seen.faults.push(blob_fault(&blob.digest, error)?),
            }
        }
        Ok(seen)
    }

    /// Unpacks a blob into a directory of its own, which goes with what is returned. Says how many bytes the blob has.
    pub(super) fn unpack_beside(&self, digest: &Digest) -> Result<(Staged, u64)> {
        let blob = self.inner.blobs.open_blob_on_disk(digest)?;
        let bytes = blob.size();
        let mut content = BufReader::with_capacity(BUFFER, blob);
        let unpacked = self.inner.layers.unpack(&mut content, Limits::default());
        // What is wrong with the blob itself comes before what that made of its content.
        match unpacked {
            Err(error @ (LayerError::Unpack { .. } | LayerError::Io { .. })) => Err(error.into()),
            unpacked => drain(&mut content).and_then(|()| Ok((unpacked?, bytes))),
        }
    }

    /// What lies among layers and blobs and is nobody's.
    async fn orphans(&self) -> Result<Vec<Fault>> {
        let _writing = self.inner.writing.lock().await;
        let this = self.clone();
        offload::blocking(move || {
            let inner = &this.inner;
            // Nobody is between giving a layer its place and taking hold of it.
            let publishing = inner.publishing.write().unwrap_or_else(PoisonError::into_inner);
            let (list, mut known) = (inner.layers.list()?, inner.leases.dirs());
            drop(publishing);
            known.extend(this.index().layers.values().map(|layer| layer.dir.clone()));
            let nobodys = list.into_iter().filter(|name| !name.parse().is_ok_and(|id| known.contains(&id)));
            let mut faults: Vec<Fault> = nobodys.map(|name| Fault::OrphanLayer { name }).collect();
            let spare = this.spare_blobs()?.into_iter();
            faults.extend(spare.map(|(digest, size)| Fault::OrphanBlob { digest, size }));
            Ok(faults)
        })
        .await
    }
}

/// What can be seen without the disk.
fn records(index: &Index) -> Vec<Fault> {
    let mut faults: Vec<Fault> =
        index.unreadable.keys().map(|image| Fault::ImageUnreadable { image: image.clone() }).collect();
    for (id, stored) in &index.images {
        let lacking: BTreeSet<&Digest> = stored
            .config
            .rootfs
            .diff_ids
            .iter()
            .filter(|diff_id| !index.layers.contains_key(*diff_id))
            .collect();
        faults.extend(
            lacking
                .into_iter()
                .map(|diff_id| Fault::LayerUnrecorded { image: id.clone(), diff_id: diff_id.clone() }),
        );
    }
    for (name, record) in &index.names {
        let absent = |id: &&Digest| !index.images.contains_key(*id) && !index.unreadable.contains_key(*id);
        faults.extend(
            record
                .images()
                .filter(absent)
                .map(|image| Fault::NameDangling { name: name.clone(), image: image.clone() }),
        );
    }
    faults
}

/// The largest first, so that at the end no thread waits long for another.
fn work(index: &Index) -> Vec<Work> {
    let mut layers: Vec<_> = index.layers.iter().collect();
    layers.sort_by_key(|(_, layer)| std::cmp::Reverse(layer.size));
    let of_layers: HashSet<&Digest> =
        index.layers.values().flat_map(|layer| &layer.blobs).map(|blob| &blob.digest).collect();
    let others = index.blobs().into_iter().filter(|digest| !of_layers.contains(digest)).map(Work::Blob);
    let layers = layers.into_iter().map(|(diff_id, layer)| Work::Layer(diff_id.clone(), layer.clone()));
    layers.chain(others.collect::<Vec<_>>()).collect()
}

fn compare(staged: &Staged, diff_id: &Digest, dir: &LayerId) -> Option<Fault> {
    let diff_id = diff_id.clone();
    match staged.compare(dir) {
        Ok(differences) if differences.count == 0 => None,
        Ok(differences) => Some(Fault::LayerDamaged { diff_id, differences }),
        Err(error) => Some(Fault::LayerUnchecked { diff_id, reason: errors::chain(&error) }),
    }
}

/// Whether the failure says nothing about the blob: a full disk, for example.
fn is_host(error: &ImageError) -> bool {
    matches!(
        error,
        ImageError::Layers(LayerError::Unpack { .. } | LayerError::Io { .. } | LayerError::Crashed)
    )
}

fn blob_fault(digest: &Digest, error: ImageError) -> Result<Fault> {
    let digest = digest.clone();
    match error {
        ImageError::Blobs(blobs::BlobError::NotFound { .. }) => Ok(Fault::BlobMissing { digest }),
        error if is_damage(&error) || matches!(error, ImageError::Layers(_)) => {
            let reason = errors::chain(&error);
            Ok(Fault::BlobDamaged { digest, reason })
        }
        error => Err(error),
    }
}
