//! Large objects out of files, in parts.

use crate::error::at;
use crate::{Bucket, ObjectError, Result};
use bytes::Bytes;
use object_store::{ObjectStoreExt, WriteMultipart};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes of a part: S3 takes no smaller ones but the last, and no more than 10,000 of them.
const PART: u64 = 16 << 20;
/// Parts on their way at a time, of one object.
const PARALLEL: usize = 2;

impl Bucket {
    /// Makes an object of the first `size` bytes of a file. It is there whole, or not at all.
    pub async fn put_file(&self, key: &str, file: File, size: u64) -> Result<()> {
        let file = Arc::new(file);
        if size <= PART {
            return self.put(key, read(key, &file, 0, size).await?).await;
        }
        let path = self.path(key)?;
        let mut upload = WriteMultipart::new_with_chunk_size(
            at("put", key, self.store.put_multipart(&path).await)?,
            PART as usize,
        );
        for start in (0..size).step_by(PART as usize) {
            let piece = match read(key, &file, start, PART.min(size - start)).await {
                Ok(piece) => piece,
                Err(error) => return Err(given_up(key, upload, error).await),
            };
            upload.put(piece);
            if let Err(error) = at("put", key, upload.wait_for_capacity(PARALLEL).await) {
                return Err(given_up(key, upload, error).await);
            }
        }
        // Where that fails, it has thrown the parts away itself.
        at("put", key, upload.finish().await).map(drop)
    }
}

/// Throws the parts away that are there already. Where that fails too, the bucket's own rules have to.
async fn given_up(key: &str, upload: WriteMultipart, error: ObjectError) -> ObjectError {
    match at("discard the parts of", key, upload.abort().await) {
        // The first error is the one to tell.
        Ok(()) | Err(_) => error,
    }
}

async fn read(key: &str, file: &Arc<File>, start: u64, length: u64) -> Result<Bytes> {
    let file = Arc::clone(file);
    let read = offload::blocking(move || {
        let mut piece = vec![0; length as usize];
        file.read_exact_at(&mut piece, start).map(|()| Bytes::from(piece))
    });
    read.await.map_err(|source: io::Error| ObjectError::File { key: key.to_owned(), source })
}
