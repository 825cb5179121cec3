//! The manifests of one repository, and which of them something leads to.

use crate::key::digest_of;
use crate::{Folder, Key, Manifest, Repositories, RepositoryError, RepositoryName, Result, Tag, Target};
use oci::Digest;
use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

#[derive(Debug, Default)]
pub(super) struct Marks {
    manifests: HashMap<Digest, (Manifest, SystemTime)>,
    tagged: HashSet<Digest>,
    /// Those that can't be read: nobody knows what they need.
    damaged: Vec<Digest>,
}

impl Marks {
    /// Reads all manifests of a repository and what its tags name.
    pub(super) async fn read(repositories: &Repositories, repository: &RepositoryName) -> Result<Self> {
        let mut marks = Self::default();
        for link in repositories.storage.links(&Folder::manifests(repository)).await?.unwrap_or_default() {
            let Some(digest) = digest_of(&link.name) else { continue };
            let stored = repositories.manifest(repository, &Target::Digest(digest.clone())).await;
            match stored.and_then(|stored| Manifest::parse(&stored.content, Some(&stored.media_type))) {
                Ok(manifest) => {
                    marks.manifests.insert(digest, (manifest, link.modified));
                }
                Err(RepositoryError::ManifestUnknown { .. })
                    if repositories.storage.link(&Key::manifest(repository, &digest)).await?.is_none() =>
                {
                    // Deleted meanwhile.
                }
                Err(error) if error.is_damage() => {
                    let error = errors::chain(&error);
                    tracing::warn!(%repository, manifest = %digest, error, "damaged: nothing of the repository is collected");
                    marks.damaged.push(digest);
                }
                Err(error) => return Err(error),
            }
        }
        for link in repositories.storage.links(&Folder::tags(repository)).await?.unwrap_or_default() {
            let Ok(tag) = link.name.parse::<Tag>() else { continue };
            marks.tagged.extend(repositories.tagged(repository, &tag).await?);
        }
        Ok(marks)
    }

    /// Manifests that no tag leads to: neither over indexes, nor from a subject to what says something about it.
    pub(super) fn unreachable(&self) -> Vec<(Digest, SystemTime)> {
        let mut about: HashMap<&Digest, Vec<&Digest>> = HashMap::new();
        for (digest, (manifest, _)) in &self.manifests {
            if let Some(subject) = &manifest.subject {
                about.entry(subject).or_default().push(digest);
            }
        }
        let mut reached = HashSet::new();
        let mut pending: Vec<&Digest> = self.tagged.iter().collect();
        while let Some(digest) = pending.pop() {
            let Some((manifest, _)) = self.manifests.get(digest) else { continue };
            if reached.insert(digest) {
                pending.extend(&manifest.manifests);
                pending.extend(about.get(digest).into_iter().flatten());
            }
        }
        let left = self.manifests.iter().filter(|(digest, _)| !reached.contains(digest));
        left.map(|(digest, (_, modified))| (digest.clone(), *modified)).collect()
    }

    pub(super) fn damaged(&self) -> &[Digest] {
        &self.damaged
    }

    pub(super) fn forget(&mut self, digest: &Digest) {
        self.manifests.remove(digest);
    }

    pub(super) fn into_manifests(self) -> HashMap<Digest, Manifest> {
        self.manifests.into_iter().map(|(digest, (manifest, _))| (digest, manifest)).collect()
    }
}
