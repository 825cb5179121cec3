//! Finding repositories: the search of Docker's index, and the catalog of registries that have none.

use crate::pages::Pages;
use crate::{Client, Credentials, Purpose, RegistryError, Repository, Result, answer};
use oci::{DEFAULT_DOMAIN, Reference};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

/// Where Docker Hub answers searches; its registry does not.
const HUB_INDEX: &str = "index.docker.io";
const MAX_ANSWER: u64 = 16 << 20;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Search {
    /// `term`, or `host/term`.
    pub term: String,
    /// Most results.
    pub limit: usize,
}

/// A repository that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// How many people like it.
    #[serde(default)]
    pub star_count: i64,
    /// Whether the registry's owner vouches for it.
    #[serde(default)]
    pub is_official: bool,
    /// Whether it was built by the registry.
    #[serde(default)]
    pub is_automated: bool,
}

#[derive(Debug, Deserialize)]
struct Index {
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Debug, Deserialize)]
struct Catalog {
    #[serde(default)]
    repositories: Option<Vec<String>>,
}

impl Client {
    /// Repositories that a registry finds for a term.
    ///
    /// # Errors
    /// [`RegistryError::BadHost`] for a term that is none, and those of any request.
    pub async fn search(&self, search: &Search, credentials: Option<Credentials>) -> Result<Vec<Found>> {
        let (host, term) = match search.term.split_once('/') {
            Some((host, term)) if host.contains(['.', ':']) || host == "localhost" => (host, term),
            _ => (DEFAULT_DOMAIN, search.term.as_str()),
        };
        let name =
            format!("{}/search", if host == DEFAULT_DOMAIN { HUB_INDEX } else { host }).parse::<Reference>();
        let name = name.map_err(|_| RegistryError::BadHost { host: host.to_owned() })?;
        let repository = self.repository(&name, credentials, Purpose::Pull)?;
        let asked = repository.anywhere(|number| self.ask_index(&repository, number, term, search.limit));
        match asked.await? {
            Some(found) => Ok(found),
            None => {
                repository.anywhere(|number| self.ask_catalog(&repository, number, term, search.limit)).await
            }
        }
    }

    /// None: the registry has no index.
    async fn ask_index(
        &self,
        repository: &Repository,
        number: usize,
        term: &str,
        limit: usize,
    ) -> Result<Option<Vec<Found>>> {
        let place = &repository.places()[number];
        let root = place.endpoint.base.trim_end_matches("/v2");
        let limit = limit.to_string();
        let request = self.http(&place.endpoint)?.request(Method::GET, format!("{root}/v1/search"));
        let response = repository.send(place, request.query(&[("q", term), ("n", &limit)])).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let index: Index = parse(response, "a search").await?;
                Ok(Some(index.results))
            }
            _ => Err(answer::refused(response, "GET").await),
        }
    }

    async fn ask_catalog(
        &self,
        repository: &Repository,
        number: usize,
        term: &str,
        limit: usize,
    ) -> Result<Vec<Found>> {
        let place = &repository.places()[number];
        let request =
            self.http(&place.endpoint)?.request(Method::GET, format!("{}/_catalog", place.endpoint.base));
        let mut pages = Pages::new(request.query(&[("n", "1000")]));
        let (host, mut found) = (place.endpoint.host(), Vec::new());
        while let Some(catalog) = pages.next::<Catalog>(repository, place, "a catalog").await? {
            let names = catalog.repositories.unwrap_or_default().into_iter();
            let named = names.filter(|name| name.contains(term));
            found.extend(named.map(|name| Found { name: format!("{host}/{name}"), ..Found::default() }));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}

async fn parse<T: serde::de::DeserializeOwned>(response: reqwest::Response, what: &str) -> Result<T> {
    let url = response.url().to_string();
    let body = answer::body(response, MAX_ANSWER, || format!("the answer to {what}")).await?;
    serde_json::from_slice(&body).map_err(|error| RegistryError::Protocol {
        url,
        reason: format!("not the answer to {what}: {error}"),
    })
}
