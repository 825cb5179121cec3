//! What Docker does not have: paths of this engine alone, below `/container-runtime/`.

use crate::http::answer::{Answer, json};
use crate::http::query::Query;
use crate::routes::{Api, Context};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use engine::system::Shutdown;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/container-runtime/shutdown", post(shutdown))
}

/// Ends the daemon; `purge`: with everything that is its. Answers which process it is: where systemd holds the socket,
/// that is all that tells of the end.
async fn shutdown(State(api): Context, query: Query) -> Answer {
    engine::system::request_shutdown(&api.services, Shutdown { purge: query.flag("purge") });
    json(&serde_json::json!({ "Pid": std::process::id() }))
}
