//! Where a registry's bytes are: content by digest, links by key, and uploads that become content.

use crate::{Folder, Key, RepositoryName, StorageError, UploadId};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use oci::Digest;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::time::SystemTime;

type Result<T> = std::result::Result<T, StorageError>;

/// A storage. All operations may be called at once; what one has written the next one sees.
#[async_trait::async_trait]
pub trait Storage: fmt::Debug + Send + Sync {
    /// Size and age of the content that a link names; none if either is missing.
    async fn stat(&self, link: &Key, digest: &Digest) -> Result<Option<Stat>>;

    /// Opens the content that a link names, or a part of it; none if either is missing. A range that does not lie in
    /// the content is cut to what does.
    async fn open(&self, link: &Key, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<Content>>;

    /// What a link holds and the whole, verified content of at most `limit` bytes that it names; none if either is missing.
    async fn read(&self, link: &Key, digest: &Digest, limit: u64) -> Result<Option<(Bytes, Bytes)>>;

    /// Stores small content, which must have this digest.
    async fn put(&self, digest: &Digest, content: Bytes) -> Result<()>;

    /// Deletes content that no link names any more. What does not exist is no error.
    async fn remove(&self, digest: &Digest) -> Result<()>;

    /// All content.
    async fn list(&self) -> Result<Vec<(Digest, Stat)>>;

    /// What a link holds; none: it does not exist.
    async fn link(&self, key: &Key) -> Result<Option<Bytes>>;

    /// Makes or replaces links, in this order, and returns when they and the content that they name are durable.
    async fn write_links(&self, links: Vec<(Key, Bytes)>) -> Result<()>;

    /// Deletes a link and says whether there was one.
    async fn unlink(&self, key: &Key) -> Result<bool>;

    /// The links of a folder, in no order; none: the folder never was.
    async fn links(&self, folder: &Folder) -> Result<Option<Vec<LinkInfo>>>;

    /// All repositories that have links, in no order.
    async fn repositories(&self) -> Result<Vec<RepositoryName>>;

    /// Some repository that has a blob; none also where finding out would take long.
    async fn holder(&self, digest: &Digest) -> Result<Option<RepositoryName>>;

    /// Begins an upload. `algorithm` of the digest that it will have.
    async fn begin(
        &self,
        repository: &RepositoryName,
        id: &UploadId,
        algorithm: &str,
    ) -> Result<Box<dyn Upload>>;

    /// Goes on with an upload that an earlier process began; none: there is none of that id in the repository.
    async fn resume(&self, repository: &RepositoryName, id: &UploadId) -> Result<Option<Box<dyn Upload>>>;

    /// The uploads of a repository that have begun and not ended.
    async fn uploads(&self, repository: &RepositoryName) -> Result<Vec<UploadInfo>>;
}

/// An upload in progress. Dropped, it can be resumed.
#[async_trait::async_trait]
pub trait Upload: fmt::Debug + Send {
    /// Bytes so far.
    fn size(&self) -> u64;

    /// Appends the pieces. After an error the upload is of no use but to be discarded or resumed.
    async fn append(&mut self, pieces: Vec<Bytes>) -> Result<()>;

    /// What has come so far and all that will be appended, to be read meanwhile; none where that can't be done.
    fn content(&self) -> Result<Option<File>>;

    /// Sees to it that nothing that was appended is lost when this process ends.
    async fn pause(&mut self) -> Result<()>;

    /// Makes it content, which becomes durable with the first link to it; else it is gone.
    ///
    /// # Errors
    /// [`blobs::BlobError::Mismatch`] within [`StorageError::Blob`] for content of another digest.
    async fn commit(self: Box<Self>, digest: &Digest) -> Result<()>;

    /// Throws it away.
    async fn discard(self: Box<Self>) -> Result<()>;
}

/// Size and age.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
}

/// Open content.
pub struct Content {
    /// Bytes of the whole.
    pub size: u64,
    /// The part that `body` yields.
    pub range: Range<u64>,
    /// The bytes.
    pub body: BoxStream<'static, Result<Bytes>>,
}

/// A link in a folder.
#[derive(Debug, Clone)]
pub struct LinkInfo {
    /// The last part of its key.
    pub name: String,
    /// When it was last written.
    pub modified: SystemTime,
}

/// An upload that has begun and not ended.
#[derive(Debug, Clone)]
pub struct UploadInfo {
    /// Its id.
    pub id: UploadId,
    /// When something last came.
    pub modified: SystemTime,
}

/// The part of `range` that lies in content of `size` bytes.
pub(crate) fn cut(range: Option<Range<u64>>, size: u64) -> Range<u64> {
    let range = range.unwrap_or(0..size);
    range.start.min(size)..range.end.min(size).max(range.start.min(size))
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("size", &self.size)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}
