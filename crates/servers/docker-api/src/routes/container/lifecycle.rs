//! Verbs that take an id and a few parameters, and answer nothing.

use crate::http::answer::{Answer, Refusal, empty, json, no_content};
use crate::http::query::Query;
use crate::routes::Context;
use axum::extract::{Path, State};
use engine::container::{Remove, Stop};
use errors::{Class, Error};
use serde::Serialize;

pub(super) async fn start(State(api): Context, Path(id): Path<String>) -> Answer {
    engine::container::start(&api.services, &id).await?;
    no_content()
}

pub(super) async fn stop(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    engine::container::stop(&api.services, &id, how_to_stop(&query)?).await?;
    no_content()
}

pub(super) async fn restart(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    engine::container::restart(&api.services, &id, how_to_stop(&query)?).await?;
    no_content()
}

fn how_to_stop(query: &Query) -> Result<Stop, Refusal> {
    let timeout = query.integer("t")?;
    let clamped =
        timeout.map(|seconds| i32::try_from(seconds).unwrap_or(if seconds < 0 { -1 } else { i32::MAX }));
    Ok(Stop { signal: query.owned("signal"), timeout: clamped })
}

pub(super) async fn kill(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    engine::container::kill(&api.services, &id, query.text("signal")).await?;
    no_content()
}

pub(super) async fn rename(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    engine::container::rename(&api.services, &id, query.text("name").unwrap_or_default()).await?;
    no_content()
}

pub(super) async fn pause(State(api): Context, Path(id): Path<String>) -> Answer {
    engine::container::pause(&api.services, &id).await?;
    no_content()
}

pub(super) async fn unpause(State(api): Context, Path(id): Path<String>) -> Answer {
    engine::container::unpause(&api.services, &id).await?;
    no_content()
}

pub(super) async fn remove(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let how = Remove { force: query.flag("force"), volumes: query.flag("v"), link: query.flag("link") };
    engine::container::remove(&api.services, &id, how).await?;
    no_content()
}

/// `rm --link parent/alias`: a name with a slash in it is a link's.
pub(super) async fn remove_link(
    State(api): Context,
    Path((parent, alias)): Path<(String, String)>,
    query: Query,
) -> Answer {
    let how = Remove { force: query.flag("force"), volumes: query.flag("v"), link: query.flag("link") };
    engine::container::remove(&api.services, &format!("{parent}/{alias}"), how).await?;
    no_content()
}

pub(super) async fn resize(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let (rows, columns) = size(&query)?;
    engine::container::resize(&api.services, &id, rows, columns).await?;
    empty()
}

/// Rows and columns of a terminal.
pub(in crate::routes) fn size(query: &Query) -> Result<(u16, u16), Refusal> {
    let dimension = |name: &'static str, what: &str| {
        let text = query.text(name).unwrap_or_default();
        let problem = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            "value out of range"
        } else {
            "invalid syntax"
        };
        let bad = || Error::new(Class::Invalid, format!("invalid resize {what} {text:?}: {problem}"));
        text.parse::<u16>().map_err(|_| bad())
    };
    Ok((dimension("h", "height")?, dimension("w", "width")?))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pruned {
    containers_deleted: Option<Vec<String>>,
    space_reclaimed: u64,
}

pub(super) async fn prune(State(api): Context, query: Query) -> Answer {
    let pruned = engine::container::prune(&api.services, query.filters()?).await?;
    json(&Pruned {
        containers_deleted: (!pruned.deleted.is_empty()).then_some(pruned.deleted),
        space_reclaimed: pruned.reclaimed,
    })
}
