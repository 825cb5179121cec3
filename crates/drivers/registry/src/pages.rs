//! Lists that come in pages: each answer names the next one (RFC 8288; distribution specification, "Listing Tags").

use crate::repository::Place;
use crate::{RegistryError, Repository, Result, answer};
use reqwest::header::LINK;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use std::collections::HashSet;

/// One page; registries choose how many names are in it.
const MAX_PAGE: u64 = 16 << 20;
/// Pages that are asked for before a list is believed to have no end.
const MAX_PAGES: usize = 10_000;

/// The pages that follow one request.
#[derive(Debug)]
pub(crate) struct Pages {
    next: Option<RequestBuilder>,
    /// Where they were, so that a registry that turns in circles is noticed.
    seen: HashSet<Url>,
}

impl Pages {
    pub(crate) fn new(first: RequestBuilder) -> Self {
        Self { next: Some(first), seen: HashSet::new() }
    }

    /// The next page; none after the last.
    pub(crate) async fn next<T: DeserializeOwned>(
        &mut self,
        repository: &Repository,
        place: &Place,
        what: &str,
    ) -> Result<Option<T>> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let response = repository.send(place, request).await?;
        if !response.status().is_success() {
            return Err(repository.refused(response, "GET").await);
        }
        let url = response.url().to_string();
        if let Some(next) = next_of(&response)? {
            if !self.seen.insert(next.clone()) || self.seen.len() > MAX_PAGES {
                let reason = format!("{what} has no end");
                return Err(RegistryError::Protocol { url, reason });
            }
            self.next = Some(repository.inner.client.http(&place.endpoint)?.request(Method::GET, next));
        }
        let body = answer::body(response, MAX_PAGE, || what.to_owned()).await?;
        let page = serde_json::from_slice(&body)
            .map_err(|error| RegistryError::Protocol { url, reason: format!("not {what}: {error}") })?;
        Ok(Some(page))
    }
}

/// Where the next page is: `Link: <…>; rel="next"`, absolute or relative to this one.
fn next_of(response: &Response) -> Result<Option<Url>> {
    let links = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let Some(target) = links.filter_map(target).next() else { return Ok(None) };
    let url = response.url();
    let next = url.join(target).map_err(|_| RegistryError::Protocol {
        url: url.to_string(),
        reason: format!("the next page is said to be at '{target}'"),
    })?;
    Ok(Some(next))
}

/// The target of a header's link to the next page.
fn target(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let (target, behind) = link.split_once('>')?;
        // The parameters of this link end where the next one begins.
        let parameters = behind.split('<').next().unwrap_or(behind);
        let is_next = |part: &str| matches!(part.trim().trim_end_matches(','), "rel=\"next\"" | "rel=next");
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_is_found_among_others() {
        assert_eq!(target(r#"</v2/x/tags/list?n=2&last=b>; rel="next""#), Some("/v2/x/tags/list?n=2&last=b"));
        assert_eq!(target(r#"<a>; rel="prev", <b>; title=x; rel=next"#), Some("b"));
        assert_eq!(target(r#"<a>; rel="prev""#), None);
        assert_eq!(target("<a"), None);
    }
}
