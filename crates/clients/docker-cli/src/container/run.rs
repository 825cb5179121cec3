//! `docker run`: create, attach, start, and pass on the exit code.

use super::attach::{self, Streams};
use super::create::{self, with_help};
use super::options::ContainerFlags;
use super::wait::Waiting;
use super::{path, start};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::{End, OnSignal, Resize, Session, check_tty};
use crate::verb::{Arity, verb};
use engine_client::Client;
use serde_json::json;

#[derive(Debug, clap::Args)]
struct Args {
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    #[arg(long, default_value = "missing", help = PULL_HELP)]
    pull: String,
    /// Proxy received signals to the process
    #[arg(long, default_value = "true")]
    sig_proxy: Option<bool>,
    #[command(flatten)]
    container: ContainerFlags,
}

const PULL_HELP: &str = "Pull image before running (\"always\", \"missing\", \"never\")";

verb!(
    Args,
    run,
    Arity::Command(1),
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    "Create and run a new container from an image"
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let helped = |failure: Failure| with_help(app, failure, "run").with_status(125);
    create::check_pull(&args.pull).map_err(helped)?;
    let mut request = create::build(app, &args.container, words).map_err(helped)?;
    if args.detach {
        if !args.container.attach.is_empty() {
            let text = "conflicting options: cannot specify both --attach and --detach";
            return Err(Failure::new(text));
        }
        (request.attach_stdin, request.attach_stdout, request.attach_stderr) = (false, false, false);
        for name in ["AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"] {
            request.body[name] = json!(false);
        }
    } else {
        check_tty(request.attach_stdin, args.container.tty)?;
    }
    let streams =
        Streams { stdin: request.attach_stdin, stdout: request.attach_stdout, stderr: request.attach_stderr };
    let client = app.client()?;
    let created = create::create(app, &args.container, request.body, &args.pull).await;
    let id = created.map_err(|failure| status_of(app, failure))?;
    if !(streams.stdin || streams.stdout || streams.stderr) {
        output::line(&id)?;
        return start::begin(client, &id).await.map_err(|failure| status_of(app, failure));
    }
    attached(app, args, client, &id, streams).await
}

async fn attached(app: &App, args: &Args, client: &Client, id: &str, streams: Streams) -> Outcome {
    // From here on signals are the container's, also before it runs.
    let proxy = args.sig_proxy != Some(false);
    let on_signal = if proxy { OnSignal::Proxy(id.to_owned()) } else { OnSignal::Terminate };
    let mut session = Session::new(client, on_signal)?;
    session.detach_keys = attach::detach_keys(app, args.detach_keys.as_deref());
    (session.stdin, session.stdout, session.stderr) = (streams.stdin, streams.stdout, streams.stderr);
    session.tty = args.container.tty;
    // Attached before it starts, so that no output is lost.
    let stream = attach::open(client, id, streams, &session.detach_keys).await?;
    let waiting = Waiting::register(client, id, args.container.rm).await?;
    if let Err(failure) = start::begin(client, id).await {
        if args.container.rm {
            // It is removed by the daemon: leave nothing behind when this program ends.
            waiting.status().await.ok();
        }
        return Err(status_of(app, failure));
    }
    if session.tty && output::stdout_is_terminal() {
        session.resize = Some(Resize { path: path(id, "/resize")?, nudge: false });
    }
    if session.run(stream).await? == End::Detached {
        return Ok(());
    }
    match waiting.status().await {
        Ok(0) => Ok(()),
        Ok(status) => Err(Failure::status(status)),
        Err(failure) => Err(failure.with_status(125)),
    }
}

/// 127 when the command is missing, 126 when it cannot be invoked, 125 for all that is the daemon's.
fn status_of(app: &App, failure: Failure) -> Failure {
    let text = failure.message.as_str();
    let has_any = |parts: [&str; 2]| parts.iter().any(|part| text.contains(part));
    let status = if has_any(["executable file not found", "no such file or directory"]) {
        127
    } else if has_any(["permission denied", "is a directory"]) {
        126
    } else {
        125
    };
    with_help(app, failure, "run").with_status(status)
}
