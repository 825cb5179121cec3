//! Is everything that tags lead to there, and what its digest says? And mending it from the engine's store beside.
//!
//! All of it is served meanwhile, and nobody waits: what is deleted while it is looked at is no finding.

mod content;
mod walk;

use crate::{Directory, Repositories, RepositoryName, Result, Tag};
use oci::Digest;
use std::collections::BTreeMap;
use walk::{Content, Walk};

/// What is to be checked: repositories, and the directory that they are in.
#[derive(Debug, Clone)]
pub struct Checkup {
    /// The repositories.
    pub repositories: Repositories,
    /// Where their content is.
    pub directory: Directory,
    /// Whether it is filled from other registries: then parts of an image may not have come yet, and what is lost comes again.
    pub is_mirror: bool,
}

/// What a check came to.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Blobs and manifests that were hashed.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong, or was.
    pub flaws: Vec<Flaw>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What.
    pub trouble: Trouble,
    /// The images that it spoils, as `repository:tag`, or by digest where there is no tag.
    pub images: Vec<String>,
    /// Whether it is in order now, of a mirror as soon as somebody asks for it; none: no repair was asked for.
    pub mended: Option<bool>,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are what the words say")]
pub enum Trouble {
    /// A repository has content that is not there.
    Missing { digest: Digest },
    /// Content is not what its name says.
    Damaged { digest: Digest, reason: String },
    /// A manifest is what its digest says, and yet none.
    Unreadable { manifest: Digest, reason: String },
    /// A manifest names content that its repository has no link to.
    Incomplete { manifest: Digest, part: Digest },
    /// A tag names a manifest that the repository has not.
    Dangling { repository: RepositoryName, tag: Tag, manifest: Digest },
    /// The record of a tag says nothing.
    TagUnreadable { repository: RepositoryName, tag: Tag },
}

impl Checkup {
    /// Looks at everything; `repair`: damaged content makes room for what the engine has of that digest. Where it has none, the
    /// damaged content is put aside, so that it is not served, and the images have to be pushed again.
    ///
    /// # Errors
    /// Of the storage. What is wrong with a thing in it is in the report.
    pub async fn run(&self, repair: bool) -> Result<CheckReport> {
        let mut walk = Walk::default();
        for repository in self.repositories.storage.repositories().await? {
            walk.repository(self, &repository).await?;
        }
        let Walk { needed, mut flaws, unreadable } = walk;
        let mut report = CheckReport::default();
        let mut bad = Vec::new();
        for (digest, content) in needed {
            let Some(trouble) = self.look_at(&digest, &content, &mut report).await? else { continue };
            let mended = if repair { Some(self.mend(&digest).await? || self.is_mirror) } else { None };
            bad.push(digest);
            flaws.push(Flaw { trouble, images: content.images.into_iter().collect(), mended });
        }
        // One that cannot be read because it is damaged is told already.
        flaws.extend(
            unreadable.into_iter().filter(|(manifest, _)| !bad.contains(manifest)).map(|(_, flaw)| flaw),
        );
        for flaw in flaws.iter_mut().filter(|_| repair) {
            flaw.mended.get_or_insert(false);
        }
        report.flaws = flaws;
        Ok(report)
    }

    async fn look_at(
        &self,
        digest: &Digest,
        content: &Content,
        report: &mut CheckReport,
    ) -> Result<Option<Trouble>> {
        match self.verify(digest).await? {
            content::Verdict::Sound(size) => {
                report.blobs += 1;
                report.bytes += size;
                Ok(None)
            }
            content::Verdict::Damaged(reason) => {
                report.blobs += 1;
                Ok(Some(Trouble::Damaged { digest: digest.clone(), reason }))
            }
            // A link whose content is missing counts as absent, and an image's part that was deleted meanwhile is no loss.
            content::Verdict::Missing => {
                let linked = self.repositories.storage.link(&content.link).await?.is_some();
                let lost = linked && !content.images.is_empty() && !self.is_mirror;
                Ok(lost.then(|| Trouble::Missing { digest: digest.clone() }))
            }
        }
    }
}

/// Images by the digest of what they need.
type Needed = BTreeMap<Digest, Content>;
