//! `attach`: a client on a container's streams, now or from its next start on.

use super::logs::{LogStream, Logs};
use crate::Services;
use ::events::ContainerAction;
use containers::{Container, PendingAttach, State};
use errors::{Class, Error, Result};
use futures_util::future::BoxFuture;
use runtime::{Attachment, Task};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the client wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attach {
    /// Send input.
    pub stdin: bool,
    /// Receive standard output.
    pub stdout: bool,
    /// Receive standard error.
    pub stderr: bool,
    /// Stay for what comes.
    pub stream: bool,
    /// First what is in the log.
    pub logs: bool,
}

/// What the client gets.
pub struct Attached {
    /// Whether the container has a terminal: then output comes without frames.
    pub terminal: bool,
    /// What is in the log, if asked for.
    pub past: Option<LogStream>,
    /// The streams, once the container runs; none if it never does.
    pub streams: Option<BoxFuture<'static, Option<Attachment>>>,
}

impl std::fmt::Debug for Attached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attached").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

/// Attaches a client.
///
/// # Errors
/// `NotFound`; `Conflict` for a paused or restarting container.
pub async fn attach(services: &Arc<Services>, reference: &str, wants: Attach) -> Result<Attached> {
    let container = services.containers.find(reference)?;
    let refuse = |why: &str| Error::new(Class::Conflict, format!("container {} is {why}", container.id()));
    let state = container.state();
    match state {
        State::Paused { .. } => return Err(refuse("paused, unpause the container before attach")),
        State::Restarting { .. } => {
            return Err(refuse("restarting, wait until the container is running"));
        }
        _ => {}
    }
    let record = container.record();
    let terminal = record.spec.process.tty;
    let past = if wants.logs {
        let wants = Logs { stdout: wants.stdout, stderr: wants.stderr, ..Logs::default() };
        Some(super::logs(services, reference, wants).await?.1)
    } else {
        None
    };
    if !wants.stream {
        return Ok(Attached { terminal, past, streams: None });
    }
    let stdin = wants.stdin && record.spec.process.open_stdin;
    let streams: BoxFuture<'static, Option<Attachment>> = match container.task().filter(|_| state.is_live()) {
        Some(task) => {
            let attachment = task.attach(None, stdin, wants.stdout, wants.stderr).await?;
            Box::pin(std::future::ready(Some(attachment)))
        }
        None => {
            let (reply, streams) = oneshot::channel();
            container.push_attach(PendingAttach { stdin, stdout: wants.stdout, stderr: wants.stderr, reply });
            // It may have been started since the look above.
            if let Some(task) = container.task() {
                serve_waiting(&container, &task).await;
            }
            Box::pin(async move { streams.await.ok() })
        }
    };
    services.events.publish(super::event(&ContainerAction::Attach, &record));
    Ok(Attached { terminal, past, streams: Some(streams) })
}

/// Gives the clients that wait for a start the streams of what runs now. A client that gets none is no reason for the
/// container not to run: it sees its connection end.
pub(super) async fn serve_waiting(container: &Container, task: &Task) {
    for waiting in container.take_attaches() {
        if waiting.reply.is_closed() {
            continue;
        }
        match task.attach(None, waiting.stdin, waiting.stdout, waiting.stderr).await {
            // A client that has gone meanwhile needs none.
            Ok(attachment) => drop(waiting.reply.send(attachment)),
            Err(error) => tracing::warn!(container = %container.id(), %error, "attach a waiting client"),
        }
    }
}
