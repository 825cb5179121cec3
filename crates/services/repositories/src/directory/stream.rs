//! Content read from a file, in large pieces and one piece ahead of the reader.

use crate::StorageError;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use oci::Digest;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// How much is read at once: large enough that handing it over costs nothing, small enough for many readers.
pub(crate) const PIECE: u64 = 256 << 10;

/// The bytes of `range`.
pub(super) fn of(
    file: File,
    digest: Digest,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes, StorageError>> {
    let file = Arc::new(file);
    let pieces = range.clone().step_by(PIECE as usize).map(move |start| {
        let (file, digest) = (Arc::clone(&file), digest.clone());
        let length = PIECE.min(range.end - start);
        async move { offload::blocking(move || piece(&file, &digest, start, length)).await }
    });
    stream::iter(pieces).buffered(2).boxed()
}

/// One piece, whole.
pub(crate) fn piece(file: &File, digest: &Digest, start: u64, length: u64) -> Result<Bytes, StorageError> {
    let mut bytes = Vec::with_capacity(length as usize);
    let read = At { file, position: start }.take(length).read_to_end(&mut bytes);
    let failed = |source| StorageError::Link { action: "read", key: digest.to_string(), source };
    if read.map_err(failed)? as u64 == length {
        Ok(bytes.into())
    } else {
        Err(StorageError::Damaged { key: digest.to_string() })
    }
}

/// Reads at a position of its own, so that pieces can be read at once.
struct At<'a> {
    file: &'a File,
    position: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
