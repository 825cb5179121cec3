//! `docker rm`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,
    /// Remove the specified link
    #[arg(short, long)]
    link: bool,
    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,
}

verb!(Args, run, Arity::AtLeast(1), "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers");

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    super::for_each_unless(names, async |name| {
        let name = name.trim_matches('/');
        if name.is_empty() {
            return Err(Failure::new("container name cannot be empty"));
        }
        let request = client.delete(path(name, "")?).flag("v", args.volumes).flag("link", args.link);
        match request.flag("force", args.force).done().await {
            Ok(_) => Ok(true),
            // What is to be gone by force is gone: worth a word, not a failure.
            Err(error) if args.force && error.is_not_found() => {
                crate::output::stderr(&format!("{error}\n"));
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}
