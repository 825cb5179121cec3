//! The end-to-end tests inside the machine, with the programs as built here.

use super::Without;
use super::root::{Init, Root};
use crate::dist;
use crate::run::{output, run};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where programs are put, as `install.sh` does.
const BIN: &str = "/usr/local/bin";

/// Where tests find images.
const FIXTURES: &str = "/root/.cache/container-runtime/fixtures";

const PROGRAMS: [&str; 2] = ["container-runtime", "container-runtime-shim"];

/// Builds both programs and puts them into the root.
pub(super) fn put_programs(root: &Root) -> Result<()> {
    run(dist::cargo().args(["build", "--locked", "-p", PROGRAMS[0], "-p", PROGRAMS[1]]))?;
    let built = dist::target()?.join("debug");
    PROGRAMS.iter().try_for_each(|program| root.put(&built.join(program), &format!("{BIN}/{program}")))
}

/// Builds what is needed, puts it into the root, and returns the command that runs the tests.
pub(super) fn prepare(root: &Root, init: Init, filters: &[String], without: &[Without]) -> Result<String> {
    put_programs(root)?;
    // A machine without systemd can run no test that is about it.
    let suites = if init == Init::Systemd { &["vm", "e2e"][..] } else { &["e2e"] };
    for suite in suites {
        root.put(&test_program(suite)?, &format!("{BIN}/{suite}"))?;
    }
    put_tools(root, init)?;
    let filters = chosen(filters, without);
    let mut script = format!("export CONTAINER_RUNTIME={BIN}/{}; failed=0\n", PROGRAMS[0]);
    if init == Init::Busybox {
        // A tmpfs, as its /tmp is, shows no files with mapped ids before Linux 6.3.
        script.push_str("mkdir -p /srv; export TESTS_DIR=/srv\n");
    }
    for suite in suites {
        // Tests that need a program which the machine lacks say so and are skipped.
        script.push_str(&format!(
            "{suite} --color=never --test-threads=1 --show-output {filters} || failed=$?\n"
        ));
    }
    script.push_str("exit $failed\n");
    Ok(script)
}

/// Words that choose the tests: what a machine is without is what it is for, unless they say otherwise; on others such tests would fail.
fn chosen(filters: &[String], without: &[Without]) -> String {
    let usual = without.iter().map(|without| without.tests().to_owned()).collect();
    let filters = if filters.is_empty() { usual } else { filters.to_vec() };
    let words = filters.iter().map(|filter| super::quoted(filter));
    let others = Without::ALL.iter().filter(|other| !without.contains(other));
    let words = words.chain(others.map(|other| format!("--skip {}", other.tests())));
    words.collect::<Vec<_>>().join(" ")
}

/// What tests call, as far as the host has it.
fn put_tools(root: &Root, init: Init) -> Result<()> {
    let cache = crate::cache()?;
    let fetched = cache.join("tools/docker");
    match fetched.exists() {
        true => root.put(&fetched, "/usr/bin/docker")?,
        false => root.put_program("docker")?,
    }
    put_fixtures(root, &cache.join("fixtures"), FIXTURES)?;
    if init == Init::Systemd {
        for unit in ["container-runtime.service", "container-runtime.socket"] {
            let source = crate::root().join("deploy/systemd").join(unit);
            root.put(&source, &format!("/etc/systemd/system/{unit}"))?;
        }
        return Ok(());
    }
    root.put_program("nft")?;
    // Without one of them, those tests are skipped that need it, and nothing else changes.
    for program in ["apparmor_parser", "ps", "runc", "crun", "bzip2", "xz", "zstd"] {
        if let Err(error) = root.put_program(program) {
            eprintln!("xtask: {error:#}");
        }
    }
    Ok(())
}

/// Images that are there, but for those that somebody is just making.
fn put_fixtures(root: &Root, from: &Path, to: &str) -> Result<()> {
    for entry in from.read_dir().into_iter().flatten() {
        let path = entry?.path();
        let to = format!("{to}/{}", path.file_name().unwrap_or_default().display());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("part" | "lock") => {}
            _ if path.ends_with("fixtures/made") => put_fixtures(root, &path, &to)?,
            _ => root.put(&path, &to)?,
        }
    }
    Ok(())
}

/// A suite of the end-to-end tests, compiled.
fn test_program(suite: &str) -> Result<PathBuf> {
    let mut cargo = dist::cargo();
    cargo.args(["test", "--locked", "-p", "tests", "--test", suite, "--no-run", "--message-format=json"]);
    let messages = output(&mut cargo)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = artifacts
        .filter(|message| message["target"]["name"] == suite)
        .find_map(|message| message["executable"].as_str().map(|path| Path::new(path).to_owned()));
    program.with_context(|| format!("cargo names no test program {suite}"))
}

#[cfg(test)]
mod choice {
    use super::*;

    #[test]
    fn a_machine_that_lacks_something_runs_what_is_for_it() {
        assert_eq!(chosen(&[], &[]), "--skip without_ipv6:: --skip without_nftables::");
        assert_eq!(chosen(&[], &[Without::Ipv6]), "'without_ipv6::' --skip without_nftables::");
        let asked = ["run::".to_owned()];
        assert_eq!(chosen(&asked, &[Without::Nftables]), "'run::' --skip without_ipv6::");
    }
}
