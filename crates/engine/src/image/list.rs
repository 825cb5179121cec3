//! `images`.

use crate::Services;
use errors::Result;
use images::{Filter, Image, PlatformManifest, Summary, Use};
use std::sync::Arc;

/// An image in a list.
#[derive(Debug, Clone)]
pub struct ListedImage {
    /// The image and its names.
    pub summary: Summary,
    /// How many containers were made from it.
    pub containers: usize,
}

/// The manifests behind an image's names, and the containers of each image among them.
///
/// # Errors
/// `Invalid` for a damaged index.
pub async fn platforms(
    services: &Arc<Services>,
    image: &Image,
) -> Result<Vec<(PlatformManifest, Vec<String>)>> {
    let uses = super::uses(services);
    let containers = |image: &Image| {
        let users = uses.iter().filter(|user| user.image == image.id);
        users.filter_map(Use::container).map(str::to_owned).collect::<Vec<_>>()
    };
    let manifests = services.images.platforms(image).await?.into_iter();
    Ok(manifests
        .map(|manifest| {
            let users = manifest.image.as_deref().map(containers).unwrap_or_default();
            (manifest, users)
        })
        .collect())
}

/// The images that a filter lets through, youngest first.
///
/// # Errors
/// `NotFound` for an image that the filter names.
pub async fn list(services: &Arc<Services>, filter: &Filter) -> Result<Vec<ListedImage>> {
    let uses = super::uses(services);
    let images = services.images.list(filter)?.into_iter();
    let listed = images.map(|summary| ListedImage {
        containers: uses
            .iter()
            .filter(|used| used.image == summary.image.id && used.container().is_some())
            .count(),
        summary,
    });
    Ok(listed.collect())
}
