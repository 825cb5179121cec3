//! The verbs of containers, one file each.

pub(crate) mod attach;
pub(crate) mod body;
pub(crate) mod commit;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod export;
pub(crate) mod inspect;
pub(crate) mod kill;
pub(crate) mod logs;
pub(crate) mod options;
pub(crate) mod pause;
pub(crate) mod port;
pub(crate) mod ports_text;
pub(crate) mod prune;
pub(crate) mod ps;
pub(crate) mod rename;
pub(crate) mod restart;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod stop;
pub(crate) mod top;
pub(crate) mod unpause;
pub(crate) mod update;
pub(crate) mod wait;

use crate::failure::{Errors, Failure, Outcome};
use crate::output;
use engine_client::Client;
use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;

/// How many requests are under way at once for a verb with many names.
const PARALLEL: usize = 50;

/// What the client needs of a container's document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspected {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) state: State,
    #[serde(default)]
    pub(crate) config: Config,
    #[serde(default)]
    pub(crate) host_config: HostConfig,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct State {
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) restarting: bool,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Config {
    pub(crate) tty: bool,
    pub(crate) open_stdin: bool,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct HostConfig {
    pub(crate) auto_remove: bool,
}

/// The path of a container's resource; `rest` begins with a slash or is empty.
pub(crate) fn path(name: &str, rest: &str) -> Outcome<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::new("invalid container name or ID: value is empty"));
    }
    Ok(format!("/containers/{}{rest}", output::names::path_segment(name)))
}

/// Asks for a container's document.
pub(crate) async fn inspect_one(client: &Client, name: &str) -> Outcome<Inspected> {
    Ok(client.get(path(name, "/json")?).json().await?)
}

/// Does something to many containers at once, printing the names in their order as each is done.
pub(crate) async fn for_each(names: &[String], act: impl AsyncFn(&str) -> Outcome) -> Outcome {
    for_each_unless(names, async |name| act(name).await.map(|()| true)).await
}

/// The same; a name for which `act` says false is not printed.
pub(crate) async fn for_each_unless(names: &[String], act: impl AsyncFn(&str) -> Outcome<bool>) -> Outcome {
    let mut errors = Errors::default();
    let mut results = stream::iter(names.iter().map(|name| act(name))).buffered(PARALLEL);
    let mut names = names.iter();
    while let Some(result) = results.next().await {
        let name = names.next();
        if let (Some(true), Some(name)) = (errors.note(result), name) {
            output::line(name)?;
        }
    }
    errors.finish()
}

/// The flags that `stop` and `restart` share.
#[derive(Debug, clap::Args)]
pub(crate) struct StopFlags {
    /// Signal to send to the container
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short, long, default_value = None)]
    timeout: Option<i64>,
    #[arg(long, hide = true)]
    time: Option<i64>,
}

impl StopFlags {
    /// Checks that only one spelling of the limit was used.
    pub(crate) fn check(&self) -> Outcome {
        if self.time.is_some() {
            output::stderr("Flag --time has been deprecated, use --timeout instead\n");
        }
        if self.time.is_some() && self.timeout.is_some() {
            return Err(Failure::new("conflicting options: cannot specify both --timeout and --time"));
        }
        Ok(())
    }

    /// Sends `verb` to a container.
    pub(crate) async fn send(&self, client: &Client, name: &str, verb: &str) -> Outcome {
        let mut request = client.post(path(name, verb)?);
        if let Some(signal) = &self.signal {
            request = request.query("signal", signal);
        }
        if let Some(seconds) = self.timeout.or(self.time) {
            request = request.query("t", seconds.to_string());
        }
        request.done().await?;
        Ok(())
    }
}
