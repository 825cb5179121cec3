//! `search`: repositories in a registry.

use crate::{Filters, Services};
use errors::{Class, Error, Result};
use registry::{Credentials, Found, Search};
use std::sync::Arc;

/// As docker limits it.
const LIMITS: std::ops::RangeInclusive<usize> = 1..=100;
const DEFAULT_LIMIT: usize = 25;

/// The repositories that a registry finds for a term and the filters `is-official`, `is-automated` and `stars` let through.
///
/// # Errors
/// `Invalid` for a bad filter or limit; `Unavailable` if the registry does not answer.
pub async fn search(
    services: &Arc<Services>,
    term: &str,
    limit: Option<usize>,
    filters: &Filters,
    credentials: Option<Credentials>,
) -> Result<Vec<Found>> {
    filters.allow(&["is-official", "is-automated", "stars"])?;
    let limit = limit.filter(|limit| *limit != 0).unwrap_or(DEFAULT_LIMIT);
    if !LIMITS.contains(&limit) {
        return Err(Error::new(Class::Invalid, format!("limit {limit} is outside the range of [1, 100]")));
    }
    let (official, automated) = (filters.flag("is-official")?, filters.flag("is-automated")?);
    let stars = match filters.values("stars").and_then(|values| values.iter().next()) {
        None => 0,
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| Error::new(Class::Invalid, format!("invalid filter 'stars={text}'")))?,
    };
    let search = Search { term: term.to_owned(), limit };
    let mut found = services.registries().search(&search, credentials).await?;
    found.retain(|found| {
        official.is_none_or(|wanted| found.is_official == wanted)
            && automated.is_none_or(|wanted| found.is_automated == wanted)
            && found.star_count >= stars
    });
    Ok(found)
}
