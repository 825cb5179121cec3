//! Images come in: from an archive, made of a root file system, or from a registry.

use crate::http::answer::{Answer, Refusal};
use crate::http::progress::Message;
use crate::http::progress::Teller;
use crate::http::query::Query;
use crate::http::{credentials, lines, progress};
use crate::routes::{Api, Context, body};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::image::PullRequest;
use errors::{Class, Error};
use images::{Import, LoadOptions};
use oci::{Platform, Reference};
use std::sync::Arc;
use tokio_util::io::StreamReader;

pub(super) async fn load(State(api): Context, query: Query, upload: Body) -> Answer {
    let options = LoadOptions { platform: platform(&query)? };
    let loaded = engine::image::load(&api.services, body::reader(upload), options).await?;
    let mut text = Vec::new();
    for loaded in loaded {
        let line = Message { stream: Some(format!("{loaded}\n")), ..Message::default() };
        text.extend_from_slice(&lines::line(&line));
    }
    Ok(told(text.into()))
}

pub(super) async fn create(State(api): Context, query: Query, headers: HeaderMap, upload: Body) -> Answer {
    let source = match (query.text("fromImage"), query.text("fromSrc")) {
        (Some(image), _) => return pull(&api, image, &query, &headers).await,
        (None, Some(source)) => source,
        (None, None) => {
            return Err(Error::new(
                Class::Invalid,
                "one of the query parameters fromImage and fromSrc is required",
            )
            .into());
        }
    };
    let import = Import {
        reference: reference(&query)?,
        changes: query.all("changes").map(str::to_owned).collect(),
        message: query.owned("message").unwrap_or_default(),
        platform: platform(&query)?,
    };
    if source != "-" {
        return import_from(&api, source.to_owned(), import).await;
    }
    let image = engine::image::import(&api.services, body::reader(upload), import).await?;
    Ok(told(lines::line(&Message { status: Some(image.id.to_string()), ..Message::default() })))
}

/// Fetches an archive first from an address. Without a scheme docker means HTTP.
async fn import_from(api: &Api, source: String, import: Import) -> Answer {
    let address = if source.contains("://") { source } else { format!("http://{source}") };
    let services = Arc::clone(&api.services);
    let work = move |teller: Teller| async move {
        let say = |status: String| teller.say(&Message { status: Some(status), ..Message::default() });
        let content = services.registries().content_at(&address).await?;
        say(format!("Downloading from {address}"));
        let content = StreamReader::new(Box::pin(content));
        let image = engine::image::import(&services, content, import).await?;
        say(image.id.to_string());
        Ok(())
    };
    progress::answer(&api.shutdown, work).await
}

async fn pull(api: &Api, image: &str, query: &Query, headers: &HeaderMap) -> Answer {
    let name: Reference = image.parse()?;
    let reference = match query.text("tag") {
        // A digest in the place of a tag, as clients send it.
        Some(tag) if tag.contains(':') => name.with_digest(tag.parse()?),
        Some(tag) => name.with_tag(tag)?,
        None => name,
    };
    let request =
        PullRequest { reference, platform: platform(query)?, credentials: credentials::of(headers) };
    let services = Arc::clone(&api.services);
    let work = move |teller: Teller| async move {
        engine::image::pull(&services, request, &*teller.tell()).await.map(drop)
    };
    progress::answer(&api.shutdown, work).await
}

pub(super) fn reference(query: &Query) -> Result<Option<Reference>, Refusal> {
    let Some(repository) = query.text("repo") else { return Ok(None) };
    let reference: Reference = match query.text("tag") {
        Some(tag) => format!("{repository}:{tag}").parse()?,
        None => repository.parse()?,
    };
    Ok(Some(reference.or_latest()))
}

/// Newer clients send JSON in `load`, all others `os[/architecture[/variant]]`.
pub(super) fn platform(query: &Query) -> Result<Option<Platform>, Refusal> {
    let Some(text) = query.text("platform") else { return Ok(None) };
    if text.starts_with('{') {
        let platform = serde_json::from_str(text).map_err(|error| {
            Error::wrap(Class::Invalid, error).context("read the query parameter 'platform'")
        })?;
        return Ok(Some(platform));
    }
    Ok(Some(text.parse()?))
}

fn told(lines: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], lines).into_response()
}
