//! The tags of a repository (distribution specification, "Listing Tags").

use crate::pages::Pages;
use crate::{Repository, Result};
use reqwest::Method;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Repository {
    /// All tags, in the registry's order.
    ///
    /// # Errors
    /// [`RegistryError::NameUnknown`], and those of any request.
    pub async fn tags(&self) -> Result<Vec<String>> {
        self.anywhere(|number| self.tags_at(number)).await
    }

    async fn tags_at(&self, number: usize) -> Result<Vec<String>> {
        let place = &self.places()[number];
        let mut pages = Pages::new(self.request(place, Method::GET, "tags/list")?);
        let mut tags = Vec::new();
        while let Some(page) = pages.next::<Page>(self, place, "a list of tags").await? {
            tags.extend(page.tags.unwrap_or_default());
        }
        Ok(tags)
    }
}
