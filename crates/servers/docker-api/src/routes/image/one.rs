//! One image, by its name.

use super::bring::platform;
use super::{registry, save};
use crate::http::answer::{Answer, json, json_as};
use crate::http::dispatch::not_found;
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::present::image;
use crate::routes::{Api, Context};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use images::Removal;
use oci::Reference;

pub(super) async fn get(
    State(api): Context,
    version: ApiVersion,
    Path(rest): Path<String>,
    query: Query,
) -> Answer {
    match rest.rsplit_once('/') {
        Some((name, "json")) => inspect(&api, name, &query, version).await,
        Some((name, "history")) => history(&api, name, &query).await,
        Some((name, "get")) => save::save(&api, vec![name.to_owned()], &query).await,
        _ => Ok(not_found().await),
    }
}

pub(super) async fn post(
    State(api): Context,
    Path(rest): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Answer {
    match rest.rsplit_once('/') {
        Some((name, "tag")) => tag(&api, name, &query).await,
        Some((name, "push")) => registry::push(&api, name, &query, &headers).await,
        _ => Ok(not_found().await),
    }
}

async fn inspect(api: &Api, name: &str, query: &Query, version: ApiVersion) -> Answer {
    let platform = platform(query)?;
    let found = engine::image::inspect(&api.services, name, platform.as_ref()).await?;
    let dirs = api.services.images.image_dirs(&found);
    json(&image::inspect(&found, dirs.as_ref(), version))
}

async fn history(api: &Api, name: &str, query: &Query) -> Answer {
    let platform = platform(query)?;
    let items = engine::image::history(&api.services, name, platform.as_ref()).await?;
    json(&items.into_iter().map(image::history).collect::<Vec<_>>())
}

async fn tag(api: &Api, name: &str, query: &Query) -> Answer {
    let repository: Reference = query.required("repo")?.parse()?;
    let target = match query.text("tag") {
        Some(tag) => repository.with_tag(tag)?,
        None => repository.or_latest(),
    };
    engine::image::tag(&api.services, name, &target).await?;
    Ok(StatusCode::CREATED.into_response())
}

pub(super) async fn remove(State(api): Context, Path(name): Path<String>, query: Query) -> Answer {
    let removal = Removal { force: query.flag("force"), prune: !query.flag("noprune") };
    let removed = engine::image::remove(&api.services, &name, removal).await?;
    json_as(StatusCode::OK, &removed.into_iter().map(image::removed).collect::<Vec<_>>())
}
