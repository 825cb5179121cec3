//! Looking at a container.

use crate::http::answer::{Answer, json};
use crate::http::query::Query;
use crate::present;
use crate::present::container::Host;
use crate::routes::Context;
use axum::extract::{Path, State};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Top {
    processes: Vec<Vec<String>>,
    titles: Vec<String>,
}

pub(super) async fn inspect(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let found = engine::container::inspect(&api.services, &id, query.flag("size")).await?;
    json(&present::container::inspect(&Host::of(&api.services), &found))
}

pub(super) async fn top(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let args = query.text("ps_args").unwrap_or_default();
    let top = engine::container::top(&api.services, &id, args).await?;
    json(&Top { processes: top.processes, titles: top.titles })
}
