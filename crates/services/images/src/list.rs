//! Lists of images and docker's filters on them.

use crate::index::{Index, names_of};
use crate::pattern::Pattern;
use crate::{Image, ImageError, Images, Result};
use oci::{Digest, Reference};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

/// Which images a list shows. The default shows all that are not intermediate steps of a build.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Also intermediate images.
    pub all: bool,
    /// Only images without a tag, or only those with.
    pub dangling: Option<bool>,
    /// All of these: `key` or `key=value`.
    pub labels: Vec<String>,
    /// None of these: `key` or `key=value`.
    pub without_labels: Vec<String>,
    /// Any of these: a reference or a pattern with `*`, `?`, `[…]`.
    pub references: Vec<String>,
    /// Older than this image.
    pub before: Option<String>,
    /// Younger than this image.
    pub since: Option<String>,
    /// Made before this Unix time in seconds.
    pub until: Option<i64>,
}

/// An entry of a list: the image, and which of its names the filter lets through.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The image.
    pub image: Arc<Image>,
    /// `busybox:latest`.
    pub repo_tags: Vec<String>,
    /// `busybox@sha256:…`.
    pub repo_digests: Vec<String>,
}

impl Images {
    /// The images that `filter` lets through, youngest first.
    ///
    /// # Errors
    /// [`ImageError::NotFound`] if `before` or `since` names no image; [`ImageError::Pattern`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Summary>> {
        let index = self.index();
        let wanted = Wanted::new(filter, &index)?;
        let images = index.images.values().map(|stored| &stored.image);
        // Of a name for several platforms one image stands in the list for all.
        let meant: HashSet<&Digest> = index.names.values().map(|name| &name.image).collect();
        let images = images.filter(|image| meant.contains(&image.id) || names_of(image).next().is_none());
        let mut list: Vec<Summary> = images
            .filter(|image| wanted.image(&index, image))
            .filter_map(|image| wanted.summary(image))
            .collect();
        list.sort_by(|a, b| {
            (Reverse(a.image.created), &a.image.id).cmp(&(Reverse(b.image.created), &b.image.id))
        });
        Ok(list)
    }
}

/// A filter whose parts have been looked up.
struct Wanted<'a> {
    filter: &'a Filter,
    patterns: Vec<Pattern>,
    before: Option<i64>,
    since: Option<i64>,
}

impl<'a> Wanted<'a> {
    fn new(filter: &'a Filter, index: &Index) -> Result<Self> {
        let created = |name: &Option<String>| match name {
            Some(name) => Ok(Some(index.resolve(name)?.image.created)),
            None => Ok::<_, ImageError>(None),
        };
        let pattern =
            |text: &String| Pattern::parse(text).ok_or_else(|| ImageError::Pattern { pattern: text.clone() });
        Ok(Self {
            filter,
            patterns: filter.references.iter().map(pattern).collect::<Result<_>>()?,
            before: created(&filter.before)?,
            since: created(&filter.since)?,
        })
    }

    fn image(&self, index: &Index, image: &Image) -> bool {
        let filter = self.filter;
        let nameless = image.tags.is_empty() && image.digests.is_empty();
        // Docker counts an image with a digest alone to both.
        let dangling = |wanted| if wanted { image.tags.is_empty() } else { !nameless };
        // Without a name and with children it is a step of a build.
        let intermediate = nameless && index.children(&image.id).next().is_some();
        let label = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => image.config.config.labels.get(key).is_some_and(|found| found == value),
            None => image.config.config.labels.contains_key(wanted),
        };
        (filter.all || !intermediate)
            && filter.dangling.is_none_or(dangling)
            && filter.labels.iter().all(label)
            && !filter.without_labels.iter().any(label)
            && self.before.is_none_or(|time| image.created < time)
            && self.since.is_none_or(|time| image.created > time)
            && filter.until.is_none_or(|time| image.created < time)
    }

    /// None if there are patterns and no name matches any.
    fn summary(&self, image: &Arc<Image>) -> Option<Summary> {
        let matches = |name: &&Reference| {
            let (full, bare) = (name.familiar(), name.familiar_name());
            self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(&full) || p.matches(bare))
        };
        if !self.patterns.is_empty() && !names_of(image).any(|name| matches(&name)) {
            return None;
        }
        let familiar = |names: &[Reference]| names.iter().filter(matches).map(Reference::familiar).collect();
        Some(Summary {
            image: Arc::clone(image),
            repo_tags: familiar(&image.tags),
            repo_digests: familiar(&image.digests),
        })
    }
}
