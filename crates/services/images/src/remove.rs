//! Taking names and images away, by docker's rules.
//!
//! By name: the name goes; with the last name also the image, unless it is needed: then it stays without one. By id: all names and
//! the image, if they are of one repository. What stands in the way is a conflict: soft ones yield to force, hard ones (a running
//! container, an image made from this one) do not.

use crate::index::{Index, Stored, names_of};
use crate::{Image, ImageError, Images, Result};
use oci::{Digest, Platform, Reference, is_id_prefix};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// An image that is in use, as the engine knows it.
#[derive(Debug, Clone)]
pub struct Use {
    /// The image's id.
    pub image: Digest,
    /// Who uses it.
    pub by: User,
}

impl Use {
    /// The id of the container, if it is one.
    pub fn container(&self) -> Option<&str> {
        match &self.by {
            User::Container { id, .. } => Some(id),
            User::Mount(_) => None,
        }
    }
}

/// What an image is in use by.
#[derive(Debug, Clone)]
pub enum User {
    /// A container that was made from it.
    Container {
        /// Its id.
        id: String,
        /// Whether it runs (or is paused): then not even force takes the image away.
        running: bool,
    },
    /// A mount of its files at this place: not even force takes the image away.
    Mount(PathBuf),
}

/// How to remove.
#[derive(Debug, Clone, Copy)]
pub struct Removal {
    /// Also if several repositories name the image or a stopped container uses it.
    pub force: bool,
    /// Also parents that have no name and no other child.
    pub prune: bool,
    /// Nothing that anybody uses, whatever `force` says: for those who clean up.
    pub unused: bool,
}

/// One thing that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name: `busybox:latest` or `busybox@sha256:…`.
    Untagged(String),
    /// An image or, by its chain id, a layer: `sha256:…`.
    Deleted(String),
}

/// What is to be taken away.
#[derive(Debug, Default)]
struct Plan {
    names: Vec<Reference>,
    images: Vec<Digest>,
}

impl Images {
    /// Removes what `name` means: the name alone if the image has others, else also the image, and the layers that
    /// nothing else needs. Asks for `uses` when nothing else changes any more.
    ///
    /// # Errors
    /// [`ImageError::NotFound`]; [`ImageError::InUse`] and [`ImageError::NameInUse`].
    pub async fn remove(
        &self,
        name: &str,
        removal: Removal,
        uses: impl Fn() -> Vec<Use>,
    ) -> Result<Vec<Removed>> {
        let _writing = self.inner.writing.lock().await;
        let uses = &uses();
        let index = Index::clone(&self.index());
        let stored = index.resolve(name)?;
        let plan = plan(&index, stored, name, removal, uses)?;
        let mut removed: Vec<Removed> =
            plan.names.iter().map(|name| Removed::Untagged(name.familiar())).collect();
        let gone: Vec<_> = plan.images.iter().filter_map(|id| index.images.get(id)).cloned().collect();
        if plan.images.is_empty() {
            self.rename(index, &BTreeMap::new(), &plan.names.into_iter().collect(), None).await?;
            return Ok(removed);
        }
        let layers: BTreeSet<Digest> = self.delete(&plan.images, &plan.names).await?.into_iter().collect();
        for stored in gone {
            removed.push(Removed::Deleted(stored.image.id.to_string()));
            removed.extend(chains(&stored.image, &layers).map(|chain| Removed::Deleted(chain.to_string())));
        }
        Ok(removed)
    }
}

impl Images {
    /// Removes the images of these platforms from what `name` stands for; the name stays for the others.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::WrongPlatform`]; [`ImageError::InUse`].
    pub async fn remove_platforms(
        &self,
        name: &str,
        platforms: &[Platform],
        force: bool,
        uses: impl Fn() -> Vec<Use>,
    ) -> Result<Vec<Removed>> {
        let _writing = self.inner.writing.lock().await;
        let uses = &uses();
        let index = self.index();
        let mut gone: Vec<Arc<Image>> = Vec::new();
        for platform in platforms {
            let image = self.resolve_for(name, Some(platform))?;
            check(&index, &image, uses, force, false)?;
            gone.push(image);
        }
        let ids: Vec<Digest> = gone.iter().map(|image| image.id.clone()).collect();
        let layers: BTreeSet<Digest> = self.delete(&ids, &[]).await?.into_iter().collect();
        let mut removed = Vec::new();
        for image in gone {
            removed.push(Removed::Deleted(image.id.to_string()));
            removed.extend(chains(&image, &layers).map(|chain| Removed::Deleted(chain.to_string())));
        }
        Ok(removed)
    }
}

/// The chain ids of an image, topmost first, whose layer went.
fn chains(image: &Image, gone: &BTreeSet<Digest>) -> impl Iterator<Item = Digest> {
    let stack = image.layers();
    let chain = |end: usize| oci::chain_id(&stack[..end], blobs::sha256);
    let ends: Vec<usize> = (1..=stack.len()).rev().filter(|end| gone.contains(&stack[end - 1])).collect();
    ends.into_iter().filter_map(chain).collect::<Vec<_>>().into_iter()
}

fn plan(index: &Index, stored: &Stored, name: &str, removal: Removal, uses: &[Use]) -> Result<Plan> {
    let image = &stored.image;
    let names: Vec<Reference> = names_of(image).cloned().collect();
    if removal.unused && uses.iter().any(|used| used.image == image.id) {
        return Err(ImageError::InUse {
            id: image.id.short().to_owned(),
            hard: true,
            reason: "image has come to be used".to_owned(),
        });
    }
    let mut plan = Plan::default();
    let by_id = is_id_prefix(&image.id, name) && !names_it(index, name);
    if by_id {
        check(index, image, uses, removal.force, !is_single(image))?;
        // A name that means another platform's image stays, for that one.
        let means = |name: &Reference| index.name(name).is_some_and(|record| record.image == image.id);
        plan.names = names.into_iter().filter(means).collect();
    } else {
        let reference = name.parse::<Reference>()?.or_latest();
        if !removal.force && is_single(image) {
            name_in_use(image, name, uses)?;
        }
        let (gone, left) = without(&names, &reference);
        plan.names = gone;
        if !left.is_empty() {
            return Ok(plan);
        }
    }
    // A mount is known by the image's name.
    let mounted = uses.iter().any(|used| used.image == image.id && matches!(used.by, User::Mount(_)));
    for one in others(index, &plan.names).into_iter().chain([&**image]) {
        match check(index, one, uses, removal.force, false) {
            Ok(()) => plan.images.push(one.id.clone()),
            Err(_) if !by_id && !mounted => {}
            Err(error) => return Err(error),
        }
    }
    if !plan.images.contains(&image.id) {
        return Ok(plan);
    }
    if removal.prune {
        prune_parents(index, image, uses, &mut plan);
    }
    Ok(plan)
}

/// Images for other platforms that these names stand for too, and no others.
fn others<'a>(index: &'a Index, names: &[Reference]) -> Vec<&'a Image> {
    let records = names.iter().filter_map(|name| index.name(name));
    let ids: BTreeSet<&Digest> = records.flat_map(|record| &record.others).collect();
    let images = ids.into_iter().filter_map(|id| index.images.get(id)).map(|stored| &*stored.image);
    let left = |image: &Image| {
        names.iter().fold(names_of(image).cloned().collect(), |left: Vec<_>, name| without(&left, name).1)
    };
    images.filter(|image| left(image).is_empty()).collect()
}

/// Whether a text that could begin an id is also a name.
fn names_it(index: &Index, name: &str) -> bool {
    name.parse::<Reference>().is_ok_and(|reference| index.names.contains_key(&reference.or_latest()))
}

/// Whether the image has at most one tag, and all its names are of one repository.
fn is_single(image: &Image) -> bool {
    let mut names = names_of(image);
    let Some(first) = names.next() else { return true };
    image.tags.len() <= 1 && names.all(|name| name.same_repository(first))
}

/// The names that go with `reference`, and those that stay: digests of a repository go with its last tag.
fn without(names: &[Reference], reference: &Reference) -> (Vec<Reference>, Vec<Reference>) {
    let bare =
        reference.digest().map_or_else(|| reference.clone(), |digest| reference.with_digest(digest.clone()));
    let (mut gone, left): (Vec<_>, Vec<_>) = names.iter().cloned().partition(|name| *name == bare);
    let tagged = left.iter().any(|name| name.tag().is_some() && name.same_repository(reference));
    if tagged || reference.tag().is_none() {
        return (gone, left);
    }
    let (digests, left): (Vec<_>, Vec<_>) =
        left.into_iter().partition(|name| name.same_repository(reference));
    gone.extend(digests);
    (gone, left)
}

/// Docker's conflicts, hard ones first. `referenced`: several repositories name the image.
fn check(index: &Index, image: &Image, uses: &[Use], force: bool, referenced: bool) -> Result<()> {
    let conflict =
        |hard, reason: String| Err(ImageError::InUse { id: image.id.short().to_owned(), hard, reason });
    let users = || uses.iter().filter(|used| used.image == image.id).map(|used| &used.by);
    if index.children(&image.id).next().is_some() {
        return conflict(true, "image has dependent child images".to_owned());
    }
    for user in users() {
        match user {
            User::Container { id, running: true } => {
                return conflict(true, format!("image is being used by running container {}", short(id)));
            }
            User::Mount(path) => {
                return conflict(true, format!("image is mounted at {}: unmount it first", path.display()));
            }
            User::Container { running: false, .. } => {}
        }
    }
    if force {
        return Ok(());
    }
    if referenced {
        return conflict(false, "image is referenced in multiple repositories".to_owned());
    }
    match containers(image, uses).next() {
        Some(id) => conflict(false, format!("image is being used by stopped container {id}")),
        None => Ok(()),
    }
}

fn name_in_use(image: &Image, name: &str, uses: &[Use]) -> Result<()> {
    match containers(image, uses).next() {
        None => Ok(()),
        Some(container) => Err(ImageError::NameInUse {
            name: name.to_owned(),
            container: container.to_owned(),
            id: image.id.short().to_owned(),
        }),
    }
}

/// The containers that were made from the image, 12 digits each.
fn containers<'a>(image: &Image, uses: &'a [Use]) -> impl Iterator<Item = &'a str> {
    uses.iter().filter(|used| used.image == image.id).filter_map(Use::container).map(short)
}

/// Parents that nothing names, uses or builds upon.
fn prune_parents(index: &Index, image: &Image, uses: &[Use], plan: &mut Plan) {
    let mut parent = image.parent.clone();
    while let Some(stored) = parent.as_ref().and_then(|id| index.images.get(id)) {
        let named = names_of(&stored.image).next().is_some();
        let used = uses.iter().any(|user| user.image == stored.image.id);
        let other = index.children(&stored.image.id).any(|child| !plan.images.contains(&child.image.id));
        if named || used || other || plan.images.contains(&stored.image.id) {
            return;
        }
        plan.images.push(stored.image.id.clone());
        parent = stored.image.parent.clone();
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
