//! `system doctor`: what this host lacks for the engine, a line a subject, and 1 as the exit code if no container can run.

use crate::own::Format;
use crate::place::Place;
use clap::Parser;
use docker_cli::Invocation;
use engine::system::{Examination, Line, Verdict};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// A daemon that is there answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tell what this host lacks, or has wrong, for the engine.
///
/// Needs no daemon, and tells what a daemon that runs says. Each line is ok, degraded (and what does not work) or broken (and the next
/// step); the exit code is 1 if one is broken. The host is left as it is: devices are tried in namespaces of their own, an overlay
/// without a mount.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    #[command(flatten)]
    place: Place,
    /// How to print the report
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::run(invocation, "system doctor", |flags: &Flags| {
        let settings = flags.place.settings()?;
        let examination = Examination {
            root: settings.storage_root().to_owned(),
            shim: crate::daemon::find_shim(None).map_err(|error| format!("{error:#}")),
        };
        let mut lines = engine::system::doctor(&examination);
        lines.extend(daemon(invocation));
        let broken = lines.iter().any(|line| line.verdict == Verdict::Broken);
        match flags.format {
            Format::Json => crate::own::print(&format!("{:#}\n", document(&lines, !broken))),
            Format::Text => crate::own::print(&text(&lines)),
        }
        Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// What the daemon says of its host.
fn daemon(invocation: &Invocation) -> Vec<Line> {
    const SUBJECT: &str = "daemon";
    let ok = |finding: &str| Line {
        subject: SUBJECT,
        verdict: Verdict::Ok,
        finding: finding.to_owned(),
        next: None,
    };
    match warnings(invocation) {
        Ok(warnings) if warnings.is_empty() => vec![ok("it runs, and warns of nothing")],
        Ok(warnings) => {
            let line = |warning: String| Line {
                subject: SUBJECT,
                verdict: Verdict::Degraded,
                finding: warning.trim_start_matches("WARNING: ").to_owned(),
                next: None,
            };
            warnings.into_iter().map(line).collect()
        }
        Err(_) => vec![ok("none answers here: what it would say is not known")],
    }
}

fn warnings(invocation: &Invocation) -> anyhow::Result<Vec<String>> {
    let client = crate::own::client(crate::own::endpoint(invocation)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        tokio::time::timeout(PATIENCE, async { client.get("/info").bytes().await }).await
    })??;
    let info: Value = serde_json::from_slice(&answer)?;
    let warnings = info["Warnings"].as_array().into_iter().flatten();
    Ok(warnings.filter_map(Value::as_str).map(str::to_owned).collect())
}

fn document(lines: &[Line], sound: bool) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "Subject": line.subject,
                "Verdict": line.verdict.as_str(),
                "Finding": line.finding,
                "Next": line.next,
            })
        })
        .collect();
    json!({ "Sound": sound, "Lines": lines })
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { subject, verdict, finding, next } in lines {
        text += &format!("{:<9} {subject}: {finding}\n", verdict.as_str());
        if let Some(next) = next {
            text += &format!("{:<9} next: {next}\n", "");
        }
    }
    text
}
