//! Containers: one file a verb, or a group of verbs that only pass an id on.

mod archive;
mod attach;
mod create;
mod inspect;
mod lifecycle;
mod list;
mod logs;
mod stats;
mod update;
mod wait;
mod websocket;

pub(super) use attach::with_keys;
pub(super) use lifecycle::size as terminal_size;

use crate::routes::Api;
use axum::Router;
use axum::routing::{delete, get, post};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/containers/json", get(list::list))
        .route("/containers/ps", get(list::list))
        .route("/containers/create", post(create::create))
        .route("/containers/prune", post(lifecycle::prune))
        .route("/containers/{id}", delete(lifecycle::remove))
        .route("/containers/{id}/{alias}", delete(lifecycle::remove_link))
        .route("/containers/{id}/json", get(inspect::inspect))
        .route("/containers/{id}/top", get(inspect::top))
        .route("/containers/{id}/logs", get(logs::logs))
        .route("/containers/{id}/stats", get(stats::stats))
        .route("/containers/{id}/resize", post(lifecycle::resize))
        .route("/containers/{id}/start", post(lifecycle::start))
        .route("/containers/{id}/stop", post(lifecycle::stop))
        .route("/containers/{id}/restart", post(lifecycle::restart))
        .route("/containers/{id}/kill", post(lifecycle::kill))
        .route("/containers/{id}/update", post(update::update))
        .route("/containers/{id}/rename", post(lifecycle::rename))
        .route("/containers/{id}/pause", post(lifecycle::pause))
        .route("/containers/{id}/unpause", post(lifecycle::unpause))
        .route("/containers/{id}/attach", post(attach::attach))
        .route("/containers/{id}/attach/ws", get(websocket::attach))
        .route("/containers/{id}/wait", post(wait::wait))
        .route("/containers/{id}/changes", get(archive::changes))
        .route("/containers/{id}/export", get(archive::export))
        .route("/containers/{id}/archive", get(archive::get).head(archive::stat).put(archive::put))
}
