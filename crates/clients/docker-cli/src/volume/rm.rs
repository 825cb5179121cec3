//! `docker volume rm`.

use super::path;
use crate::app::App;
use crate::failure::{Errors, Outcome};
use crate::output;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Force the removal of one or more volumes
    #[arg(short, long)]
    force: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] VOLUME [VOLUME...]",
    "Remove one or more volumes",
    Some("Remove one or more volumes. You cannot remove a volume that is in use by a container.")
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    let mut errors = Errors::default();
    for name in names {
        let removal = async { Ok(client.delete(path(name)?).flag("force", args.force).done().await?) };
        if errors.note(removal.await).is_some() {
            output::line(name)?;
        }
    }
    errors.finish()
}
