//! The program `nft`, which compiles rules.

use crate::{Error, Result};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Has a script carried out as one transaction, and answers what it prints. `table` is for the error.
///
/// # Errors
/// [`Error::NoNft`], [`Error::NoNftables`], [`Error::RunNft`], [`Error::Nft`].
pub(super) fn run(table: &str, script: &str) -> Result<String> {
    run_with(&[], table, script)
}

/// A table (`ip filter`), or everything that there is, each rule with its number, without what sets hold.
///
/// # Errors
/// As [`run`].
pub(super) fn list_with_handles(table: &str, listed: Option<&str>) -> Result<String> {
    let what = listed.map_or_else(|| "ruleset".to_owned(), |listed| format!("table {listed}"));
    run_with(&["-a", "-t"], table, &format!("list {what}\n"))
}

/// A table without what its counters and limits have counted.
///
/// # Errors
/// As [`run`].
pub(super) fn list_stateless(table: &str, listed: &str) -> Result<String> {
    run_with(&["-s"], table, &format!("list table {listed}\n"))
}

/// What the program calls itself: `nftables v1.0.6 (…)`.
///
/// # Errors
/// [`Error::NoNft`], [`Error::RunNft`].
pub fn version() -> Result<String> {
    let program = find_nft().ok_or(Error::NoNft)?;
    let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|cause| Error::RunNft { program: program.clone(), cause })?;
    if !output.status.success() {
        return Err(Error::RunNft { program, cause: io::Error::other(output.status.to_string()) });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run_with(options: &[&str], table: &str, script: &str) -> Result<String> {
    let program = find_nft().ok_or(Error::NoNft)?;
    let output = feed(&program, options, script).map_err(|cause| Error::RunNft { program, cause })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // It has many words for that, by the part that it misses first.
    if let Err(error @ Error::NoNftables) = super::is_there(table) {
        return Err(error);
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let message = printed.lines().next().unwrap_or("nft printed no reason").to_owned();
    Err(Error::Nft { table: table.to_owned(), message })
}

fn feed(program: &Path, options: &[&str], script: &str) -> io::Result<Output> {
    let mut command = Command::new(program);
    command.args(options).args(["-f", "-"]).env_clear();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output()?;
    // A program that fails before it has read everything says more than the broken pipe.
    if output.status.success() {
        written?;
    }
    Ok(output)
}

/// The search path of a service often lacks the directories for administrators.
fn find_nft() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|directory| directory.join("nft"))
        .find(|file| file.is_file())
}
