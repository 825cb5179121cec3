//! Where what is read comes from: the repositories here, or those of another registry by way of here.

use oci::Digest;
use repositories::{Content, Mirror, Mirrored, Page, Repositories, RepositoryName, Result, Tag, Target};
use std::ops::Range;

/// For one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Here and nowhere else.
    Own(&'a Repositories),
    /// A mirror, and which of its upstreams the client means, as containerd says it with `ns`.
    Mirror(&'a Mirror, Option<&'a str>),
}

impl Source<'_> {
    pub(crate) async fn manifest(self, name: &RepositoryName, target: &Target) -> Result<Mirrored> {
        match self {
            Self::Own(own) => Ok(Mirrored { stored: own.manifest(name, target).await?, stale: false }),
            Self::Mirror(mirror, namespace) => mirror.manifest(name, namespace, target).await,
        }
    }

    pub(crate) async fn blob_size(self, name: &RepositoryName, digest: &Digest) -> Result<u64> {
        match self {
            Self::Own(own) => Ok(own.blob(name, digest).await?.size),
            Self::Mirror(mirror, namespace) => mirror.blob_size(name, namespace, digest).await,
        }
    }

    pub(crate) async fn open_blob(
        self,
        name: &RepositoryName,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Content> {
        match self {
            Self::Own(own) => own.open_blob(name, digest, range).await,
            Self::Mirror(mirror, namespace) => mirror.open_blob(name, namespace, digest, range).await,
        }
    }

    pub(crate) async fn tags(
        self,
        name: &RepositoryName,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page<Tag>> {
        match self {
            Self::Own(own) => own.tags(name, after, limit).await,
            Self::Mirror(mirror, namespace) => mirror.tags(name, namespace, after, limit).await,
        }
    }
}
