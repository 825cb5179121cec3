//! `POST /containers/{id}/attach`.

use super::logs::{self, Prefix};
use crate::http::answer::Answer;
use crate::http::detach_keys::{BadKeys, DetachKeys};
use crate::http::hijack::{Framing, Hijack, Raw};
use crate::http::pump::{Ended, pump};
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::routes::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use engine::container::{Attach, Attached};
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

pub(super) async fn attach(
    State(api): Context,
    version: ApiVersion,
    Path(id): Path<String>,
    query: Query,
    hijack: Hijack,
) -> Answer {
    let keys = keys(&query)?;
    let attached = engine::container::attach(&api.services, &id, wanted(&query)).await?;
    let client = hijack.take(version, Framing::of(attached.terminal)).await?;
    converse(client, attached, keys, api.shutdown).await;
    // Nobody is left to read it: the connection is the client's and the process's.
    Ok(StatusCode::OK.into_response())
}

/// What the client wants of the streams.
pub(super) fn wanted(query: &Query) -> Attach {
    Attach {
        stdin: query.flag("stdin"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        stream: query.flag("stream"),
        logs: query.flag("logs"),
    }
}

/// Detach keys are for terminals: without one every byte is input.
pub(in crate::routes) fn with_keys(terminal: bool, keys: DetachKeys) -> Option<DetachKeys> {
    terminal.then_some(keys)
}

async fn converse(mut client: Raw, attached: Attached, keys: DetachKeys, shutdown: CancellationToken) {
    let framing = Framing::of(attached.terminal);
    if let Some(mut past) = attached.past {
        while let Some(Ok(entry)) = past.next().await {
            if client.write_all(&logs::line(&entry, framing, Prefix::default())).await.is_err() {
                return;
            }
        }
    }
    let Some(streams) = attached.streams else {
        let _ = client.shutdown().await;
        return;
    };
    // Where the container does not run yet, its start comes first, or its removal.
    let attachment = tokio::select! {
        attachment = streams => attachment,
        () = client.gone() => return,
        () = shutdown.cancelled() => None,
    };
    if let Some(attachment) = attachment {
        let ended = pump(
            client,
            attachment.stream,
            with_keys(attached.terminal, keys),
            shutdown,
            std::future::ready(()),
        )
        .await;
        if ended == Ended::Detached {
            tracing::debug!("client detached");
        }
    } else {
        let _ = client.shutdown().await;
    }
}

/// The sequence that the client wants to detach with.
pub(super) fn keys(query: &Query) -> Result<DetachKeys, BadKeys> {
    DetachKeys::parse(query.text("detachKeys").unwrap_or_default())
}
