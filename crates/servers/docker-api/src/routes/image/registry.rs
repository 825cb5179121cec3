//! Registries: pushing to them, asking them, logging in.

use crate::http::answer::{Answer, failure, json};
use crate::http::credentials::{self, AuthConfig};
use crate::http::dispatch::not_found;
use crate::http::progress::{self, Message, Teller};
use crate::http::query::Query;
use crate::present::registry as present;
use crate::routes::{Api, Context};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use engine::image::PushRequest;
use errors::{Class, Error};
use oci::Reference;
use serde_json::json;
use std::sync::Arc;

pub(super) async fn push(api: &Api, name: &str, query: &Query, headers: &HeaderMap) -> Answer {
    let repository: Reference = name.parse()?;
    let reference = match query.text("tag") {
        Some(tag) => repository.with_tag(tag)?,
        None => repository,
    };
    if reference.digest().is_some() {
        return Err(Error::new(Class::Invalid, "cannot push a digest reference").into());
    }
    let request = PushRequest {
        reference,
        platform: super::bring::platform(query)?,
        credentials: credentials::of(headers),
    };
    let services = Arc::clone(&api.services);
    let work = move |teller: Teller| async move {
        let done = |tag: &str, pushed: &images::Pushed| {
            let (digest, size) = (&pushed.digest, pushed.size);
            let status = Some(format!("{tag}: digest: {digest} size: {size}"));
            teller.say(&Message { status, ..Message::default() });
            let aux = Some(json!({ "Tag": tag, "Digest": digest, "Size": size }));
            teller.say(&Message { aux, progress_detail: Some(Default::default()), ..Message::default() });
        };
        engine::image::push(&services, request, &*teller.tell(), done).await
    };
    progress::answer(&api.shutdown, work).await
}

pub(super) async fn search(State(api): Context, query: Query, headers: HeaderMap) -> Answer {
    let limit = query.integer("limit")?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (term, filters) = (query.required("term")?, query.filters()?);
    let found =
        engine::image::search(&api.services, term, limit, &filters, credentials::of(&headers)).await?;
    json(&found.into_iter().map(present::found).collect::<Vec<_>>())
}

pub(super) async fn distribution(
    State(api): Context,
    Path(rest): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let Some((name, "json")) = rest.rsplit_once('/') else { return Ok(not_found().await) };
    let reference = name.parse::<Reference>()?.or_latest();
    let said = engine::image::distribution(&api.services, &reference, credentials::of(&headers)).await?;
    json(&present::distribution(said))
}

pub(super) async fn login(State(api): Context, body: Bytes) -> Answer {
    let config: AuthConfig = credentials::parse(&body)?;
    let given = config
        .credentials()
        .ok_or_else(|| Error::new(Class::Invalid, "no username and password were given"))?;
    match engine::image::login(&api.services, config.host(), &given).await {
        Ok(accepted) => json(&present::logged_in(accepted)),
        // The caller may use this engine; who is not known is whom they say they are at the registry.
        Err(error) if error.class() == Class::Denied => {
            Ok(failure(StatusCode::UNAUTHORIZED, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
