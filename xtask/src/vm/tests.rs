//! The end-to-end tests inside the machine, with the programs as built here.

use super::root::Root;
use crate::dist;
use crate::run::{output, run};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::PathBuf;

/// Builds what is needed, puts it into the root, and returns the command that runs the tests.
pub(super) fn prepare(root: &mut Root, filter: &str) -> Result<String> {
    run(dist::cargo().args([
        "build",
        "--locked",
        "-p",
        "container-runtime",
        "-p",
        "container-runtime-shim",
    ]))?;
    let built = dist::target()?.join("debug");
    for program in ["container-runtime", "container-runtime-shim"] {
        root.put(&built.join(program), &format!("/usr/bin/{program}"))?;
    }
    root.put(&test_program()?, "/usr/bin/e2e")?;
    let cache = crate::cache()?;
    let fetched = cache.join("tools/docker");
    match fetched.exists() {
        true => root.put(&fetched, "/usr/bin/docker")?,
        false => root.put_program("docker")?,
    }
    root.put_program("nft")?;
    // Without it there is no profile in the machine, and nothing else changes.
    if let Err(error) = root.put_program("apparmor_parser") {
        eprintln!("xtask: {error:#}");
    }
    let fixtures = cache.join("fixtures");
    if fixtures.exists() {
        root.put(&fixtures, "/root/.cache/container-runtime/fixtures")?;
    }
    let filter = super::quoted(filter);
    // Tests that need a program which the machine lacks say so and are skipped.
    Ok(format!("CONTAINER_RUNTIME=/usr/bin/container-runtime exec e2e --test-threads=1 {filter}\n"))
}

/// The compiled end-to-end tests.
fn test_program() -> Result<PathBuf> {
    let mut cargo = dist::cargo();
    cargo.args(["test", "--locked", "-p", "tests", "--test", "e2e", "--no-run", "--message-format=json"]);
    let messages = output(&mut cargo)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = artifacts
        .filter(|message| message["target"]["name"] == "e2e")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.context("cargo names no test program e2e")
}
