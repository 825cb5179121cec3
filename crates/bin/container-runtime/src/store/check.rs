//! `system check [--repair]`: what is wrong in the store, a paragraph a problem, and 1 as the exit code if anything is.

use crate::own::Format;
use clap::Parser;
use docker_cli::Invocation;
use serde_json::Value;
use std::fmt::Write;
use std::process::ExitCode;

/// Compare what is recorded with the kernel and the disk, and check all images, layers and blobs.
///
/// Finds what records, kernel and disk say differently of containers, networks and volumes: docs/repair.md has the list. Hashes every blob, compares every layer with what its blob unpacks to, follows every record, and finds what belongs to nothing.
/// Needs as much free space as the largest layers take.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Mend what can be mended: record what is the case, unpack layers again, fetch blobs again, remove what belongs to nothing
    #[arg(long)]
    repair: bool,
    /// Leave out the contents of images, layers and blobs
    #[arg(long)]
    quick: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::run(invocation, "system check", |flags: &Flags| {
        crate::own::report(
            invocation,
            flags.format,
            |client| {
                let request = client.post("/container-runtime/check");
                request.flag("repair", flags.repair).flag("quick", flags.quick)
            },
            text,
            "Clean",
        )
    })
}

fn text(report: &Value) -> String {
    let mut text = String::new();
    let findings = report["Findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    for finding in findings {
        text += &paragraph(finding);
    }
    let _ = write!(
        text,
        "{} containers, {} networks, {} volumes, {} images, {} layers and {} blobs ({} bytes) checked: ",
        report["Containers"],
        report["Networks"],
        report["Volumes"],
        report["Images"],
        report["Layers"],
        report["Blobs"],
        report["Bytes"]
    );
    let mended = findings.iter().filter(|finding| finding["Repaired"] == true).count();
    text += &match (findings.len(), mended) {
        (0, _) => "nothing is wrong.\n".to_owned(),
        (all, 0) => format!("{all} problems.\n"),
        (all, mended) => format!("{all} problems, {mended} repaired.\n"),
    };
    if report["LayersWithoutBlob"] != 0 {
        let _ = writeln!(
            text,
            "{} layers could not be compared: what they were unpacked from is not kept.",
            report["LayersWithoutBlob"]
        );
    }
    text
}

fn paragraph(finding: &Value) -> String {
    let field = |name: &str| finding[name].as_str().unwrap_or_default();
    let images: Vec<&str> =
        finding["Images"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let of = if images.is_empty() { String::new() } else { format!(" (of {})", images.join(", ")) };
    let next = match (finding["Repaired"].as_bool(), finding["Outcome"].as_str()) {
        (Some(true), Some(outcome)) => format!("repaired: {outcome}"),
        (Some(false), Some(outcome)) => format!("not repaired: {outcome}"),
        _ => format!("remedy: {}", field("Remedy")),
    };
    format!("{} {}{of}\n  {}\n  {next}\n", field("Kind"), field("Thing"), field("Problem"))
}
