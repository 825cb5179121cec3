//! `docker manifest create`.

use super::drafts::{self, Draft, Entry};
use super::{fetch, full};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Amend an existing manifest list
    #[arg(short, long)]
    amend: bool,
    /// Allow communication with an insecure registry: the engine's configuration says which are
    #[arg(long)]
    insecure: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(2),
    "MANIFEST_LIST MANIFEST [MANIFEST...]",
    "Create a local manifest list for annotating and pushing to a registry"
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let list = full(&words[0]);
    let mut draft = match drafts::load(app, &list)? {
        Some(_) if !args.amend => {
            return Err(Failure::new("refusing to amend an existing manifest list with no --amend flag"));
        }
        known => known.unwrap_or_default(),
    };
    for name in &words[1..] {
        add(app, &mut draft, name).await?;
    }
    drafts::store(app, &list, &draft)?;
    output::line(format!("Created manifest list {list}"))
}

async fn add(app: &App, draft: &mut Draft, name: &str) -> Outcome {
    let remote = fetch(app, name).await?;
    let mut descriptor = remote.descriptor;
    let [platform] = remote.platforms.as_slice() else {
        return Err(Failure::new(format!(
            "{name} is not a single image: a list is made of images, not of lists"
        )));
    };
    descriptor.platform = Some(platform.clone());
    let name = full(name);
    draft.entries.retain(|entry| entry.name != name);
    draft.entries.push(Entry { name, descriptor });
    Ok(())
}
