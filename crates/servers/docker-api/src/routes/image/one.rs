//! One image, by its name.

use super::bring::platform;
use super::{registry, save};
use crate::http::answer::{Answer, Refusal, json, json_as};
use crate::http::dispatch::not_found;
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::present::image;
use crate::routes::{Api, Context};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use errors::{Class, Error};
use images::Removal;
use oci::{Platform, Reference};

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

/// Each a JSON object; since API 1.50.
fn platforms(query: &Query) -> Result<Vec<Platform>, Refusal> {
    let parse = |text: &str| {
        serde_json::from_str(text).map_err(|error| {
            Refusal(Error::wrap(Class::Invalid, error).context("read the query parameter 'platforms'"))
        })
    };
    query.all("platforms").map(parse).collect()
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
    let platforms = platforms(&query)?;
    if !platforms.is_empty() {
        let force = query.flag("force");
        let removed = engine::image::remove_platforms(&api.services, &name, &platforms, force).await?;
        return json_as(StatusCode::OK, &removed.into_iter().map(image::removed).collect::<Vec<_>>());
    }
    let removal = Removal { force: query.flag("force"), prune: !query.flag("noprune"), unused: false };
    let removed = engine::image::remove(&api.services, &name, removal).await?;
    json_as(StatusCode::OK, &removed.into_iter().map(image::removed).collect::<Vec<_>>())
}
