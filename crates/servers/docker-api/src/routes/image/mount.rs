//! An image's files at a place of the host: paths of this engine alone.

use super::bring::platform;
use crate::http::answer::{Answer, json};
use crate::http::query::Query;
use crate::present;
use crate::routes::Context;
use axum::extract::State;

/// Which images are mounted.
pub(super) async fn list(State(api): Context) -> Answer {
    let mounts = engine::image::mounts(&api.services);
    let listed = mounts.iter().map(|(mounted, image)| present::image::mounted(mounted, image.as_deref()));
    json(&listed.collect::<Vec<_>>())
}

/// Mounts an image, and answers where.
pub(super) async fn mount(State(api): Context, query: Query) -> Answer {
    let (name, platform) = (query.required("name")?, platform(&query)?);
    let mounted = engine::image::mount(&api.services, name, platform.as_ref()).await?;
    json(&present::image::mounted(&mounted, None))
}

/// Ends an image's mount; `force`: also while somebody uses it.
pub(super) async fn unmount(State(api): Context, query: Query) -> Answer {
    let (name, platform) = (query.required("name")?, platform(&query)?);
    let force = query.flag("force");
    let unmounted = engine::image::unmount(&api.services, name, platform.as_ref(), force).await?;
    json(&present::image::mounted(&unmounted, None))
}
