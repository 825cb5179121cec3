//! `POST /containers/{id}/update`.

use crate::http::answer::{Answer, json};
use crate::http::body::JsonBody;
use crate::routes::Context;
use crate::translate::{resources, restart_policy};
use crate::wire::host_config::HostConfig;
use axum::extract::{Path, State};
use engine::container::Update;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    warnings: Option<Vec<String>>,
}

/// The body is the part of a host config that can change: limits and the restart policy.
pub(super) async fn update(
    State(api): Context,
    Path(id): Path<String>,
    JsonBody(host): JsonBody<HostConfig>,
) -> Answer {
    let change = Update { resources: resources(&host), restart: restart_policy(&host.restart_policy)? };
    let warnings = engine::container::update(&api.services, &id, change).await?;
    json(&Updated { warnings: (!warnings.is_empty()).then_some(warnings) })
}
