//! Networks.

use crate::http::answer::{Answer, json, no_content};
use crate::http::query::Query;
use crate::present;
use crate::routes::{Api, Context};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde::Serialize;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/networks", get(list))
        .route("/networks/", get(list))
        .route("/networks/prune", post(prune))
        .route("/networks/{id}", get(inspect).delete(remove))
}

async fn list(State(api): Context, query: Query) -> Answer {
    let found = engine::network::list(&api.services, &query.filters()?).await?;
    json(&found.iter().map(|found| present::network::network(found, false)).collect::<Vec<_>>())
}

async fn inspect(State(api): Context, Path(id): Path<String>) -> Answer {
    json(&present::network::network(&engine::network::inspect(&api.services, &id).await?, true))
}

async fn remove(State(api): Context, Path(id): Path<String>) -> Answer {
    engine::network::remove(&api.services, &id).await?;
    no_content()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pruned {
    networks_deleted: Option<Vec<String>>,
}

/// There are only predefined networks, which a prune leaves alone; `system prune` asks for it every time.
async fn prune(query: Query) -> Answer {
    query.filters()?.allow(&["label", "label!", "until"])?;
    json(&Pruned { networks_deleted: None })
}
