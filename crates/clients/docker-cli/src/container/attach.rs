//! `docker attach`.

use super::wait::Waiting;
use super::{Inspected, inspect_one, path};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::{End, OnSignal, Resize, Session, check_tty};
use crate::verb::{Arity, verb};
use engine_client::{Client, Hijacked};

#[derive(Debug, clap::Args)]
struct Args {
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value = "true")]
    sig_proxy: Option<bool>,
}

verb!(
    Args,
    run,
    Arity::Exactly(1),
    "[OPTIONS] CONTAINER",
    "Attach local standard input, output, and error streams to a running container"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    let container = running(client, &names[0]).await?;
    let waiting = Waiting::for_condition(client, &container.id, "").await?;
    check_tty(!args.no_stdin, container.config.tty)?;
    let stdin = !args.no_stdin && container.config.open_stdin;
    let proxy = args.sig_proxy != Some(false) && !container.config.tty;
    let on_signal = if proxy { OnSignal::Proxy(container.id.clone()) } else { OnSignal::Terminate };
    let mut session = Session::new(client, on_signal)?;
    session.detach_keys = detach_keys(app, args.detach_keys.as_deref());
    let streams = Streams { stdin, stdout: true, stderr: true };
    let stream = open(client, &container.id, streams, &session.detach_keys).await?;
    // It may have ended between the first look and the attachment, which would then last for ever.
    running(client, &container.id).await?;
    session.stdin = stdin;
    session.stdout = true;
    session.stderr = true;
    session.tty = container.config.tty;
    if session.tty && output::stdout_is_terminal() {
        session.resize = Some(Resize { path: path(&container.id, "/resize")?, nudge: true });
    }
    match session.run(stream).await? {
        End::Detached => Err(Failure::new("read escape sequence")),
        End::Output => match waiting.status().await? {
            0 => Ok(()),
            status => Err(Failure::status(status)),
        },
    }
}

/// The container, if it can be attached to now.
async fn running(client: &Client, name: &str) -> Outcome<Inspected> {
    let container = inspect_one(client, name).await?;
    let cannot = |why: &str| Err(Failure::new(format!("You cannot attach to a {why}")));
    match &container.state {
        state if !state.running => cannot("stopped container, start it first"),
        state if state.paused => cannot("paused container, unpause it first"),
        state if state.restarting => cannot("restarting container, wait until it is running"),
        _ => Ok(container),
    }
}

/// The detach keys: the flag's, else the configuration's; empty for the default.
pub(super) fn detach_keys(app: &App, flag: Option<&str>) -> String {
    match flag.filter(|flag| !flag.is_empty()) {
        Some(flag) => flag.to_owned(),
        None => app.config().detach_keys.clone(),
    }
}

/// Which streams of a container are attached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
}

/// Opens the raw connection to a container's streams.
pub(super) async fn open(client: &Client, id: &str, streams: Streams, keys: &str) -> Outcome<Hijacked> {
    let request = client.post(path(id, "/attach")?).query("stream", "1");
    let request = request.flag("stdin", streams.stdin).flag("stdout", streams.stdout);
    let mut request = request.flag("stderr", streams.stderr);
    if !keys.is_empty() {
        request = request.query("detachKeys", keys);
    }
    Ok(request.header("Content-Type", "text/plain").hijack().await?)
}
