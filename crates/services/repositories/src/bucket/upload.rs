//! Uploads into a bucket: on the disk until their end, then sent as one object under their digest.

use super::{Bucket, Result, content};
use crate::storage::{Storage, Upload};
use bytes::Bytes;
use oci::Digest;
use std::fs::File;

#[derive(Debug)]
struct Spooled {
    bucket: Bucket,
    spooled: Box<dyn Upload>,
}

pub(super) fn of(bucket: &Bucket, spooled: Box<dyn Upload>) -> Box<dyn Upload> {
    Box::new(Spooled { bucket: bucket.clone(), spooled })
}

#[async_trait::async_trait]
impl Upload for Spooled {
    fn size(&self) -> u64 {
        self.spooled.size()
    }

    async fn append(&mut self, pieces: Vec<Bytes>) -> Result<()> {
        self.spooled.append(pieces).await
    }

    fn content(&self) -> Result<Option<File>> {
        self.spooled.content()
    }

    async fn pause(&mut self) -> Result<()> {
        self.spooled.pause().await
    }

    /// Its file, which stays open, is what is sent: the name on the disk may go meanwhile, with another upload of the same.
    async fn commit(self: Box<Self>, digest: &Digest) -> Result<()> {
        let Self { bucket, spooled } = *self;
        let (size, file) = (spooled.size(), spooled.content()?);
        spooled.commit(digest).await?;
        let key = content(digest);
        let known = bucket.objects.meta(&key).await?.is_some_and(|meta| meta.size == size);
        let sent = match file {
            Some(file) if !known => bucket.objects.put_file(&key, file, size).await,
            _ => Ok(()),
        };
        bucket.spool.remove(digest).await?;
        Ok(sent?)
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        self.spooled.discard().await
    }
}
