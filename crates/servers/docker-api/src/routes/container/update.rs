//! `POST /containers/{id}/update`.

use crate::http::answer::{Answer, json};
use crate::http::body::JsonBodyOf;
use crate::routes::Context;
use crate::translate::{resources, restart_policy};
use crate::wire::host_config::HostConfig;
use crate::wire::ports::PortMap;
use axum::extract::{Path, State};
use engine::container::{PortChange, Update};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    warnings: Option<Vec<String>>,
}

/// What stands beside the part of a host config that can change, and docker's clients never send.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct PortUpdate {
    /// Ports to be published besides, in the form of `PortBindings`.
    publish_add: PortMap,
    /// Ports to be published no more: without the host's port, every binding of the container's.
    publish_remove: PortMap,
}

pub(super) async fn update(
    State(api): Context,
    Path(id): Path<String>,
    JsonBodyOf(host, body): JsonBodyOf<HostConfig, PortUpdate>,
) -> Answer {
    let (_, add) = body.publish_add.read()?;
    let (_, remove) = body.publish_remove.read()?;
    let change = Update {
        resources: resources(&host),
        restart: restart_policy(&host.restart_policy)?,
        ports: PortChange { add: add.to_vec(), remove: remove.to_vec() },
    };
    let warnings = engine::container::update(&api.services, &id, change).await?;
    json(&Updated { warnings: (!warnings.is_empty()).then_some(warnings) })
}
