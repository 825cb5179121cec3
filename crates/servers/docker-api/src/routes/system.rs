//! The engine itself.

use crate::http::answer::{Answer, json};
use crate::http::lines;
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::present;
use crate::routes::{Api, Context};
use crate::wire::system::DiskUsage;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use engine::image::ListedImage;
use engine::system::Measured;
use errors::{Class, Error};
use events::{Event, Filter, Received};
use futures_util::StreamExt;
use images::ImageUsage;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/info", get(info))
        .route("/version", get(version))
        .route("/events", get(events))
        .route("/system/df", get(disk_usage))
}

async fn info(State(api): Context) -> Answer {
    let info = engine::system::info(&api.services).await?;
    json(&present::system::info(&api.services, info))
}

async fn version(State(api): Context) -> Answer {
    json(&present::system::version(&api.services))
}

async fn events(State(api): Context, query: Query) -> Answer {
    let (since, until) = (query.time("since")?, query.time("until")?);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        let asked = |name: &str| query.text(name).unwrap_or_default().to_owned();
        let message =
            format!("`since` time ({}) cannot be after `until` time ({})", asked("since"), asked("until"));
        return Err(Error::new(Class::Invalid, message).into());
    }
    let filters = query.filters()?;
    let wanted = filters.iter().map(|(name, values)| (name.clone(), values.iter().cloned().collect()));
    let filter = Filter::new(wanted.collect())?;
    let events = engine::system::events(&api.services, since, until, filter);
    let written = events.filter_map(|received| async move {
        match received {
            Received::Event(event) => Some(lines::line(&present::event::event(&event))),
            Received::Missed(count) => {
                tracing::warn!(count, "a client of /events is too slow and missed some");
                Some(lines::line(&present::event::event(&Event::missed(count))))
            }
        }
    });
    Ok(lines::growing("application/json", written, api.shutdown.clone()))
}

async fn disk_usage(State(api): Context, version: ApiVersion, query: Query) -> Answer {
    const KINDS: [&str; 4] = ["container", "image", "volume", "build-cache"];
    let kinds: Vec<&str> = query.all("type").collect();
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(Error::new(Class::Invalid, format!("unknown object type: {unknown}")).into());
    }
    let wants = |kind: &str| kinds.is_empty() || kinds.contains(&kind);
    let wanted =
        Measured { images: wants("image"), containers: wants("container"), volumes: wants("volume") };
    let usage = engine::system::disk_usage(&api.services, wanted).await?;
    let now = engine::now();
    let image = |(listed, size): &(ListedImage, ImageUsage)| present::image::measured(listed, *size, version);
    json(&DiskUsage {
        layers_size: usage.layers,
        images: wanted.images.then(|| usage.images.iter().map(image).collect()),
        containers: wanted
            .containers
            .then(|| usage.containers.iter().map(|found| present::summary::summary(found, now)).collect()),
        volumes: wanted.volumes.then(|| {
            let volumes = usage.volumes.iter();
            volumes
                .map(|(found, size, users)| {
                    present::volume::volume(&api.services, found, Some((*size, *users)))
                })
                .collect()
        }),
        build_cache: wants("build-cache").then(Vec::new),
    })
}
