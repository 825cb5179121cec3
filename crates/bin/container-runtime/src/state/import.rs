//! `state import FILE`

use super::{runtime, stopped};
use crate::own::told;
use crate::place::Place;
use anyhow::Context;
use clap::Parser;
use docker_cli::Invocation;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take the records of a file that 'state export' wrote as those of the engine.
///
/// The daemon must not run, and the store must be empty, or be put aside with --replace: then it stays beside the new one under
/// another name. (In etcd it is replaced.)
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// The export
    file: PathBuf,
    /// Put what is there aside
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "state import", |flags: &Flags| {
        let text = std::fs::read(&flags.file).with_context(|| format!("read {}", flags.file.display()))?;
        let (settings, _lock) = stopped(invocation, &flags.place)?;
        let done = runtime()?.block_on(engine::system::state::import(&settings, &text, flags.replace));
        let done = told(done).with_context(|| format!("import {}", flags.file.display()))?;
        let mut said = format!("{} records\n", done.records);
        for kept in done.kept {
            let _ = writeln!(said, "what was there before is kept: {}", kept.display());
        }
        crate::own::print(&said);
        Ok(())
    })
}
