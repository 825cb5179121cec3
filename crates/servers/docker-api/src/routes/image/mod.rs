//! Images. Their names have slashes, so that what is wanted of one is the last segment of the path.

mod bring;
mod commit;
mod list;
mod mount;
mod one;
mod registry;
mod save;

use crate::routes::Api;
use axum::Router;
use axum::routing::{get, post};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/commit", post(commit::commit))
        .route("/images/json", get(list::list))
        .route("/images/create", post(bring::create))
        .route("/images/load", post(bring::load))
        .route("/container-runtime/images/mounts", get(mount::list))
        .route("/container-runtime/images/mount", post(mount::mount))
        .route("/container-runtime/images/unmount", post(mount::unmount))
        .route("/images/get", get(save::several))
        .route("/images/prune", post(list::prune))
        .route("/images/search", get(registry::search))
        .route("/distribution/{*rest}", get(registry::distribution))
        .route("/auth", post(registry::login))
        .route("/images/{*rest}", get(one::get).post(one::post).delete(one::remove))
}
