//! `docker start`.

use super::attach::{self, Streams};
use super::wait::Waiting;
use super::{inspect_one, path};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::{End, OnSignal, Resize, Session};
use crate::verb::{Arity, verb};
use engine_client::Client;

#[derive(Debug, clap::Args)]
struct Args {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Start one or more stopped containers"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    if args.attach || args.interactive {
        if names.len() > 1 {
            return Err(Failure::new("you cannot start and attach multiple containers at once"));
        }
        return attached(app, args, client, &names[0]).await;
    }
    let mut failed = Vec::new();
    for name in names {
        match begin(client, name).await {
            Ok(()) => output::line(name)?,
            Err(failure) => {
                output::stderr(&format!("{}\n", failure.message));
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("Error: failed to start containers: {}", failed.join(", "))))
}

/// Starts a container.
pub(super) async fn begin(client: &Client, name: &str) -> Outcome {
    client.post(path(name, "/start")?).done().await?;
    Ok(())
}

async fn attached(app: &App, args: &Args, client: &Client, name: &str) -> Outcome {
    let container = inspect_one(client, name).await?;
    let tty = container.config.tty;
    let on_signal = if tty { OnSignal::Terminate } else { OnSignal::Proxy(container.id.clone()) };
    let mut session = Session::new(client, on_signal)?;
    session.detach_keys = attach::detach_keys(app, args.detach_keys.as_deref());
    session.stdin = args.interactive && container.config.open_stdin;
    (session.stdout, session.stderr, session.tty) = (true, true, tty);
    let streams = Streams { stdin: session.stdin, stdout: true, stderr: true };
    let stream = attach::open(client, &container.id, streams, &session.detach_keys).await?;
    let waiting = Waiting::register(client, &container.id, container.host_config.auto_remove).await?;
    begin(client, &container.id).await?;
    if tty && output::stdout_is_terminal() {
        session.resize = Some(Resize { path: path(&container.id, "/resize")?, nudge: false });
    }
    if session.run(stream).await? == End::Detached {
        return Ok(());
    }
    match waiting.status().await? {
        0 => Ok(()),
        status => Err(Failure::status(status)),
    }
}
