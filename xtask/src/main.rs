//! The project's own chores, as `cargo xtask <name>`: checks of its shape, virtual machines, releases.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod dist;
mod images;
mod run;
mod tidy;
mod vm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "The project's own chores", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the floors, the manifests, the modules, the licences
    Tidy,
    /// Build both programs for release into a directory
    Dist(dist::Arguments),
    /// Make the images that tests and demonstrations use, from Debian's packages
    Fixtures(images::Arguments),
    /// Run a command in a virtual machine with cgroup v2
    Vm(vm::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Tidy => report(&tidy::problems()),
        Chore::Dist(arguments) => dist::build(&arguments).map(|()| ExitCode::SUCCESS),
        Chore::Fixtures(arguments) => images::make(&arguments).map(|()| ExitCode::SUCCESS),
        Chore::Vm(arguments) => vm::run(&arguments).map(ExitCode::from),
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::from(125)
    })
}

fn report(problems: &Result<Vec<String>>) -> Result<ExitCode> {
    match problems {
        Err(error) => anyhow::bail!("{error:#}"),
        Ok(problems) if problems.is_empty() => {
            println!("tidy");
            Ok(ExitCode::SUCCESS)
        }
        Ok(problems) => {
            problems.iter().for_each(|problem| println!("{problem}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The directory that the checkout lies in.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("xtask lies in the root of the checkout").to_owned()
}

/// A directory for what is costly to fetch or make, outside the checkout.
fn cache() -> Result<PathBuf> {
    let cache = fixtures::cache();
    std::fs::create_dir_all(&cache)?;
    Ok(cache)
}
