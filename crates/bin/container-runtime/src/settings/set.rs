//! `config set KEY=VALUE…`: all of them or none.

use super::outcome;
use crate::own::{print, told};
use clap::Parser;
use docker_cli::Invocation;
use engine::settings::{Assignment, Sources, set_in_file};
use serde_json::json;
use std::process::ExitCode;

/// Change settings in the daemon's file, and have the daemon take them over.
///
/// Comments and order of the file stay. Nothing is changed if one of the values can't be, or if a part of the daemon refuses it.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// As network.ip_range=172.30.0.0/16; lists as a,b or [a, b]; nothing behind the = makes a key absent
    #[arg(required = true, value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config set", |flags: &Flags| set(invocation, &flags.assignments))
}

/// Through the daemon, or in the file where none runs.
pub(super) fn set(invocation: &Invocation, assignments: &[String]) -> anyhow::Result<()> {
    let body = json!({ "Set": assignments });
    let answer = super::ask::daemon(invocation, |client| {
        Ok(client.post("/container-runtime/config/set").json_body(&body)?)
    })?;
    if let Some(answer) = answer {
        print(&outcome::text(&answer));
        return Ok(());
    }
    let assignments: Vec<Assignment> =
        told(assignments.iter().map(|text| text.parse()).collect::<Result<_, _>>())?;
    let sources = Sources::of(None);
    let notes = told(set_in_file(&sources, &assignments))?;
    print(&format!("{} is changed; no daemon runs.\n", sources.file.display()));
    for note in notes {
        print(&format!("Note: {note}\n"));
    }
    Ok(())
}
