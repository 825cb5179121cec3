//! Where the links of a repository are: one grammar for all storages.
//!
//! ```text
//! repositories/<name>/_blobs/<algorithm>-<hex>                   the repository has this blob; empty
//! repositories/<name>/_manifests/<algorithm>-<hex>               it has this manifest; its media type, or empty: as
//!                                                                the document says
//! repositories/<name>/_tags/<tag>                                the digest of the manifest that the tag names
//! repositories/<name>/_referrers/<subject>/<algorithm>-<hex>     a manifest with that subject; its descriptor
//! repositories/<name>/_uploads/<id>                              an upload in progress; what its storage needs
//! ```
//!
//! No component of a name begins with an underscore, so that a repository `a/b` may lie below a repository `a`.

use crate::{RepositoryName, Tag, UploadId};
use oci::Digest;
use std::fmt;

/// The folder below which all links are.
pub(crate) const ROOT: &str = "repositories";

/// What begins the name of a folder of links.
pub(crate) const MARK: char = '_';

/// A kind of links of a repository.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Folder(String);

/// The place of one link.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    path: String,
    content: Option<Digest>,
}

impl Folder {
    /// Of blobs.
    pub fn blobs(repository: &RepositoryName) -> Self {
        Self(format!("{ROOT}/{repository}/_blobs"))
    }

    /// Of manifests.
    pub fn manifests(repository: &RepositoryName) -> Self {
        Self(format!("{ROOT}/{repository}/_manifests"))
    }

    /// Of tags.
    pub fn tags(repository: &RepositoryName) -> Self {
        Self(format!("{ROOT}/{repository}/_tags"))
    }

    /// Of manifests that have this subject.
    pub fn referrers(repository: &RepositoryName, subject: &Digest) -> Self {
        Self(format!("{ROOT}/{repository}/_referrers/{}", file_name(subject)))
    }

    /// Of uploads.
    pub fn uploads(repository: &RepositoryName) -> Self {
        Self(format!("{ROOT}/{repository}/_uploads"))
    }

    /// The path, with slashes.
    pub fn path(&self) -> &str {
        &self.0
    }

    fn link(self, name: &str, content: Option<Digest>) -> Key {
        Key { path: format!("{}/{name}", self.0), content }
    }
}

impl Key {
    /// Of a blob.
    pub fn blob(repository: &RepositoryName, digest: &Digest) -> Self {
        Folder::blobs(repository).link(&file_name(digest), Some(digest.clone()))
    }

    /// Of a manifest.
    pub fn manifest(repository: &RepositoryName, digest: &Digest) -> Self {
        Folder::manifests(repository).link(&file_name(digest), Some(digest.clone()))
    }

    /// Of a tag.
    pub fn tag(repository: &RepositoryName, tag: &Tag) -> Self {
        Folder::tags(repository).link(tag.as_str(), None)
    }

    /// Of a manifest with a subject.
    pub fn referrer(repository: &RepositoryName, subject: &Digest, digest: &Digest) -> Self {
        Folder::referrers(repository, subject).link(&file_name(digest), None)
    }

    /// Of an upload.
    pub fn upload(repository: &RepositoryName, id: &UploadId) -> Self {
        Folder::uploads(repository).link(id.as_str(), None)
    }

    /// The path, with slashes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The content that the link says is there.
    pub fn content(&self) -> Option<&Digest> {
        self.content.as_ref()
    }
}

fn file_name(digest: &Digest) -> String {
    digest.as_str().replacen(':', "-", 1)
}

/// The digest that a link is called by.
pub(crate) fn digest_of(name: &str) -> Option<Digest> {
    name.replacen('-', ":", 1).parse().ok()
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}
