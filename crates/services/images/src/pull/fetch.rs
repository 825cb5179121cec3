//! One layer from a registry: downloaded, compared with its digest, stored, decompressed and unpacked in one pass.

use super::arriving::Arriving;
use super::progress::LayerStep;
use crate::intake::{drain, unpack};
use crate::leases::Lease;
use crate::load::Body;
use crate::records::BlobRecord;
use crate::{ImageError, Images, Result};
use blobs::{BlobError, Expected, Partial};
use bytes::Bytes;
use layers::LayerError;
use oci::Digest;
use registry::{Download, RegistryError, Repository};
use std::io::BufReader;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// How long to wait for the thread of a transfer that was given up to let go of its file.
const PATIENCE: Duration = Duration::from_secs(10);
/// No more often is progress told.
const INTERVAL: Duration = Duration::from_millis(100);
const BUFFER: usize = 128 << 10;

/// A layer that is here.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(super) lease: Arc<Lease>,
    blob: BlobRecord,
    /// Its blob, until it has its name. If nobody comes to record the layer, it stays for the next pull.
    partial: Mutex<Option<Partial>>,
}

impl Fetched {
    /// Gives the blob its name, if nobody has before.
    pub(super) fn name_blob(&self) -> Result<()> {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(partial) = partial.take() {
            partial.commit(&expected(&self.blob))?;
        }
        Ok(())
    }
}

fn expected(blob: &BlobRecord) -> Expected {
    Expected { digest: Some(blob.digest.clone()), size: Some(blob.size) }
}

type Step<'a> = &'a (dyn Fn(LayerStep) + Send + Sync);

impl Images {
    /// Brings the layer whose blob this is. What came of the blob stays when the connection breaks, for the next try.
    pub(super) async fn fetch(
        &self,
        repository: &Repository,
        blob: &BlobRecord,
        step: Step<'_>,
    ) -> Result<Fetched> {
        let _pin = self.pin(&blob.digest);
        if self.obtain(&blob.digest).await? {
            step(LayerStep::Extracting { total: blob.size });
            let (this, stored) = (self.clone(), blob.clone());
            match offload::blocking(move || this.unpack_stored(&stored)).await {
                // Then it is fetched again, as if it had not been here.
                Err(error) if is_damage(&error) => self.inner.blobs.remove(&blob.digest)?,
                done => return done,
            }
        }
        loop {
            let partial = self.partial(blob).await?;
            let resumed = partial.size() > 0;
            match self.receive(repository, blob, partial, step).await {
                // What an earlier try left may be what is wrong; it is gone now.
                Err(ImageError::Blobs(BlobError::Mismatch { .. })) if resumed => {}
                Err(ImageError::Blobs(BlobError::Mismatch { expected, found })) => {
                    let name = repository.name().to_string();
                    return Err(RegistryError::Mismatch { name, expected, found }.into());
                }
                done => return done,
            }
        }
    }

    /// Whether the blob is here, or was beside.
    async fn obtain(&self, digest: &Digest) -> Result<bool> {
        let (blobs, digest) = (self.inner.blobs.clone(), digest.clone());
        offload::blocking(move || Ok(blobs.obtain(&digest)?)).await
    }

    /// The half-written blob, of whatever length.
    pub(crate) async fn partial(&self, blob: &BlobRecord) -> Result<Partial> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (blobs, digest, size) = (self.inner.blobs.clone(), blob.digest.clone(), blob.size);
            let opened = offload::blocking(move || {
                let mut partial = blobs.resume(&format!("pull-{}", digest.hex()), Some(&digest))?;
                if partial.size() > size {
                    partial.restart(Some(&digest))?;
                }
                Ok(partial)
            });
            match opened.await {
                Err(BlobError::Busy { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                done => return Ok(done?),
            }
        }
    }

    async fn receive(
        &self,
        repository: &Repository,
        blob: &BlobRecord,
        partial: Partial,
        step: Step<'_>,
    ) -> Result<Fetched> {
        let download = repository.download(&blob.digest, Some(blob.size), partial.size());
        let (sender, body) = Body::channel();
        let (this, expected) = (self.clone(), blob.clone());
        let unpacked =
            offload::blocking(move || this.unpack_arriving(Arriving::new(partial, body)?, &expected));
        let (pumped, unpacked) = tokio::join!(pump(download, sender, blob.size, step), unpacked);
        // A connection that broke is the cause of whatever the reader made of it.
        pumped?;
        unpacked
    }

    fn unpack_arriving(&self, mut arriving: Arriving, blob: &BlobRecord) -> Result<Fetched> {
        let unpacked = unpack(self, &mut arriving);
        if let Err(ImageError::Layers(
            LayerError::Unpack { .. } | LayerError::Reserve { .. } | LayerError::Io { .. },
        )) = &unpacked
        {
            // This machine's fault, a full disk for example: no byte more, and nothing stays.
            arriving.discard()?;
            return unpacked.map(|lease| self.fetched(lease, blob, None));
        }
        let drained = if arriving.has_failed() { Ok(()) } else { drain(&mut arriving) };
        if let Some(source) = arriving.take_failure() {
            arriving.discard()?;
            return Err(ImageError::Packing { source });
        }
        drained?;
        // What is wrong with the blob itself comes before what that made of its content.
        let partial = arriving.complete(&expected(blob))?;
        match unpacked {
            Ok(lease) => Ok(self.fetched(lease, blob, Some(partial))),
            Err(error) => {
                // As it should be, and no layer: nobody needs it.
                partial.discard()?;
                Err(error)
            }
        }
    }

    fn unpack_stored(&self, blob: &BlobRecord) -> Result<Fetched> {
        let mut content = BufReader::with_capacity(BUFFER, self.inner.blobs.open_blob(&blob.digest)?);
        let unpacked = unpack(self, &mut content);
        drain(&mut content)?;
        Ok(self.fetched(unpacked?, blob, None))
    }

    fn fetched(&self, lease: Arc<Lease>, blob: &BlobRecord, partial: Option<Partial>) -> Fetched {
        self.inner.leases.alias(blob.digest.clone(), lease.diff_id.clone());
        Fetched { lease, blob: blob.clone(), partial: Mutex::new(partial) }
    }
}

/// Whether a stored blob is not what its name says.
pub(crate) fn is_damage(error: &ImageError) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<std::io::Error>();
        let damaged = io.and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<BlobError>());
        if damaged
            || matches!(inner.downcast_ref(), Some(BlobError::NotFound { .. } | BlobError::Mismatch { .. }))
        {
            return true;
        }
        source = inner.source();
    }
    false
}

/// Hands on what arrives, then an empty piece. A reader that has heard enough ends it without an error.
async fn pump(mut download: Download, sender: Sender<Bytes>, total: u64, step: Step<'_>) -> Result<()> {
    let mut told = Instant::now();
    step(LayerStep::Downloading { current: download.position(), total });
    while let Some(piece) = download.piece().await? {
        if sender.send(piece).await.is_err() {
            return Ok(());
        }
        if told.elapsed() >= INTERVAL {
            told = Instant::now();
            step(LayerStep::Downloading { current: download.position(), total });
        }
    }
    step(LayerStep::Extracting { total });
    // The reader may be gone, having found what it wanted.
    let _ = sender.send(Bytes::new()).await;
    Ok(())
}
