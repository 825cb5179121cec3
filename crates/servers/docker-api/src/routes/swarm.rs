//! Swarm, nodes, services, tasks, secrets, configs: answered as by a daemon that is in no swarm.

use crate::http::answer::{Answer, Refusal};
use axum::Router;
use axum::routing::{any, get, post};
use errors::{Class, Error};

pub(crate) const NO_SWARM_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                          connect this node to swarm and try again.";

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut routes = Router::new()
        .route("/swarm", get(no_manager))
        .route("/swarm/update", post(no_manager))
        .route("/swarm/unlockkey", get(no_manager))
        .route("/swarm/unlock", post(no_swarm))
        .route("/swarm/leave", post(no_swarm))
        .route("/swarm/init", post(unsupported))
        .route("/swarm/join", post(unsupported));
    for noun in ["nodes", "services", "tasks", "secrets", "configs"] {
        routes = routes
            .route(&format!("/{noun}"), get(no_manager))
            .route(&format!("/{noun}/{{*rest}}"), any(no_manager));
    }
    routes
}

async fn no_manager() -> Answer {
    Err(Error::new(Class::Unavailable, NO_SWARM_MANAGER).into())
}

async fn no_swarm() -> Answer {
    Err(Error::new(Class::Unavailable, "This node is not part of a swarm").into())
}

async fn unsupported() -> Answer {
    Err(Refusal(
        Error::new(Class::Unsupported, "this engine has no swarm mode")
            .hint("Use Kubernetes for more than one machine"),
    ))
}
