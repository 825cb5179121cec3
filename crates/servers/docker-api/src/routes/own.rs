//! What Docker does not have: paths of this engine alone, below `/container-runtime/`.

use crate::http::answer::{Answer, json};
use crate::http::query::Query;
use crate::present;
use crate::routes::{Api, Context};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use engine::system::Shutdown;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/container-runtime/shutdown", post(shutdown))
        .route("/container-runtime/check", post(check))
        .route("/container-runtime/gc", post(gc))
}

/// Ends the daemon; `purge`: with everything that is its. Answers which process it is: where systemd holds the socket,
/// that is all that tells of the end.
async fn shutdown(State(api): Context, query: Query) -> Answer {
    engine::system::request_shutdown(&api.services, Shutdown { purge: query.flag("purge") });
    json(&serde_json::json!({ "Pid": std::process::id() }))
}

/// Checks the store of images; `repair`: mends what can be mended.
async fn check(State(api): Context, query: Query) -> Answer {
    let report = engine::system::check(&api.services, query.flag("repair")).await?;
    json(&present::store::report(report))
}

/// Removes what is beyond the budget; `dry-run`: only says what it would.
async fn gc(State(api): Context, query: Query) -> Answer {
    let collected = engine::system::gc(&api.services, query.flag("dry-run")).await?;
    json(&present::store::collected(collected))
}
