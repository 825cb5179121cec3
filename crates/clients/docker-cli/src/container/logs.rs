//! `docker logs`.

use super::{inspect_one, path};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output::time;
use crate::terminal::{Sink, copy_frames};
use crate::verb::{Arity, verb};
use engine_client::Demultiplexer;
use std::io;

#[derive(Debug, clap::Args)]
struct Args {
    /// Show extra details provided to logs
    #[arg(long)]
    details: bool,
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    #[arg(
        long,
        help = "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 \
                minutes)"
    )]
    since: Option<String>,
    /// Number of lines to show from the end of the logs
    #[arg(short = 'n', long, default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    #[arg(
        long,
        help = "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 \
                minutes)"
    )]
    until: Option<String>,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] CONTAINER", "Fetch the logs of a container");

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    let container = inspect_one(client, &names[0]).await?;
    let mut request = client.get(path(&container.id, "/logs")?).query("stdout", "1").query("stderr", "1");
    for (name, value) in [("since", &args.since), ("until", &args.until)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            let at = time::to_unix(value)
                .map_err(|why| Failure::new(format!("invalid value for {name:?}: {why}")))?;
            request = request.query(name, at);
        }
    }
    let request = request.flag("timestamps", args.timestamps).flag("details", args.details);
    let mut response = request.flag("follow", args.follow).query("tail", &args.tail).send().await?;
    let mut frames = Demultiplexer::default();
    while let Some(chunk) = response.chunk().await? {
        let written = if container.config.tty {
            Sink::Stdout.write(&chunk).await
        } else {
            frames.feed(&chunk);
            copy_frames(&mut frames, true, true).await
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(Failure::status(141)),
            other => other?,
        }
    }
    Ok(())
}
