//! `POST /commit`: an image out of a container.

use crate::http::answer::{Answer, json_as};
use crate::http::query::Query;
use crate::routes::Context;
use crate::wire::image::Committed;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use engine::container::Commit;
use errors::{Class, Error};
use oci::RunConfig;

pub(super) async fn commit(State(api): Context, query: Query, body: Bytes) -> Answer {
    // Clients send `null`, `{}` or nothing at all.
    let config: Option<RunConfig> = match body.trim_ascii() {
        [] => None,
        text => serde_json::from_slice(text)
            .map_err(|error| Error::wrap(Class::Invalid, error).context("read the container's config"))?,
    };
    let commit = Commit {
        reference: super::bring::reference(&query)?,
        author: query.owned("author").unwrap_or_default(),
        comment: query.owned("comment").unwrap_or_default(),
        pause: query.flag_or("pause", true),
        changes: query.all("changes").flat_map(str::lines).map(str::to_owned).collect(),
        config: config.unwrap_or_default(),
    };
    let image = engine::container::commit(&api.services, query.required("container")?, commit).await?;
    json_as(StatusCode::CREATED, &Committed { id: image.id.to_string() })
}
