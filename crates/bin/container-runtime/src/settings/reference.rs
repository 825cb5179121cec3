//! `config reference`: every key, as a page.

use clap::Parser;
use docker_cli::Invocation;
use std::process::ExitCode;

/// Print a page about every setting, in Markdown.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config reference", |_: &Flags| {
        crate::own::print(&config::reference());
        Ok(())
    })
}
