//! `images`.

use crate::Services;
use errors::Result;
use images::{Filter, Summary};
use std::sync::Arc;

/// An image in a list.
#[derive(Debug, Clone)]
pub struct ListedImage {
    /// The image and its names.
    pub summary: Summary,
    /// How many containers were made from it.
    pub containers: usize,
}

/// The images that a filter lets through, youngest first.
///
/// # Errors
/// `NotFound` for an image that the filter names.
pub async fn list(services: &Arc<Services>, filter: &Filter) -> Result<Vec<ListedImage>> {
    let uses = super::uses(services);
    let images = services.images.list(filter)?.into_iter();
    let listed = images.map(|summary| ListedImage {
        containers: uses.iter().filter(|used| used.image == summary.image.id).count(),
        summary,
    });
    Ok(listed.collect())
}
