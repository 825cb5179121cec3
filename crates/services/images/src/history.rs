//! How an image came to be.

use crate::index::seconds;
use crate::{Image, Images};

/// A step, as `docker history` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// The image that ends with this step, or `<missing>`.
    pub id: String,
    /// Unix time in seconds.
    pub created: i64,
    /// The instruction.
    pub created_by: String,
    /// Names of the image that ends with this step.
    pub tags: Vec<String>,
    /// Bytes of the step's layer.
    pub size: u64,
    /// A message.
    pub comment: String,
}

impl Images {
    /// The steps of `image`, latest first.
    pub fn history(&self, image: &Image) -> Vec<HistoryItem> {
        let index = self.index();
        let mut layers = image.layers().iter();
        let steps = image.config.history.iter().map(|step| {
            let layer = if step.empty_layer { None } else { layers.next() };
            HistoryItem {
                id: "<missing>".to_owned(),
                created: step.created.as_deref().map_or(0, seconds),
                created_by: step.created_by.clone(),
                tags: Vec::new(),
                size: layer.and_then(|diff| index.layers.get(diff)).map_or(0, |layer| layer.size),
                comment: step.comment.clone(),
            }
        });
        let mut items: Vec<HistoryItem> = steps.collect();
        items.reverse();
        // The steps below belong to parents: those that are in the store have ids.
        let mut current = Some(image.clone());
        for item in &mut items {
            let Some(image) = current.take() else { break };
            item.id = image.id.to_string();
            item.tags = image.repo_tags();
            current = image
                .parent
                .as_ref()
                .and_then(|id| index.images.get(id))
                .map(|stored| (*stored.image).clone());
        }
        items
    }
}
