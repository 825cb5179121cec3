//! Garbage collection while serving: uploads that nobody goes on with, links that no manifest needs, content that no
//! link names.
//!
//! Marking holds up nobody. What is deleted is older than the grace period and was not announced to the fence.

mod marks;

use crate::fence::Sweep;
use crate::key::digest_of;
use crate::{Folder, Key, Repositories, RepositoryError, RepositoryName, Result, Target};
use marks::Marks;
use oci::Digest;
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

/// What a collection may take.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Nothing younger is deleted.
    pub grace: Duration,
    /// Uploads that got nothing for so long are thrown away.
    pub idle_upload: Duration,
    /// Whether manifests go that no tag leads to.
    pub untagged: bool,
    /// Whether to only say what would go.
    pub dry_run: bool,
}

impl Default for Collection {
    /// An hour, a day, and no manifests.
    fn default() -> Self {
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
        Self { grace: hour, idle_upload: day, untagged: false, dry_run: false }
    }
}

/// What went, or would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Uploads that nobody went on with.
    pub uploads: usize,
    /// Manifests without a tag.
    pub manifests: usize,
    /// Links to blobs that no manifest of their repository names.
    pub links: usize,
    /// Content that no repository has.
    pub blobs: usize,
    /// Its bytes.
    pub bytes: u64,
    /// Manifests that can't be read; of their repositories nothing went.
    pub damaged: usize,
}

/// A collection in progress.
struct Collector<'a> {
    repositories: &'a Repositories,
    sweep: Sweep<'a>,
    rules: &'a Collection,
    now: SystemTime,
    used: HashSet<Digest>,
    collected: Collected,
}

impl Repositories {
    /// Deletes what nobody needs.
    ///
    /// # Errors
    /// Of the storage. What was deleted until then was of no use to anybody.
    pub async fn collect(&self, rules: &Collection) -> Result<Collected> {
        let sweep = self.fence.sweep(rules.grace).await;
        let (used, collected) = Default::default();
        let mut collector =
            Collector { repositories: self, sweep, rules, now: SystemTime::now(), used, collected };
        for repository in self.storage.repositories().await? {
            collector.uploads(&repository).await?;
            collector.repository(&repository).await?;
        }
        collector.content().await?;
        Ok(collector.collected)
    }
}

impl Collector<'_> {
    fn is_older(&self, modified: SystemTime, than: Duration) -> bool {
        self.now.duration_since(modified).is_ok_and(|age| age >= than)
    }

    async fn uploads(&mut self, repository: &RepositoryName) -> Result<()> {
        for upload in self.repositories.storage.uploads(repository).await? {
            let idle = self.is_older(upload.modified, self.rules.idle_upload);
            if !idle || self.repositories.sessions.is_open(repository, &upload.id) {
                continue;
            }
            match self.repositories.upload(repository, &upload.id).await {
                Ok(_) if self.rules.dry_run => {}
                Ok(session) => session.cancel().await?,
                // Ended meanwhile, or taken up.
                Err(RepositoryError::UploadUnknown { .. } | RepositoryError::UploadBusy { .. }) => continue,
                Err(error) => return Err(error),
            }
            self.collected.uploads += 1;
        }
        Ok(())
    }

    /// Drops what the repository need not have, and marks the rest.
    async fn repository(&mut self, repository: &RepositoryName) -> Result<()> {
        let mut marks = Marks::read(self.repositories, repository).await?;
        let whole = marks.damaged().is_empty();
        self.collected.damaged += marks.damaged().len();
        self.used.extend(marks.damaged().iter().cloned());
        if whole && self.rules.untagged {
            self.untagged(repository, &mut marks).await?;
        }
        let manifests = marks.into_manifests();
        let mut needed = HashSet::new();
        for (digest, manifest) in &manifests {
            self.used.insert(digest.clone());
            needed.extend(manifest.blobs.iter().cloned());
        }
        let storage = &self.repositories.storage;
        for link in storage.links(&Folder::blobs(repository)).await?.unwrap_or_default() {
            let Some(digest) = digest_of(&link.name) else { continue };
            let old = self.is_older(link.modified, self.rules.grace);
            if whole && !needed.contains(&digest) && old && self.unlink(repository, &digest).await? {
                self.collected.links += 1;
            } else {
                self.used.insert(digest);
            }
        }
        Ok(())
    }

    /// Drops the manifests that no tag leads to.
    async fn untagged(&mut self, repository: &RepositoryName, marks: &mut Marks) -> Result<()> {
        for (digest, modified) in marks.unreachable() {
            if self.is_older(modified, self.rules.grace) && self.delete(repository, &digest).await? {
                self.collected.manifests += 1;
                marks.forget(&digest);
            }
        }
        Ok(())
    }

    /// Whether a link to a blob went, or would go.
    async fn unlink(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool> {
        if self.rules.dry_run {
            return Ok(true);
        }
        let key = Key::blob(repository, digest);
        Ok(self.sweep.unless_announced(digest, self.repositories.storage.unlink(&key)).await?)
    }

    /// Whether a manifest went, or would go.
    async fn delete(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool> {
        if self.rules.dry_run {
            return Ok(true);
        }
        let target = Target::Digest(digest.clone());
        let delete = self.repositories.delete_manifest(repository, &target);
        self.sweep.unless_announced(digest, delete).await
    }

    /// Deletes content that was not marked.
    async fn content(&mut self) -> Result<()> {
        let storage = &self.repositories.storage;
        for (digest, stat) in storage.list().await? {
            if self.used.contains(&digest) || !self.is_older(stat.modified, self.rules.grace) {
                continue;
            }
            if self.rules.dry_run || self.sweep.unless_announced(&digest, storage.remove(&digest)).await? {
                self.collected.blobs += 1;
                self.collected.bytes += stat.size;
            }
        }
        Ok(())
    }
}
