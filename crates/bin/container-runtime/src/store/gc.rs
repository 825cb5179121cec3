//! `system gc [--dry-run]`: what goes beyond the budget, and a sentence about each image.

use crate::own::print;
use clap::Parser;
use docker_cli::Invocation;
use serde_json::Value;
use std::fmt::Write;
use std::process::ExitCode;

/// Remove half-fetched blobs that nobody comes back for, and images beyond their budget.
///
/// The daemon does the same by itself every few minutes; storage.gc in its configuration says how much may stay.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Remove nothing, only say what would go
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "system gc", |flags: &Flags| {
        let answer = crate::own::ask(invocation, |client| {
            client.post("/container-runtime/gc").flag("dry-run", flags.dry_run)
        })?;
        print(&text(&serde_json::from_slice(&answer)?, flags.dry_run));
        Ok(())
    })
}

fn text(collected: &Value, dry_run: bool) -> String {
    let mut text = format!("{}\n", collected["Budget"].as_str().unwrap_or_default());
    for choice in collected["Choices"].as_array().into_iter().flatten() {
        let fate = match (choice["Removed"] == true, dry_run) {
            (true, true) => "would go",
            (true, false) => "removed",
            (false, _) => "stays",
        };
        let field = |name: &str| choice[name].as_str().unwrap_or_default();
        let _ = writeln!(text, "{} {fate}: {}", field("Image"), field("Reason"));
    }
    let _ = writeln!(
        text,
        "{} bytes of half-fetched blobs ({}), {} bytes in all",
        collected["Partials"],
        collected["PartialsReason"].as_str().unwrap_or_default(),
        collected["SpaceReclaimed"]
    );
    text
}
