//! What Docker does not have: paths of this engine alone, below `/container-runtime/`.

use crate::http::answer::{Answer, json};
use crate::http::credentials;
use crate::http::query::Query;
use crate::present;
use crate::routes::{Api, Context};
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use engine::system::Shutdown;
use errors::{Class, Error};
use oci::Reference;
use serde::Deserialize;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/container-runtime/shutdown", post(shutdown))
        .route("/container-runtime/manifest", get(manifest).post(push_index))
        .route("/container-runtime/check", post(check))
        .route("/container-runtime/gc", post(gc))
        .route("/container-runtime/state/export", get(export_state))
        .route("/container-runtime/network/check", get(check_network))
        .route("/container-runtime/config", get(config))
        .route("/container-runtime/config/set", post(set_config))
        .route("/container-runtime/config/reload", post(reload_config))
}

/// A document of a registry, byte for byte in a string.
async fn manifest(State(api): Context, query: Query, headers: HeaderMap) -> Answer {
    let reference = query.required("name")?.parse::<Reference>()?.or_latest();
    let remote = engine::image::manifest(&api.services, &reference, credentials::of(&headers)).await?;
    json(&present::registry::remote(remote))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    media_type: String,
    /// The document.
    raw: String,
    /// The names of what it lists.
    manifests: Vec<String>,
}

/// Writes an index to a registry.
async fn push_index(State(api): Context, query: Query, headers: HeaderMap, body: Bytes) -> Answer {
    let target = query.required("name")?.parse::<Reference>()?.or_latest();
    let index: Index = serde_json::from_slice(&body)
        .map_err(|error| Error::wrap(Class::Invalid, error).context("read the index"))?;
    let children = index.manifests.iter().map(|name| name.parse()).collect::<Result<Vec<Reference>, _>>()?;
    let (raw, user) = (index.raw.as_bytes(), credentials::of(&headers));
    let digest =
        engine::image::push_index(&api.services, &target, &index.media_type, raw, &children, user).await?;
    json(&serde_json::json!({ "Digest": digest }))
}

/// Ends the daemon; `purge`: with everything that is its. Answers which process it is: where systemd holds the socket,
/// that is all that tells of the end.
async fn shutdown(State(api): Context, query: Query) -> Answer {
    engine::system::request_shutdown(&api.services, Shutdown { purge: query.flag("purge") });
    json(&serde_json::json!({ "Pid": std::process::id() }))
}

/// Compares records, kernel and disk, and checks the store of images; `repair`: mends what can be mended; `quick`: reads no contents.
async fn check(State(api): Context, query: Query) -> Answer {
    let report = engine::system::check(&api.services, query.flag("repair"), query.flag("quick")).await?;
    json(&present::store::report(report))
}

/// Removes what is beyond the budget; `dry-run`: only says what it would.
async fn gc(State(api): Context, query: Query) -> Answer {
    let collected = engine::system::gc(&api.services, query.flag("dry-run")).await?;
    json(&present::store::collected(collected))
}

/// All records as one text: a backup.
async fn export_state(State(api): Context) -> Answer {
    let records = engine::system::state::export(&api.services).await?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], records).into_response())
}

/// Tells what a packet `from` somewhere `to` somewhere meets; none is sent.
async fn check_network(State(api): Context, query: Query) -> Answer {
    let (from, to) = (query.required("from")?, query.required("to")?);
    json(&present::network::checked(engine::network::check(&api.services, from, to).await?))
}

/// The settings that count, and what each comes from.
async fn config(State(api): Context) -> Answer {
    json(&present::settings::shown(engine::settings::shown(&api.services.settings)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetConfig {
    /// `KEY=VALUE` each.
    set: Vec<String>,
}

/// Changes settings: all of these or none.
async fn set_config(State(api): Context, body: Bytes) -> Answer {
    let wanted: SetConfig = serde_json::from_slice(&body)
        .map_err(|error| Error::wrap(Class::Invalid, error).context("read the settings"))?;
    let assignments = wanted.set.iter().map(|text| text.parse()).collect::<Result<Vec<_>, Error>>()?;
    json(&present::settings::outcome(engine::settings::set(&api.services, assignments).await?))
}

/// Reads all settings again.
async fn reload_config(State(api): Context) -> Answer {
    json(&present::settings::outcome(engine::settings::reload(&api.services).await?))
}
