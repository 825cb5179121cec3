//! All paths of the API and their handlers.

mod body;
mod container;
mod exec;
mod image;
mod missing;
mod network;
mod own;
mod ping;
mod plugin;
mod swarm;
mod system;
mod volume;

pub(crate) use swarm::NO_SWARM_MANAGER;

#[cfg(test)]
mod tests;

use crate::http::answer::{Answer, empty};
use crate::http::dispatch::{negotiate, not_found};
use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::routing::options;
use engine::Services;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) services: Arc<Services>,
    /// Streams end when it is cancelled.
    pub(crate) shutdown: CancellationToken,
}

/// How handlers get it.
pub(crate) type Context = State<Api>;

/// The router of all paths, without their version prefix.
pub(crate) fn router(services: Arc<Services>, shutdown: CancellationToken) -> Router {
    let api = Api { services, shutdown };
    let attended = Router::new()
        .merge(container::routes())
        .merge(exec::routes())
        .merge(image::routes())
        .merge(network::routes())
        .merge(volume::routes())
        .merge(system::routes())
        .merge(own::routes())
        .with_state(api);
    around(unattended().merge(attended))
}

/// Paths that need no engine: what is refused, or answered the same whatever there is.
fn unattended() -> Router {
    Router::new()
        .merge(ping::routes())
        .merge(swarm::routes())
        .merge(plugin::routes())
        .merge(missing::routes())
        .route("/{*any}", options(nothing))
}

/// What all requests share.
fn around(routes: Router) -> Router {
    routes
        .route_layer(middleware::from_fn(negotiate))
        .method_not_allowed_fallback(not_found)
        .fallback(not_found)
}

/// Whatever may be done there: Docker doesn't say either.
async fn nothing() -> Answer {
    empty()
}
