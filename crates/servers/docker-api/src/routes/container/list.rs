//! `GET /containers/json`.

use crate::http::answer::{Answer, json};
use crate::http::query::Query;
use crate::present::summary::summary;
use crate::routes::Context;
use axum::extract::State;
use engine::container::List;

pub(super) async fn list(State(api): Context, query: Query) -> Answer {
    let request = List {
        all: query.flag("all"),
        limit: query
            .integer("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0),
        size: query.flag("size"),
        filters: query.filters()?,
    };
    let found = engine::container::list(&api.services, request).await?;
    let now = engine::now();
    json(&found.iter().map(|found| summary(found, now)).collect::<Vec<_>>())
}
