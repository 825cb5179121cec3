//! `POST /containers/create`.

use crate::http::answer::{Answer, json_as};
use crate::http::body::JsonBody;
use crate::http::query::Query;
use crate::routes::Context;
use crate::translate::container_spec;
use crate::wire::config::ContainerConfig;
use axum::extract::State;
use axum::http::StatusCode;
use engine::container::Create;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
    warnings: Vec<String>,
}

pub(super) async fn create(
    State(api): Context,
    query: Query,
    JsonBody(body): JsonBody<ContainerConfig>,
) -> Answer {
    let mut spec = container_spec(body)?;
    spec.platform = query.owned("platform");
    let create = Create { name: query.owned("name"), spec };
    let created = engine::container::create(&api.services, create).await?;
    json_as(StatusCode::CREATED, &Created { id: created.id.to_string(), warnings: created.warnings })
}
