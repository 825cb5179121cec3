//! `docker exec`.

use super::attach::detach_keys;
use super::{inspect_one, path};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::env;
use crate::terminal::{OnSignal, Resize, Session, check_tty, size, stdin_is_terminal};
use crate::verb::{Arity, verb};
use engine_client::Client;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
struct Args {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_parser = env::variable)]
    env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long)]
    env_file: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    #[arg(short, long, help = "Username or UID (format: \"<name|uid>[:<group|gid>]\")")]
    user: Option<String>,
    /// Working directory inside the container
    #[arg(short, long)]
    workdir: Option<String>,
}

verb!(
    Args,
    run,
    Arity::Command(2),
    "[OPTIONS] CONTAINER COMMAND [ARG...]",
    "Execute a command in a running container"
);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ended {
    exit_code: Option<i64>,
}

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let env = env::with_files(&args.env_file, &args.env, true).map_err(Failure::new)?;
    let client = app.client()?;
    let stdin = args.interactive && !args.detach;
    // That the container is missing is said before that this is no terminal.
    if !args.detach && args.tty && stdin && !stdin_is_terminal() {
        inspect_one(client, &words[0]).await?;
        check_tty(stdin, args.tty)?;
    }
    let keys = detach_keys(app, args.detach_keys.as_deref());
    let console_size = console_size(args.tty);
    let body = json!({
        "User": args.user.as_deref().unwrap_or_default(),
        "Privileged": args.privileged,
        "Tty": args.tty,
        "ConsoleSize": console_size,
        "AttachStdin": stdin,
        "AttachStdout": !args.detach,
        "AttachStderr": !args.detach,
        "DetachKeys": keys,
        "Env": (!env.is_empty()).then_some(env),
        "WorkingDir": args.workdir.as_deref().unwrap_or_default(),
        "Cmd": &words[1..],
    });
    let created: Created = client.post(path(&words[0], "/exec")?).json_body(&body)?.json().await?;
    let start = client
        .post(format!("/exec/{}/start", created.id))
        .json_body(&json!({"Detach": args.detach, "Tty": args.tty, "ConsoleSize": console_size}))?;
    if args.detach {
        start.done().await?;
        return Ok(());
    }
    let mut session = Session::new(client, OnSignal::Terminate)?;
    (session.stdin, session.stdout, session.stderr, session.tty) = (stdin, true, true, args.tty);
    session.detach_keys = keys;
    if args.tty && stdin_is_terminal() {
        session.resize = Some(Resize { path: format!("/exec/{}/resize", created.id), nudge: false });
    }
    let stream = start.hijack().await?;
    if session.run(stream).await? == crate::terminal::End::Detached {
        return Err(Failure::new("read escape sequence"));
    }
    exit_status(client, &created.id).await
}

/// `[rows, columns]` for a terminal.
fn console_size(tty: bool) -> Value {
    if !tty {
        return Value::Null;
    }
    let (rows, columns) = size();
    json!([rows, columns])
}

async fn exit_status(client: &Client, id: &str) -> Outcome {
    let ended: Ended = client.get(format!("/exec/{id}/json")).json().await?;
    match ended.exit_code {
        Some(0) | None => Ok(()),
        Some(status) => Err(Failure::status(status)),
    }
}
