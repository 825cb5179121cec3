//! `POST /containers/{id}/wait`. The head of the answer goes out at once: the CLI starts the container only when it has
//! seen it, and so misses no exit.

use crate::http::answer::Answer;
use crate::http::lines;
use crate::http::query::Query;
use crate::routes::Context;
use axum::extract::{Path, State};
use engine::container::{WaitFor, Waited};
use errors::{Class, Error};
use futures_util::{FutureExt, stream};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Exited {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ExitError>,
    status_code: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExitError {
    message: String,
}

pub(super) async fn wait(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let what = match query.text("condition").unwrap_or("not-running") {
        "not-running" => WaitFor::NotRunning,
        "next-exit" => WaitFor::NextExit,
        "removed" => WaitFor::Removed,
        other => return Err(Error::new(Class::Invalid, format!("invalid condition: {other:?}")).into()),
    };
    let waited = engine::container::wait(&api.services, &id, what).await?;
    let written = stream::once(waited.map(|Waited { code, error }| {
        lines::line(&Exited { error: error.map(|message| ExitError { message }), status_code: code })
    }));
    Ok(lines::growing("application/json", written, api.shutdown.clone()))
}
