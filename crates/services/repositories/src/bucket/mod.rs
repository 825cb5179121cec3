//! A registry in a bucket: content and links as objects, uploads on a disk of this machine until they have their digest.
//!
//! Nothing is named in the bucket before it is whole and what its name says, so that nothing has to be renamed there, which
//! object storage can't. What it has acknowledged is durable. After a crash an upload goes on from the disk, as in a
//! [`Directory`]; one that was on its way into the bucket has to be sent again.
//!
//! ```text
//! <prefix>/content/<algorithm>/<hex>     content
//! <prefix>/repositories/…                links, see the module `key`
//! <spool>/…                              uploads, as in a directory
//! ```

mod upload;

use crate::key::{MARK, ROOT};
use crate::storage::{Content, LinkInfo, Stat, Storage, Upload, UploadInfo, cut};
use crate::{Directory, Folder, Key, RepositoryName, StorageError, UploadId};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use objects::Meta;
use oci::Digest;
use std::ops::Range;
use std::path::Path;

type Result<T> = std::result::Result<T, StorageError>;

/// Where content is.
const CONTENT: &str = "content";
/// Lists of repositories that are asked for at a time.
const PARALLEL: usize = 8;

/// See the module.
#[derive(Debug, Clone)]
pub struct Bucket {
    objects: objects::Bucket,
    spool: Directory,
}

impl Bucket {
    /// The registry in a bucket whose uploads are in the directory `spool`, which is its own.
    ///
    /// # Errors
    /// Of the file system.
    pub fn open(objects: objects::Bucket, spool: &Path) -> Result<Self> {
        let spool = Directory::open(spool)?;
        // What was whole when the last process ended, and did not get into the bucket.
        spool.empty()?;
        Ok(Self { objects, spool })
    }

    /// What is known of content that a link names.
    async fn meta(&self, link: &Key, digest: &Digest) -> Result<Option<Meta>> {
        let content = content(digest);
        let (link, content) = tokio::try_join!(self.objects.meta(link.path()), self.objects.meta(&content))?;
        Ok(link.and(content))
    }

    async fn folders(&self, path: &str) -> Result<Vec<String>> {
        let listing = self.objects.list(path).await?;
        Ok(listing.folders.into_iter().map(|name| format!("{path}/{name}")).collect())
    }
}

fn content(digest: &Digest) -> String {
    format!("{CONTENT}/{}/{}", digest.algorithm(), digest.hex())
}

#[async_trait::async_trait]
impl Storage for Bucket {
    async fn stat(&self, link: &Key, digest: &Digest) -> Result<Option<Stat>> {
        let meta = self.meta(link, digest).await?;
        Ok(meta.map(|meta| Stat { size: meta.size, modified: meta.modified }))
    }

    async fn open(&self, link: &Key, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<Content>> {
        let Some(meta) = self.meta(link, digest).await? else { return Ok(None) };
        let (size, range) = (meta.size, cut(range, meta.size));
        // No range says "nothing".
        if range.is_empty() {
            return Ok(Some(Content { size, range, body: stream::empty().boxed() }));
        }
        let body = self.objects.stream(&content(digest), range.clone()).await?;
        Ok(body.map(|body| Content { size, range, body: body.map_err(StorageError::from).boxed() }))
    }

    async fn read(&self, link: &Key, digest: &Digest, limit: u64) -> Result<Option<(Bytes, Bytes)>> {
        let Some(meta) = self.objects.meta(&content(digest)).await? else { return Ok(None) };
        if meta.size > limit {
            let (digest, size) = (digest.clone(), meta.size);
            return Err(blobs::BlobError::TooLarge { digest, size, limit }.into());
        }
        let content = content(digest);
        let (record, content) = tokio::try_join!(self.objects.get(link.path()), self.objects.get(&content))?;
        let (Some(record), Some(content)) = (record, content) else { return Ok(None) };
        let found = blobs::digest_as(digest, &content);
        if found == *digest {
            Ok(Some((record, content)))
        } else {
            Err(blobs::BlobError::Mismatch { expected: digest.clone(), found }.into())
        }
    }

    async fn put(&self, digest: &Digest, bytes: Bytes) -> Result<()> {
        Ok(self.objects.put(&content(digest), bytes).await?)
    }

    async fn remove(&self, digest: &Digest) -> Result<()> {
        Ok(self.objects.delete(&content(digest)).await?)
    }

    async fn list(&self) -> Result<Vec<(Digest, Stat)>> {
        let mut list = Vec::new();
        for folder in self.folders(CONTENT).await? {
            let algorithm = folder.rsplit('/').next().unwrap_or_default();
            for Meta { name, size, modified } in self.objects.list(&folder).await?.objects {
                let digest = format!("{algorithm}:{name}").parse().ok();
                list.extend(digest.map(|digest| (digest, Stat { size, modified })));
            }
        }
        Ok(list)
    }

    async fn link(&self, key: &Key) -> Result<Option<Bytes>> {
        Ok(self.objects.get(key.path()).await?)
    }

    async fn write_links(&self, links: Vec<(Key, Bytes)>) -> Result<()> {
        for (key, record) in links {
            self.objects.put(key.path(), record).await?;
        }
        Ok(())
    }

    async fn unlink(&self, key: &Key) -> Result<bool> {
        let existed = self.objects.meta(key.path()).await?.is_some();
        if existed {
            self.objects.delete(key.path()).await?;
        }
        Ok(existed)
    }

    /// A folder is where something is in it: one that was emptied never was.
    async fn links(&self, folder: &Folder) -> Result<Option<Vec<LinkInfo>>> {
        let objects = self.objects.list(folder.path()).await?.objects;
        let link = |Meta { name, modified, .. }| LinkInfo { name, modified };
        let links: Vec<_> = objects.into_iter().map(link).collect();
        Ok((!links.is_empty()).then_some(links))
    }

    async fn repositories(&self) -> Result<Vec<RepositoryName>> {
        let (mut found, mut pending) = (self.spool.repositories().await?, vec![ROOT.to_owned()]);
        while !pending.is_empty() {
            let lists = stream::iter(std::mem::take(&mut pending)).map(|path| async move {
                let folders = self.folders(&path).await?;
                Ok::<_, StorageError>((path, folders))
            });
            for (path, folders) in lists.buffer_unordered(PARALLEL).try_collect::<Vec<_>>().await? {
                let marked = |folder: &String| folder[path.len() + 1..].starts_with(MARK);
                let (links, below): (Vec<_>, Vec<_>) = folders.into_iter().partition(marked);
                let name = path.strip_prefix(ROOT).map(|name| name.trim_start_matches('/'));
                found.extend(name.and_then(|name| name.parse().ok()).filter(|_| !links.is_empty()));
                pending.extend(below);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// One request a repository would be too many.
    async fn holder(&self, _: &Digest) -> Result<Option<RepositoryName>> {
        Ok(None)
    }

    async fn begin(
        &self,
        repository: &RepositoryName,
        id: &UploadId,
        algorithm: &str,
    ) -> Result<Box<dyn Upload>> {
        Ok(upload::of(self, self.spool.begin(repository, id, algorithm).await?))
    }

    async fn resume(&self, repository: &RepositoryName, id: &UploadId) -> Result<Option<Box<dyn Upload>>> {
        Ok(self.spool.resume(repository, id).await?.map(|spooled| upload::of(self, spooled)))
    }

    async fn uploads(&self, repository: &RepositoryName) -> Result<Vec<UploadInfo>> {
        self.spool.uploads(repository).await
    }
}
