//! `config import [FILE]`: Docker's `daemon.json` taken over.

use crate::own::print;
use anyhow::Context;
use clap::Parser;
use docker_cli::Invocation;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take over the settings of Docker's daemon.json, as far as they have a counterpart.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// The file
    #[arg(default_value = "/etc/docker/daemon.json")]
    file: PathBuf,
    /// Change nothing, only say what would be set
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config import", |flags: &Flags| {
        let name = flags.file.display();
        let text = std::fs::read_to_string(&flags.file).with_context(|| format!("read {name}"))?;
        let imported = config::import_daemon_json(&text)
            .map_err(|error| anyhow::anyhow!("{name}:{}:{}: {}", error.line, error.column, error.message))?;
        let assignments: Vec<String> = imported
            .values
            .iter()
            .map(|(path, value)| format!("{path}={}", config::word_of(value)))
            .collect();
        if flags.dry_run {
            assignments.iter().for_each(|one| print(&format!("{one}\n")));
        } else if assignments.is_empty() {
            print("There is nothing to take over.\n");
        } else {
            super::set::set(invocation, &assignments)?;
        }
        for (key, why) in &imported.left_out {
            print(&format!("Not taken over: {key}: {why}\n"));
        }
        Ok(())
    })
}
