//! How an image came to be.

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
        let _ = image;
        todo!()
    }
}
