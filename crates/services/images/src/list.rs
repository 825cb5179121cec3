//! Lists of images and docker's filters on them.

use crate::{Image, Images, Result};
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
    /// [`crate::ImageError::NotFound`] if `before` or `since` names no image; [`crate::ImageError::Pattern`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Summary>> {
        let _ = filter;
        todo!()
    }
}
