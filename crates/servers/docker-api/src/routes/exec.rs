//! Processes added to running containers.

use crate::http::answer::{Answer, Refusal, empty, json, json_as};
use crate::http::body::{JsonBody, OptionalJson};
use crate::http::detach_keys::DetachKeys;
use crate::http::hijack::{Framing, Hijack};
use crate::http::lines::frame;
use crate::http::pump::pump;
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::routes::container::{terminal_size, with_keys};
use crate::routes::{Api, Context};
use crate::translate::{console_size, exec_spec};
use crate::wire::exec::{ExecConfig, ExecInspect, ExecStart, ProcessConfig};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use engine::exec::{Inspection, Start};
use errors::{Class, Error};
use serde::Serialize;
use tokio::io::AsyncWriteExt;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/containers/{id}/exec", post(create))
        .route("/exec/{id}/start", post(start))
        .route("/exec/{id}/resize", post(resize))
        .route("/exec/{id}/json", get(inspect))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

async fn create(State(api): Context, Path(id): Path<String>, JsonBody(body): JsonBody<ExecConfig>) -> Answer {
    DetachKeys::parse(&body.detach_keys)?;
    let exec = engine::exec::create(&api.services, &id, exec_spec(body)).await?;
    json_as(StatusCode::CREATED, &Created { id: exec.to_string() })
}

async fn start(
    State(api): Context,
    version: ApiVersion,
    Path(id): Path<String>,
    hijack: Hijack,
    OptionalJson(body): OptionalJson<ExecStart>,
) -> Answer {
    let console_size = console_size(&body.console_size);
    if body.detach {
        engine::exec::start(&api.services, &id, Start { detach: true, console_size }).await?;
        return empty();
    }
    let exec = engine::exec::inspect(&api.services, &id).await?;
    check_startable(&exec)?;
    let keys = DetachKeys::parse(exec.spec.detach_keys.as_deref().unwrap_or_default())?;
    // The head comes first, as Docker does it: why a program can't be started is told within the stream, and in
    // the exit code.
    let framing = Framing::of(exec.spec.tty);
    let mut client = hijack.take(version, framing).await?;
    match engine::exec::start(&api.services, exec.id.as_str(), Start { detach: false, console_size }).await {
        Ok(Some(attachment)) => {
            let ended = engine::exec::wait(&api.services, &exec.id);
            pump(client, attachment.stream, with_keys(exec.spec.tty, keys), api.shutdown, ended).await;
        }
        Ok(None) => {}
        Err(error) => {
            let text = format!("{error}\r\n");
            let bytes = match framing {
                Framing::Raw => text.into(),
                Framing::Multiplexed => frame::of(frame::STDOUT, &[text.as_bytes()]),
            };
            let _ = client.write_all(&bytes).await; // a client that is gone can't be told
            let _ = client.shutdown().await;
        }
    }
    Ok(StatusCode::OK.into_response())
}

/// Whether a start can succeed at all, while there is still a status to say so.
fn check_startable(exec: &Inspection) -> Result<(), Refusal> {
    let why = match (exec.running, exec.exit_code) {
        (true, _) => "is already running",
        (false, Some(_)) => "has already run",
        (false, None) => return Ok(()),
    };
    Err(Error::new(Class::Conflict, format!("exec {} {why}", exec.id)).into())
}

async fn resize(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let (rows, columns) = terminal_size(&query)?;
    engine::exec::resize(&api.services, &id, rows, columns).await?;
    empty()
}

async fn inspect(State(api): Context, Path(id): Path<String>) -> Answer {
    let exec = engine::exec::inspect(&api.services, &id).await?;
    let mut args = exec.spec.args.into_iter();
    json(&ExecInspect {
        id: exec.id.to_string(),
        running: exec.running,
        exit_code: exec.exit_code,
        process_config: ProcessConfig {
            tty: exec.spec.tty,
            entrypoint: args.next().unwrap_or_default(),
            arguments: args.collect(),
            privileged: exec.spec.privileged,
            user: exec.spec.user,
        },
        open_stdin: exec.spec.attach_stdin,
        open_stderr: exec.spec.attach_stderr,
        open_stdout: exec.spec.attach_stdout,
        can_remove: false,
        container_id: exec.container.to_string(),
        detach_keys: exec.spec.detach_keys.unwrap_or_default(),
        pid: exec.pid.unwrap_or(0),
    })
}
