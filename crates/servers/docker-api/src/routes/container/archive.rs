//! `/containers/{id}/archive`, `/export` and `/changes`: files of a container.

use crate::http::answer::{Answer, Refusal, empty, json};
use crate::http::query::Query;
use crate::http::transfer::{self, Upload, outgoing};
use crate::present;
use crate::routes::Context;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::container::{PathStat, Put};
use errors::{Class, Error};

/// What is at the path, as base64 of JSON.
const STAT: HeaderName = HeaderName::from_static("x-docker-container-path-stat");

pub(super) async fn stat(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let stat = engine::container::stat(&api.services, &id, path(&query)?).await?;
    let mut response = empty()?;
    response.headers_mut().extend(headers(&stat)?);
    Ok(response)
}

pub(super) async fn get(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let found = engine::container::get(&api.services, &id, path(&query)?).await?;
    let headers = headers(&found.stat)?;
    let (outgoing, written) = outgoing();
    transfer::archive(written, headers, found.write(outgoing)).await
}

pub(super) async fn put(State(api): Context, Path(id): Path<String>, query: Query, body: Body) -> Answer {
    let how = Put { keep_kinds: query.flag("noOverwriteDirNonDir"), to_user: query.flag("copyUIDGID") };
    let path = path(&query)?;
    engine::container::put(&api.services, &id, path, Upload::new(body), how).await?;
    empty()
}

pub(super) async fn export(State(api): Context, Path(id): Path<String>) -> Answer {
    let (outgoing, written) = outgoing();
    let writing = engine::container::export(&api.services, &id, outgoing).await?;
    transfer::archive(written, HeaderMap::new(), writing).await
}

pub(super) async fn changes(State(api): Context, Path(id): Path<String>) -> Answer {
    let changes = engine::container::changes(&api.services, &id).await?;
    json(&present::changes::changes(changes))
}

fn path(query: &Query) -> Result<&str, Refusal> {
    query.text("path").ok_or_else(|| Error::new(Class::Invalid, "bad parameter: path cannot be empty").into())
}

fn headers(stat: &PathStat) -> Result<HeaderMap, Refusal> {
    let text = serde_json::to_string(&present::path::stat(stat))
        .map_err(|error| Error::wrap(Class::Internal, error).context("describe a path"))?;
    let value = HeaderValue::try_from(STANDARD.encode(text))
        .map_err(|error| Error::wrap(Class::Internal, error).context("describe a path"))?;
    Ok(HeaderMap::from_iter([(STAT, value)]))
}
