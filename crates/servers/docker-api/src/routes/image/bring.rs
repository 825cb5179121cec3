//! Images come in: from an archive, or made of a root file system. From a registry, later.

use crate::http::answer::{Answer, Refusal};
use crate::http::lines::{self, Progress};
use crate::http::query::Query;
use crate::routes::{Context, body};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use errors::{Class, Error};
use images::{Import, LoadOptions};
use oci::{Platform, Reference};

pub(super) async fn load(State(api): Context, query: Query, upload: Body) -> Answer {
    let options = LoadOptions { platform: platform(&query)? };
    let loaded = engine::image::load(&api.services, body::reader(upload), options).await?;
    let mut text = Vec::new();
    for loaded in loaded {
        let line = Progress { stream: Some(format!("{loaded}\n")), status: None };
        text.extend_from_slice(&lines::line(&line));
    }
    Ok(progress(text.into()))
}

pub(super) async fn create(State(api): Context, query: Query, upload: Body) -> Answer {
    let source = match (query.text("fromImage"), query.text("fromSrc")) {
        (Some(image), _) => return Err(no_registry(image)),
        (None, Some(source)) => source,
        (None, None) => {
            return Err(Error::new(
                Class::Invalid,
                "one of the query parameters fromImage and fromSrc is required",
            )
            .into());
        }
    };
    if source != "-" {
        return Err(Error::new(Class::Unsupported, format!("importing from {source} is not supported yet"))
            .hint("Download it, then import it from standard input")
            .into());
    }
    let import = Import {
        reference: reference(&query)?,
        changes: query.all("changes").map(str::to_owned).collect(),
        message: query.owned("message").unwrap_or_default(),
        platform: platform(&query)?,
    };
    let image = engine::image::import(&api.services, body::reader(upload), import).await?;
    Ok(progress(lines::line(&Progress { stream: None, status: Some(image.id.to_string()) })))
}

fn no_registry(image: &str) -> Refusal {
    Refusal(
        Error::new(Class::Unsupported, format!("pulling {image}: registries are not supported yet"))
            .hint("Bring images with `docker load` or `docker import`"),
    )
}

fn reference(query: &Query) -> Result<Option<Reference>, Refusal> {
    let Some(repository) = query.text("repo") else { return Ok(None) };
    let reference: Reference = match query.text("tag") {
        Some(tag) => format!("{repository}:{tag}").parse()?,
        None => repository.parse()?,
    };
    Ok(Some(reference.or_latest()))
}

/// Newer clients send JSON in `load`, all others `os[/architecture[/variant]]`.
fn platform(query: &Query) -> Result<Option<Platform>, Refusal> {
    let Some(text) = query.text("platform") else { return Ok(None) };
    if text.starts_with('{') {
        let platform = serde_json::from_str(text).map_err(|error| {
            Error::wrap(Class::Invalid, error).context("read the query parameter 'platform'")
        })?;
        return Ok(Some(platform));
    }
    Ok(Some(text.parse()?))
}

fn progress(lines: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], lines).into_response()
}
