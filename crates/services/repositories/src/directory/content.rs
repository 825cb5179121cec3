//! Content of a registry in a directory.

use super::{Directory, Result, stream};
use crate::storage::{Content, Stat, cut};
use crate::{Key, StorageError};
use blobs::{BlobError, Expected};
use bytes::Bytes;
use oci::Digest;
use std::fs::File;
use std::io;
use std::ops::Range;

/// A failed file operation on content; none: there is none of that digest.
fn missing_is_none<T>(action: &'static str, digest: &Digest, result: io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StorageError::Link { action, key: digest.to_string(), source }),
    }
}

pub(super) fn stat(directory: &Directory, link: &Key, digest: &Digest) -> Result<Option<Stat>> {
    if !directory.path(link).exists() {
        return Ok(None);
    }
    let stat = std::fs::metadata(directory.blobs.path(digest));
    let stat = missing_is_none("stat", digest, stat.and_then(|stat| Ok((stat.len(), stat.modified()?))))?;
    Ok(stat.map(|(size, modified)| Stat { size, modified }))
}

pub(super) fn open(
    directory: &Directory,
    link: &Key,
    digest: &Digest,
    range: Option<Range<u64>>,
) -> Result<Option<Content>> {
    if !directory.path(link).exists() {
        return Ok(None);
    }
    let file = File::open(directory.blobs.path(digest)).and_then(|file| Ok((file.metadata()?.len(), file)));
    let Some((size, file)) = missing_is_none("open", digest, file)? else { return Ok(None) };
    let range = cut(range, size);
    Ok(Some(Content { size, body: stream::of(file, digest.clone(), range.clone()), range }))
}

pub(super) fn read(
    directory: &Directory,
    link: &Key,
    digest: &Digest,
    limit: u64,
) -> Result<Option<(Bytes, Bytes)>> {
    let Some(record) = durable::read_optional(&directory.path(link))? else { return Ok(None) };
    match directory.blobs.read(digest, limit) {
        Ok(content) => Ok(Some((record.into(), content.into()))),
        Err(BlobError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn put(directory: &Directory, digest: Digest, content: &Bytes) -> Result<()> {
    // One that is damaged is written over.
    if directory.blobs.read(&digest, content.len() as u64).is_ok() {
        return Ok(());
    }
    let mut ingest = directory.blobs.ingest_as(&digest)?;
    ingest.append(content)?;
    ingest.sync()?;
    ingest.commit(Expected { digest: Some(digest), size: None })?;
    Ok(())
}

pub(super) fn list(directory: &Directory) -> Result<Vec<(Digest, Stat)>> {
    let mut list = Vec::new();
    for (digest, size) in directory.blobs.list()? {
        let stat = std::fs::metadata(directory.blobs.path(&digest)).and_then(|stat| stat.modified());
        if let Some(modified) = missing_is_none("stat", &digest, stat)? {
            list.push((digest, Stat { size, modified }));
        }
    }
    Ok(list)
}
