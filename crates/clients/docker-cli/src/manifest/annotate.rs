//! `docker manifest annotate`.

use super::{drafts, full};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Set architecture
    #[arg(long)]
    arch: Option<String>,
    /// Set operating system
    #[arg(long)]
    os: Option<String>,
    /// Set operating system feature
    #[arg(long)]
    os_features: Vec<String>,
    /// Set operating system version
    #[arg(long)]
    os_version: Option<String>,
    /// Set architecture variant
    #[arg(long)]
    variant: Option<String>,
}

verb!(
    Args,
    run,
    Arity::Exactly(2),
    "[OPTIONS] MANIFEST_LIST MANIFEST",
    "Add additional information to a local image manifest"
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let (list, name) = (full(&words[0]), full(&words[1]));
    let missing = || Failure::new(format!("manifest for image {name} does not exist in {list}"));
    let unknown = || Failure::new(format!("No such manifest: {}", words[0]));
    let mut draft = drafts::load(app, &list)?.ok_or_else(unknown)?;
    let entry = draft.entries.iter_mut().find(|entry| entry.name == name).ok_or_else(missing)?;
    let platform = entry.descriptor.platform.get_or_insert_default();
    let set = |field: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            field.clone_from(value);
        }
    };
    set(&mut platform.architecture, &args.arch);
    set(&mut platform.os, &args.os);
    set(&mut platform.os_version, &args.os_version);
    set(&mut platform.variant, &args.variant);
    platform.os_features.extend(args.os_features.iter().cloned());
    if platform.os.is_empty() || platform.architecture.is_empty() {
        return Err(Failure::new(format!(
            "manifest entry for {name} needs an operating system and an architecture"
        )));
    }
    drafts::store(app, &list, &draft)
}
