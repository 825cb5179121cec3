//! `network check FROM TO`: what a packet meets, a line a thing, and 1 as the exit code if something stops it.

use crate::own::Format;
use clap::Parser;
use docker_cli::Invocation;
use serde_json::Value;
use std::process::ExitCode;

/// Tell what a packet from one place to another meets, and what stops it.
///
/// A place is a container (name, id or address), another address, "host", or "world" for whatever is outside of this host. With a port it
/// is also told whether a program listens there, and where a published port leads. No packet is sent.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Who sends
    from: String,
    /// Who is to receive: PLACE, PLACE:PORT or PLACE:PORT/PROTOCOL
    to: String,
    /// How to print the report
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::run(invocation, "network check", |flags: &Flags| {
        crate::own::report(
            invocation,
            flags.format,
            |client| {
                let request = client.get("/container-runtime/network/check");
                request.query("from", flags.from.as_str()).query("to", flags.to.as_str())
            },
            text,
            "Reachable",
        )
    })
}

fn text(report: &Value) -> String {
    let mut text = String::new();
    for step in report["Steps"].as_array().into_iter().flatten() {
        let mark = if step["Passes"] == true { "  ok  " } else { "  NO  " };
        text += &format!("{mark}{}\n", step["Finding"].as_str().unwrap_or_default());
    }
    text += &format!("{}\n", report["Verdict"].as_str().unwrap_or_default());
    if let Some(next) = report["Next"].as_str() {
        text += &format!("Next: {next}\n");
    }
    text
}
