//! A layer's stream on its way into the store: unpacked, and kept as a blob that can be saved, pushed and repaired from.
//!
//! What is compressed as registries take it (gzip, zstd) is kept byte for byte. Anything else is kept with gzip, made by
//! a thread of its own while the layer is unpacked.

use crate::index::Layer;
use crate::leases::Lease;
use crate::records::BlobRecord;
use crate::sweep::Pin;
use crate::{ImageError, Images, Result};
use blobs::{Expected, Ingest};
use flate2::write::GzEncoder;
use layers::archive::ArchiveError;
use layers::{Compression, LayerError, Limits, decompress};
use oci::media;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread;

/// Fast rather than small: what is made here is made again nowhere, but every load and commit waits for it.
const LEVEL: flate2::Compression = flate2::Compression::new(1);
/// Pieces that may wait for the compressor.
const DEPTH: usize = 8;
const BUFFER: usize = 128 << 10;

/// A layer that is here, and what it can be unpacked from.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) lease: Arc<Lease>,
    /// None: the layer was here before, with or without a blob.
    pub(crate) kept: Option<Kept>,
}

/// A blob that is not recorded yet.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) blob: BlobRecord,
    pub(crate) pin: Pin,
}

/// Takes in a layer, plain or compressed with anything, to the end of its stream.
pub(crate) fn take_in(images: &Images, stream: &mut (impl BufRead + Send)) -> Result<Taken> {
    let head = stream.fill_buf().map_err(reading)?;
    let (lease, kept) = match kept_as(Compression::detect(head)?) {
        Some(media_type) => {
            let mut keeping = Keeping::new(images, stream)?;
            let unpacked = unpack(images, &mut keeping);
            let drained = drain(&mut keeping);
            let ingest = keeping.into_inner().finish()?;
            drained?;
            (unpacked?, commit(images, ingest, media_type)?)
        }
        None => {
            let mut plain = BufReader::with_capacity(BUFFER, decompress(stream)?);
            pack(images, &mut plain)?
        }
    };
    Ok(Taken { lease, kept: Some(kept) })
}

/// Reads a stream to its end and keeps it as a blob, if registries would take it as it is.
pub(crate) fn keep(images: &Images, stream: &mut (impl BufRead + Send)) -> Result<Option<Kept>> {
    let head = stream.fill_buf().map_err(reading)?;
    let Some(media_type) = kept_as(Compression::detect(head)?) else {
        drain(stream)?;
        return Ok(None);
    };
    let mut keeping = Keeping::new(images, stream)?;
    let drained = drain(&mut keeping);
    let ingest = keeping.into_inner().finish()?;
    drained?;
    commit(images, ingest, media_type).map(Some)
}

/// The media type of a layer that is kept as it is.
fn kept_as(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::Gzip => Some(media::DOCKER_LAYER),
        Compression::Zstd => Some(media::LAYER_ZSTD),
        _ => None,
    }
}

/// Unpacks a plain layer while it is compressed.
fn pack(images: &Images, plain: &mut (impl BufRead + Send)) -> Result<(Arc<Lease>, Kept)> {
    let ingest = images.inner.blobs.ingest()?;
    let (sender, pieces) = sync_channel(DEPTH);
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("pack".to_owned());
        let packing = builder.spawn_scoped(scope, move || compress(&pieces, ingest)).map_err(reading)?;
        let mut tee = BufReader::with_capacity(BUFFER, Tee { inner: plain, pieces: sender });
        let unpacked = unpack(images, &mut tee).and_then(|lease| drain(&mut tee).map(|()| lease));
        // Its end tells the compressor that all has come.
        drop(tee);
        let packed = packing.join().map_err(|_| LayerError::Crashed)?;
        // What the compressor could not write is the cause when both fail: the other only notices that nobody listens.
        let ingest = packed.map_err(|source| ImageError::Packing { source });
        match (unpacked, ingest) {
            (Ok(lease), Ok(ingest)) => Ok((lease, commit(images, ingest, media::DOCKER_LAYER)?)),
            (Err(ImageError::Layers(LayerError::Archive(ArchiveError::Read(_)))), Err(error)) => Err(error),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    })
}

fn compress(pieces: &Receiver<Vec<u8>>, ingest: Ingest) -> io::Result<Ingest> {
    let mut encoder = GzEncoder::new(ingest, LEVEL);
    for piece in pieces {
        encoder.write_all(&piece)?;
    }
    encoder.finish()
}

/// Pinned before it has its name, so that no sweep comes between.
fn commit(images: &Images, ingest: Ingest, media_type: &str) -> Result<Kept> {
    undo::inject::pass("image.layer", "blob")?;
    let (digest, size) = (ingest.digest(), ingest.size());
    let pin = images.pin(&digest);
    ingest.commit(Expected { digest: Some(digest.clone()), size: None })?;
    Ok(Kept { blob: BlobRecord { digest, size, media_type: media_type.to_owned() }, pin })
}

/// Unpacks a layer, plain or compressed.
pub(crate) fn unpack(images: &Images, stream: &mut (impl BufRead + Send)) -> Result<Arc<Lease>> {
    let inner = &images.inner;
    undo::inject::pass("image.layer", "unpack")?;
    let staged = inner.layers.unpack(stream, Limits::default())?;
    let _publishing = inner.publishing.read().unwrap_or_else(PoisonError::into_inner);
    let (diff_id, size) = (staged.diff_id().clone(), staged.contents().size);
    undo::inject::pass("image.layer", "publish")?;
    let fresh = Layer { dir: staged.publish()?, size, blobs: Vec::new() };
    Ok(inner.leases.add(diff_id, fresh, &inner.layers, |diff| inner.index.load().layers.get(diff).cloned()))
}

/// Reads what is behind the end of an archive, so that a damaged compressed stream is noticed and the sender can finish.
pub(crate) fn drain(mut rest: impl Read) -> Result<()> {
    io::copy(&mut rest, &mut io::sink()).map(drop).map_err(reading)
}

pub(crate) fn reading(error: io::Error) -> ImageError {
    LayerError::from(ArchiveError::from(error)).into()
}

/// Stores what passes.
struct Keeping<'a, R> {
    inner: &'a mut R,
    ingest: Ingest,
    /// Why it could not be stored; to the reader the stream just breaks off then.
    failed: Option<io::Error>,
}

impl<'a, R: BufRead> Keeping<'a, R> {
    fn new(images: &Images, inner: &'a mut R) -> Result<BufReader<Self>> {
        let keeping = Self { inner, ingest: images.inner.blobs.ingest()?, failed: None };
        Ok(BufReader::with_capacity(BUFFER, keeping))
    }

    fn finish(self) -> Result<Ingest> {
        match self.failed {
            Some(source) => Err(ImageError::Packing { source }),
            None => Ok(self.ingest),
        }
    }
}

impl<R: BufRead> Read for Keeping<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        if let Err(error) = self.ingest.write_all(&out[..count]) {
            self.failed = Some(error);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(count)
    }
}

/// Hands what passes to the compressor.
struct Tee<'a, R> {
    inner: &'a mut R,
    pieces: SyncSender<Vec<u8>>,
}

impl<R: BufRead> Read for Tee<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        if count > 0 && self.pieces.send(out[..count].to_vec()).is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(count)
    }
}
