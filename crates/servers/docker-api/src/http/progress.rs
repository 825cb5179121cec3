//! Answers that tell of a transfer's progress, in Docker's JSON messages.
//!
//! What fails before the first message is told by the status; later it can only be told in the stream.

use super::answer::{Answer, Refusal};
use super::lines;
use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use errors::{Class, Error};
use futures_util::{StreamExt, stream};
use images::{LayerStep, Progress};
use oci::Digest;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// One message.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// Text that is shown as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<String>,
    /// A line of its own, or a layer's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// How far a layer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress_detail: Option<Detail>,
    /// The same as a bar of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<String>,
    /// What the message is about: a layer, or a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Something for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aux: Option<serde_json::Value>,
}

/// Bytes of a layer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Where a transfer's messages go.
#[derive(Debug, Clone)]
pub(crate) struct Teller(UnboundedSender<Bytes>);

impl Teller {
    /// Sends a message. A client that is gone hears nothing, and its transfer ends.
    pub(crate) fn say(&self, message: &Message) {
        let _ = self.0.send(lines::line(message));
    }

    /// Sends what a transfer tells.
    pub(crate) fn tell(&self) -> Arc<dyn Fn(Progress) + Send + Sync> {
        let this = self.clone();
        Arc::new(move |progress| {
            if let Progress::Layer { digest, step: LayerStep::Downloaded } = &progress {
                // Two steps of docker's; the digest is computed while the bytes come.
                this.say(&about(digest, "Verifying Checksum", None));
            }
            this.say(&message(progress));
        })
    }
}

/// Runs `work` and answers with what it tells. It ends when the client goes away.
pub(crate) async fn answer<F>(shutdown: &CancellationToken, work: impl FnOnce(Teller) -> F) -> Answer
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (sender, mut messages) = unbounded_channel();
    let mut running = AbortOnDropHandle::new(tokio::spawn(work(Teller(sender))));
    let first = messages.recv().await;
    if first.is_none() {
        ended((&mut running).await).map_err(Refusal)?;
    }
    let rest = stream::unfold(messages, |mut messages| async { Some((messages.recv().await?, messages)) });
    let verdict = stream::once(async move {
        match ended(running.await) {
            Ok(()) => Bytes::new(),
            Err(error) => failure(&error),
        }
    });
    let told = first.is_some();
    let verdict = verdict.filter(move |_| std::future::ready(told));
    let body = stream::iter(first).chain(rest).chain(verdict).take_until(shutdown.clone().cancelled_owned());
    let body = Body::from_stream(body.map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn ended(result: Result<Result<(), Error>, tokio::task::JoinError>) -> Result<(), Error> {
    result.unwrap_or_else(|error| Err(Error::wrap(Class::Internal, error).context("the transfer")))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    error_detail: Why,
    error: String,
}

#[derive(Debug, Serialize)]
struct Why {
    message: String,
}

fn failure(error: &Error) -> Bytes {
    let message = error.to_string();
    lines::line(&Failed { error_detail: Why { message: message.clone() }, error: message })
}

fn message(progress: Progress) -> Message {
    let (digest, step) = match progress {
        Progress::Note { tag, text } => return Message { status: Some(text), id: tag, ..Message::default() },
        Progress::Layer { digest, step } => (digest, step),
    };
    let (status, bytes): (String, _) = match step {
        LayerStep::Waiting => ("Pulling fs layer".into(), None),
        LayerStep::Downloading { current, total } => ("Downloading".into(), Some((current, total))),
        LayerStep::Extracting { total } => ("Extracting".into(), Some((total, total))),
        LayerStep::Downloaded => ("Download complete".into(), None),
        LayerStep::Complete => ("Pull complete".into(), None),
        LayerStep::Exists => ("Already exists".into(), None),
        LayerStep::Pushing { current, total } => ("Pushing".into(), Some((current, total))),
        LayerStep::Preparing => ("Preparing".into(), None),
        LayerStep::Pushed => ("Pushed".into(), None),
        LayerStep::ExistsThere => ("Layer already exists".into(), None),
        LayerStep::Mounted(from) => (format!("Mounted from {from}"), None),
    };
    about(&digest, status, bytes)
}

fn about(digest: &Digest, status: impl Into<String>, bytes: Option<(u64, u64)>) -> Message {
    let detail = bytes.map_or_else(Detail::default, |(current, total)| Detail {
        current: Some(current),
        total: Some(total),
    });
    Message {
        status: Some(status.into()),
        progress_detail: Some(detail),
        progress: bytes.map(|(current, total)| bar(current, total)),
        id: Some(digest.short().to_owned()),
        ..Message::default()
    }
}

/// `[=====>      ]  1.2MB/3.4MB`.
fn bar(current: u64, total: u64) -> String {
    const WIDTH: u64 = 50;
    let done = (current.min(total) * WIDTH).checked_div(total).unwrap_or(WIDTH);
    let (done, left) = (done as usize, (WIDTH - done) as usize);
    let arrow = format!("{}>{}", "=".repeat(done), " ".repeat(left));
    format!("[{arrow}]  {}/{}", human(current), human(total))
}

/// Decimal units with four digits, as docker prints sizes.
fn human(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    let digits: usize = if unit == "B" || value >= 1000.0 {
        0
    } else if value >= 100.0 {
        1
    } else if value >= 10.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_told_as_docker_tells_it() {
        let digest = oci::Digest::sha256([0xab; 32]);
        let step = LayerStep::Downloading { current: 12_345_678, total: 50_000_000 };
        let text = lines::line(&message(Progress::Layer { digest, step }));
        let expected = r#"{"status":"Downloading","progressDetail":{"current":12345678,"total":50000000},"progress":"[============>                                      ]  12.35MB/50MB","id":"abababababab"}"#;
        assert_eq!(std::str::from_utf8(&text).unwrap().trim(), expected);
        assert_eq!(bar(5, 5), format!("[{}>]  5B/5B", "=".repeat(50)));
    }
}
