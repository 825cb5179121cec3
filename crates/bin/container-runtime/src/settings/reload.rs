//! `config reload`: the daemon reads everything again.

use super::outcome;
use crate::own::print;
use clap::Parser;
use docker_cli::Invocation;
use std::process::ExitCode;

/// Have the daemon read its settings again.
///
/// It does so by itself when a file changes, and on SIGHUP.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config reload", |_: &Flags| {
        let answer = crate::own::ask(invocation, |client| client.post("/container-runtime/config/reload"))?;
        print(&outcome::text(&serde_json::from_slice(&answer)?));
        Ok(())
    })
}
