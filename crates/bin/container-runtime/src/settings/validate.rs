//! `config validate [FILE]`: every mistake with its place, and 1 as the exit code if there is one. No daemon is asked.

use crate::own::{print, told};
use anyhow::Context;
use clap::Parser;
use docker_cli::Invocation;
use engine::settings::Sources;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check the settings: the file, the drop-in directory beside it, and the environment.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// A file, or - for what comes on the standard input [default: that of the daemon]
    file: Option<PathBuf>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config validate", |flags: &Flags| {
        let standard_input = flags.file.as_deref().is_some_and(|file| file.as_os_str() == "-");
        let file = match &flags.file {
            Some(file) if !standard_input => Some(std::path::absolute(file)?),
            Some(_) => None,
            None => daemons_file(invocation)?,
        };
        let sources = Sources::of(file.as_deref());
        let read = if standard_input {
            let text = std::io::read_to_string(std::io::stdin()).context("read the standard input")?;
            Sources { file: "-".into(), ..sources.clone() }.load_with(&text)
        } else {
            sources.load()
        };
        told(read)?;
        let what = match (standard_input, sources.required || sources.file.exists()) {
            (true, _) => "The settings are good.\n".to_owned(),
            (_, true) => format!("{} is good.\n", sources.file.display()),
            (_, false) => format!("There is no {}: the defaults are good.\n", sources.file.display()),
        };
        print(&what);
        Ok(())
    })
}

/// The file of the daemon that runs, if it has another than the usual.
fn daemons_file(invocation: &Invocation) -> anyhow::Result<Option<PathBuf>> {
    let shown = super::ask::daemon(invocation, |client| Ok(client.get("/container-runtime/config")))?;
    let file = shown.and_then(|shown| shown["File"].as_str().map(PathBuf::from));
    Ok(file.filter(|file| file.exists()))
}
