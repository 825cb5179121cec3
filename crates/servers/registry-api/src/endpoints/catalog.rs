//! `GET /v2/_catalog`: Docker's list of repositories, which the specification does not have.

use super::{Answer, pages};
use crate::http::answer;
use crate::http::query::Query;
use axum::http::header;
use repositories::Repositories;
use serde_json::json;

/// A page, where nothing is said.
const PAGE: usize = 100;

pub(crate) async fn list(repositories: &Repositories, query: &Query) -> Answer {
    let limit = query.limit(Some(PAGE))?;
    let page = repositories.catalog(query.get("last"), limit).await?;
    let names: Vec<_> = page.items.iter().map(|name| name.as_str()).collect();
    let mut response = answer::json("application/json", &json!({ "repositories": names }));
    if let (true, Some(last)) = (page.more, names.last()) {
        response.headers_mut().insert(header::LINK, pages::next("/v2/_catalog", limit, last, &[]));
    }
    Ok(response)
}
