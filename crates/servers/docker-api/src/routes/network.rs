//! Networks.

use crate::http::answer::{Answer, json, json_as, no_content};
use crate::http::body::OptionalJson;
use crate::http::query::Query;
use crate::present;
use crate::routes::{Api, Context};
use crate::translate;
use crate::wire::network::{Connect, CreateNetwork, Created, Disconnect};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use errors::{Class, Error};
use serde::Serialize;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/networks", get(list))
        .route("/networks/", get(list))
        .route("/networks/create", post(create))
        .route("/networks/prune", post(prune))
        .route("/networks/{id}", get(inspect).delete(remove))
        .route("/networks/{id}/connect", post(connect))
        .route("/networks/{id}/disconnect", post(disconnect))
}

async fn list(State(api): Context, query: Query) -> Answer {
    let found = engine::network::list(&api.services, &query.filters()?).await?;
    json(&found.iter().map(|found| present::network::network(found, false)).collect::<Vec<_>>())
}

/// `verbose` is for what swarm knows of a network: there is nothing of that.
async fn inspect(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let known = ["", "0", "1", "f", "t", "F", "T", "false", "true", "FALSE", "TRUE", "False", "True"];
    if let Some(bad) = query.text("verbose").filter(|text| !known.contains(text)) {
        return Err(Error::new(Class::Invalid, format!("invalid value for verbose: {bad}")).into());
    }
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

async fn create(State(api): Context, OptionalJson(body): OptionalJson<CreateNetwork>) -> Answer {
    let made = engine::network::create(&api.services, translate::new_network(body)?).await?;
    json_as(StatusCode::CREATED, &Created { id: made.id.to_string(), warning: "" })
}

async fn connect(
    State(api): Context,
    Path(network): Path<String>,
    OptionalJson(body): OptionalJson<Connect>,
) -> Answer {
    let request = translate::endpoint_request(&body.endpoint_config.unwrap_or_default());
    engine::network::connect(&api.services, &network, &body.container, request).await?;
    Ok(StatusCode::OK.into_response())
}

/// `Force` is for endpoints whose container is gone: here they go with it.
async fn disconnect(
    State(api): Context,
    Path(network): Path<String>,
    OptionalJson(body): OptionalJson<Disconnect>,
) -> Answer {
    engine::network::disconnect(&api.services, &network, &body.container).await?;
    Ok(StatusCode::OK.into_response())
}

async fn prune(State(api): Context, query: Query) -> Answer {
    let removed = engine::network::prune(&api.services, &query.filters()?).await?;
    json(&Pruned { networks_deleted: (!removed.is_empty()).then_some(removed) })
}
