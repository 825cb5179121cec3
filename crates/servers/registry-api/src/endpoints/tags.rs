//! `GET /v2/<name>/tags/list` (end-8a, end-8b).

use super::{Answer, pages};
use crate::http::answer;
use crate::http::query::Query;
use crate::source::Source;
use axum::http::header;
use repositories::RepositoryName;
use serde_json::json;

pub(crate) async fn list(source: Source<'_>, name: &RepositoryName, query: &Query) -> Answer {
    let limit = query.limit(None)?;
    let page = source.tags(name, query.get("last"), limit).await?;
    let tags: Vec<_> = page.items.iter().map(|tag| tag.as_str()).collect();
    let mut response = answer::json("application/json", &json!({ "name": name.as_str(), "tags": tags }));
    if let (true, Some(last)) = (page.more, tags.last()) {
        let path = format!("/v2/{name}/tags/list");
        response.headers_mut().insert(header::LINK, pages::next(&path, limit, last, &[]));
    }
    Ok(response)
}
