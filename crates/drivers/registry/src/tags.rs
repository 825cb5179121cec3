//! The tags of a repository (distribution specification, "Listing Tags").

use crate::{RegistryError, Repository, Result, answer};
use reqwest::header::LINK;
use reqwest::{Method, Response};
use serde::Deserialize;

/// One page; registries choose how many names are in it.
const MAX_PAGE: u64 = 16 << 20;
/// Pages that are asked for before a registry is believed to turn in circles.
const MAX_PAGES: usize = 10_000;

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
        let (mut tags, mut last): (Vec<String>, Option<String>) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let mut request = self.request(place, Method::GET, "tags/list")?;
            if let Some(last) = &last {
                request = request.query(&[("n", "1000"), ("last", last)]);
            }
            let response = self.send(place, request).await?;
            if !response.status().is_success() {
                return Err(self.refused(response, "GET").await);
            }
            let (more, url) = (has_next(&response), response.url().to_string());
            let body = answer::body(response, MAX_PAGE, || "a list of tags".to_owned()).await?;
            let page: Page = serde_json::from_slice(&body).map_err(|error| RegistryError::Protocol {
                url,
                reason: format!("not a list of tags: {error}"),
            })?;
            let page = page.tags.unwrap_or_default();
            last = page.last().cloned();
            tags.extend(page);
            if !more || last.is_none() {
                break;
            }
        }
        Ok(tags)
    }
}

/// Whether the answer names a next page (RFC 8288).
pub(crate) fn has_next(response: &Response) -> bool {
    let links = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    links.into_iter().any(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
}
