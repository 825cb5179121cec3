//! Images go out, as an archive.

use crate::http::answer::{Answer, empty};
use crate::http::query::Query;
use crate::routes::{Api, Context};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use errors::{Class, Error};
use futures_util::{StreamExt, stream};
use std::io;
use tokio_util::io::ReaderStream;

/// In flight between the archive's writer and the client.
const BUFFER: usize = 256 << 10;

pub(super) async fn several(State(api): Context, query: Query) -> Answer {
    save(&api, query.all("names").map(str::to_owned).collect(), &query).await
}

pub(super) async fn save(api: &Api, names: Vec<String>, query: &Query) -> Answer {
    let (writer, reader) = tokio::io::duplex(BUFFER);
    let writing = engine::image::save(&api.services, names, super::bring::platform(query)?, writer).await?;
    let written = tokio::spawn(writing);
    let mut reader = ReaderStream::with_capacity(reader, BUFFER);
    // What goes wrong before the first byte can still be told by the status.
    let first = reader.next().await;
    if first.is_none() {
        written.await.map_err(|error| Error::wrap(Class::Internal, error).context("save"))??;
        return empty();
    }
    // An error after it can only be told by breaking off: the client then sees that the archive is not whole.
    let verdict = stream::once(async move {
        match written.await {
            Ok(Ok(())) => Ok(Bytes::new()),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "save broke off");
                Err(io::Error::other(error.to_string()))
            }
            Err(error) => Err(io::Error::other(error)),
        }
    });
    let body = Body::from_stream(stream::iter(first).chain(reader).chain(verdict));
    Ok(([(header::CONTENT_TYPE, "application/x-tar")], body).into_response())
}
