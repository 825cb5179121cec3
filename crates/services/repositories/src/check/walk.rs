//! From tags to manifests to blobs, in each repository.

use super::{Checkup, Flaw, Needed, Trouble};
use crate::key::digest_of;
use crate::{Folder, Key, Manifest, RepositoryName, Result, Tag, Target};
use oci::Digest;
use std::collections::{BTreeSet, HashMap};

/// Content that a repository has a link to.
#[derive(Debug)]
pub(super) struct Content {
    /// One of these links.
    pub(super) link: Key,
    /// What needs it; nothing: it waits for its manifest, or for a collection.
    pub(super) images: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) needed: Needed,
    pub(super) flaws: Vec<Flaw>,
    /// Manifests that cannot be read, for whatever reason.
    pub(super) unreadable: Vec<(Digest, Flaw)>,
}

/// The manifests of a repository.
type Manifests = HashMap<Digest, Option<Manifest>>;

impl Walk {
    pub(super) async fn repository(&mut self, checkup: &Checkup, repository: &RepositoryName) -> Result<()> {
        let manifests = self.manifests(checkup, repository).await?;
        let tags = self.tags(checkup, repository, &manifests).await?;
        let names = names(repository, &manifests, tags);
        for (digest, manifest) in &manifests {
            let of = &names[digest];
            self.need(Key::manifest(repository, digest), digest, of);
            for part in manifest.iter().flat_map(Manifest::references) {
                self.part(checkup, repository, (digest, part), of).await?;
            }
        }
        for link in checkup.repositories.storage.links(&Folder::blobs(repository)).await?.unwrap_or_default()
        {
            if let Some(digest) = digest_of(&link.name) {
                self.need(Key::blob(repository, &digest), &digest, &BTreeSet::new());
            }
        }
        Ok(())
    }

    async fn manifests(&mut self, checkup: &Checkup, repository: &RepositoryName) -> Result<Manifests> {
        let mut manifests = HashMap::new();
        let storage = &checkup.repositories.storage;
        for link in storage.links(&Folder::manifests(repository)).await?.unwrap_or_default() {
            let Some(digest) = digest_of(&link.name) else { continue };
            let stored = checkup.repositories.manifest(repository, &Target::Digest(digest.clone())).await;
            match stored.and_then(|stored| Manifest::parse(&stored.content, Some(&stored.media_type))) {
                Ok(manifest) => {
                    manifests.insert(digest, Some(manifest));
                }
                Err(error) if error.is_damage() => {
                    if storage.link(&Key::manifest(repository, &digest)).await?.is_none() {
                        continue;
                    }
                    let (manifest, reason) = (digest.clone(), errors::chain(&error));
                    let images = vec![format!("{repository}@{digest}")];
                    let trouble = Trouble::Unreadable { manifest, reason };
                    self.unreadable.push((digest.clone(), Flaw { trouble, images, mended: None }));
                    manifests.insert(digest, None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(manifests)
    }

    /// What tags name, of what is there.
    async fn tags(
        &mut self,
        checkup: &Checkup,
        repository: &RepositoryName,
        manifests: &Manifests,
    ) -> Result<Vec<(String, Digest)>> {
        let mut tags = Vec::new();
        let storage = &checkup.repositories.storage;
        for link in storage.links(&Folder::tags(repository)).await?.unwrap_or_default() {
            let Ok(tag) = link.name.parse::<Tag>() else { continue };
            let name = format!("{repository}:{tag}");
            let trouble = match checkup.repositories.tagged(repository, &tag).await {
                Ok(None) => continue,
                Ok(Some(digest)) if manifests.contains_key(&digest) => {
                    tags.push((name, digest));
                    continue;
                }
                // Pushed since the manifests were listed.
                Ok(Some(digest)) if storage.link(&Key::manifest(repository, &digest)).await?.is_some() => {
                    continue;
                }
                Ok(Some(manifest)) => Trouble::Dangling { repository: repository.clone(), tag, manifest },
                Err(error) if error.is_damage() => {
                    Trouble::TagUnreadable { repository: repository.clone(), tag }
                }
                Err(error) => return Err(error),
            };
            self.flaws.push(Flaw { trouble, images: vec![name], mended: None });
        }
        Ok(tags)
    }

    /// What a manifest names.
    async fn part(
        &mut self,
        checkup: &Checkup,
        repository: &RepositoryName,
        (manifest, part): (&Digest, &Digest),
        images: &BTreeSet<String>,
    ) -> Result<()> {
        let storage = &checkup.repositories.storage;
        for link in [Key::blob(repository, part), Key::manifest(repository, part)] {
            if storage.link(&link).await?.is_some() {
                self.need(link, part, images);
                return Ok(());
            }
        }
        let deleted = storage.link(&Key::manifest(repository, manifest)).await?.is_none();
        if !checkup.is_mirror && !deleted {
            let trouble = Trouble::Incomplete { manifest: manifest.clone(), part: part.clone() };
            self.flaws.push(Flaw { trouble, images: images.iter().cloned().collect(), mended: None });
        }
        Ok(())
    }

    fn need(&mut self, link: Key, digest: &Digest, images: &BTreeSet<String>) {
        let content = self.needed.entry(digest.clone());
        let content = content.or_insert_with(|| Content { link, images: BTreeSet::new() });
        content.images.extend(images.iter().cloned());
    }
}

/// What leads to each manifest: tags, over indexes too; where none does, its digest.
fn names(
    repository: &RepositoryName,
    manifests: &Manifests,
    tags: Vec<(String, Digest)>,
) -> HashMap<Digest, BTreeSet<String>> {
    let mut names: HashMap<Digest, BTreeSet<String>> = HashMap::new();
    let mut pending = tags;
    while let Some((name, digest)) = pending.pop() {
        let Some(manifest) = manifests.get(&digest) else { continue };
        if names.entry(digest).or_default().insert(name.clone()) {
            let children = manifest.iter().flat_map(|manifest| &manifest.manifests);
            pending.extend(children.map(|child| (name.clone(), child.clone())));
        }
    }
    for digest in manifests.keys() {
        names.entry(digest.clone()).or_insert_with(|| BTreeSet::from([format!("{repository}@{digest}")]));
    }
    names
}
