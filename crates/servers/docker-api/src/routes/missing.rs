//! What Docker's API has and this engine does not have yet: each says what it is that is missing.

use crate::http::answer::{Answer, json};
use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{delete, get, post};
use errors::{Class, Error};
use serde::Serialize;

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/build", post(|| unsupported("building images")))
        .route("/build/prune", post(prune_build_cache))
        .route("/build/cancel", post(|| unsupported("building images")))
        .route("/session", post(|headers| upgrade(headers, "build sessions")))
        .route("/grpc", post(|headers| upgrade(headers, "BuildKit's API")))
        .route("/containers/{id}/checkpoints", get(checkpoints).post(checkpoints))
        .route("/containers/{id}/checkpoints/{checkpoint}", delete(checkpoints))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pruned {
    caches_deleted: Option<Vec<String>>,
    space_reclaimed: u64,
}

/// Without builds there is no cache; `system prune` asks for this every time.
async fn prune_build_cache() -> Answer {
    json(&Pruned { caches_deleted: None, space_reclaimed: 0 })
}

async fn unsupported(what: &'static str) -> Answer {
    Err(Error::new(Class::Unsupported, format!("{what} is not supported by this version of the engine"))
        .into())
}

async fn checkpoints() -> Answer {
    unsupported("checkpointing containers").await
}

async fn upgrade(headers: HeaderMap, what: &'static str) -> Answer {
    if headers.contains_key(header::UPGRADE) {
        return unsupported(what).await;
    }
    Err(Error::new(Class::Invalid, "no upgrade proto in request").into())
}
