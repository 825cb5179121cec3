//! Release builds of both programs, side by side in one directory.

use crate::run::run;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Package and profile of what is delivered.
const PROGRAMS: [(&str, &str); 2] = [("container-runtime", "release"), ("container-runtime-shim", "shim")];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to put the programs
    #[arg(default_value = "target/dist")]
    directory: PathBuf,
}

pub(crate) fn build(arguments: &Arguments) -> Result<()> {
    std::fs::create_dir_all(&arguments.directory)?;
    for (package, profile) in PROGRAMS {
        run(cargo().args(["build", "--locked", "--package", package, "--profile", profile]))?;
        let built = target()?.join(profile).join(package);
        let delivered = arguments.directory.join(package);
        install(&built, &delivered)?;
        println!("{} {} KiB", delivered.display(), std::fs::metadata(&delivered)?.len() / 1024);
    }
    Ok(())
}

/// Replaces a program that may be running.
fn install(from: &Path, to: &Path) -> Result<()> {
    let temporary = to.with_extension("new");
    std::fs::copy(from, &temporary).with_context(|| format!("copy {}", from.display()))?;
    std::fs::rename(&temporary, to).with_context(|| format!("replace {}", to.display()))
}

pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::root());
    cargo
}

/// The directory below which the profiles lie: the workspace names its target.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = crate::tidy::metadata(&["--no-deps"])?;
    let directory = metadata["target_directory"].as_str().context("no target_directory in cargo metadata")?;
    Ok(Path::new(directory).join(format!("{}-unknown-linux-gnu", std::env::consts::ARCH)))
}
