//! `docker wait`, and waiting for a container that this program started.

use super::path;
use crate::app::App;
use crate::failure::{Errors, Failure, Outcome};
use crate::output;
use crate::verb::{Arity, NoFlags, verb};
use engine_client::{Client, Response};
use serde::Deserialize;
use std::pin::Pin;
use std::time::Duration;

verb!(
    NoFlags,
    run,
    Arity::AtLeast(1),
    "CONTAINER [CONTAINER...]",
    "Block until one or more containers stop, then print their exit codes"
);

async fn run(app: &App, _: &NoFlags, names: &[String]) -> Outcome {
    let client = app.client()?;
    let mut errors = Errors::default();
    for name in names {
        if let Some(status) = errors.note(wait_now(client, name).await) {
            output::line(status.to_string())?;
        }
    }
    errors.finish()
}

async fn wait_now(client: &Client, name: &str) -> Outcome<i64> {
    let answer: Answer = client.post(path(name, "/wait")?).json().await?;
    Ok(answer.status_code)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    status_code: i64,
    #[serde(default)]
    error: Option<Problem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Problem {
    message: String,
}

type Sending<'c> = Pin<Box<dyn Future<Output = engine_client::Result<Response>> + 'c>>;

/// A wait that the daemon has heard of, so that an exit after this moment is not missed.
pub(crate) struct Waiting<'c> {
    sending: Option<Sending<'c>>,
    response: Option<Response>,
}

/// The daemon acknowledges a wait at once by the header of its answer; one that does not is not waited for.
const ACKNOWLEDGE: Duration = Duration::from_secs(1);

impl<'c> Waiting<'c> {
    /// Registers for the end of a container: its removal, or its next exit.
    pub(crate) async fn register(client: &'c Client, id: &str, removal: bool) -> Outcome<Self> {
        Self::for_condition(client, id, if removal { "removed" } else { "next-exit" }).await
    }

    /// The same with a condition of the API; empty: not running.
    pub(crate) async fn for_condition(client: &'c Client, id: &str, condition: &str) -> Outcome<Self> {
        let mut request = client.post(path(id, "/wait")?);
        if !condition.is_empty() {
            request = request.query("condition", condition);
        }
        let mut sending: Sending<'c> = Box::pin(request.send());
        match tokio::time::timeout(ACKNOWLEDGE, &mut sending).await {
            Ok(response) => Ok(Self { sending: None, response: Some(response?) }),
            Err(_) => Ok(Self { sending: Some(sending), response: None }),
        }
    }

    /// The exit code.
    pub(crate) async fn status(self) -> Outcome<i64> {
        let response = match (self.response, self.sending) {
            (Some(response), _) => response,
            (None, Some(sending)) => sending.await?,
            (None, None) => return Err(Failure::new("waiting for nothing")),
        };
        let answer: Answer = response.json().await?;
        match answer.error {
            Some(problem) => Err(Failure::new(format!("Error waiting for container: {}", problem.message))),
            None => Ok(answer.status_code),
        }
    }
}
