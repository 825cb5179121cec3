//! Volumes.

use crate::http::answer::{Answer, Refusal, json, json_as, no_content};
use crate::http::body::OptionalJson;
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::present::volume::volume;
use crate::routes::{Api, Context};
use crate::wire::volume::{CreateVolume, Pruned, Volumes};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use errors::{Class, Error};
use std::collections::BTreeMap;
use volumes::{Create, Filter};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/volumes", get(list))
        .route("/volumes/create", post(create))
        .route("/volumes/prune", post(prune))
        .route("/volumes/{name}", get(inspect).delete(remove).put(update))
}

fn filter(query: &Query) -> Result<Filter, Refusal> {
    Ok(Filter::new(wanted(query)?)?)
}

fn wanted(query: &Query) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let filters = query.filters()?;
    Ok(filters.iter().map(|(name, values)| (name.clone(), values.iter().cloned().collect())).collect())
}

async fn list(State(api): Context, query: Query) -> Answer {
    let found = engine::volume::list(&api.services, &filter(&query)?).await?;
    let volumes = found.iter().map(|found| volume(&api.services, found, None)).collect();
    json(&Volumes { volumes, warnings: None })
}

async fn create(State(api): Context, OptionalJson(body): OptionalJson<CreateVolume>) -> Answer {
    if body.cluster_volume_spec.is_some() {
        return Err(Error::new(Class::Unsupported, "this engine has no cluster volumes").into());
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    let create = Create {
        name: some(body.name),
        driver: some(body.driver),
        options: body.driver_opts,
        labels: body.labels,
        goes_with: None,
    };
    let made = engine::volume::create(&api.services, create).await?;
    json_as(StatusCode::CREATED, &volume(&api.services, &made, None))
}

async fn inspect(State(api): Context, Path(name): Path<String>) -> Answer {
    json(&volume(&api.services, &engine::volume::inspect(&api.services, &name).await?, None))
}

async fn remove(State(api): Context, Path(name): Path<String>, query: Query) -> Answer {
    engine::volume::remove(&api.services, &name, query.flag("force")).await?;
    no_content()
}

async fn update() -> Answer {
    let message = "volume update only valid for cluster volumes, but swarm is unavailable";
    Err(Error::new(Class::Unavailable, message).into())
}

async fn prune(State(api): Context, version: ApiVersion, query: Query) -> Answer {
    let mut wanted = wanted(&query)?;
    if !version.at_least(42) {
        // Before API 1.42 a prune took volumes with names too.
        wanted.entry("all".to_owned()).or_insert_with(|| vec!["true".to_owned()]);
    }
    let pruned = engine::volume::prune(&api.services, &Filter::new(wanted)?).await?;
    json(&Pruned {
        volumes_deleted: (!pruned.removed.is_empty()).then_some(pruned.removed),
        space_reclaimed: pruned.reclaimed,
    })
}
