//! What a test needs from its host; a test that lacks something says what, and does not run.

use std::path::Path;
use std::process::Command;

/// Something that a host may lack.
#[derive(Debug, Clone, Copy)]
pub enum Need<'a> {
    /// To be root.
    Root,
    /// A program in `PATH`.
    Program(&'a str),
    /// A file or directory.
    Path(&'a str),
}

/// What is lacking, in words; `None`: nothing.
pub fn lacks(needs: &[Need<'_>]) -> Option<String> {
    let lacking: Vec<_> = needs.iter().filter(|need| !is_met(**need)).map(|need| words(*need)).collect();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

/// Prints that the running test is skipped, and why.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    assert!(std::env::var_os("TESTS_NO_SKIP").is_none(), "{test} needs {why}");
    eprintln!("SKIPPED {test}: needs {why}");
}

fn is_met(need: Need<'_>) -> bool {
    match need {
        Need::Root => rustix::process::geteuid().is_root(),
        Need::Program(name) => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
        }
        Need::Path(path) => Path::new(path).exists(),
    }
}

fn words(need: Need<'_>) -> String {
    match need {
        Need::Root => "root".to_owned(),
        Need::Program(name) => format!("the program {name} (scripts/setup installs it)"),
        Need::Path(path) => path.to_owned(),
    }
}

/// The docker command line: `DOCKER_CLI`, the one that `scripts/setup` fetched, or the one in `PATH`.
pub(crate) fn docker_cli() -> Command {
    let fetched = crate::fixtures::cache().join("tools/docker");
    match std::env::var_os("DOCKER_CLI") {
        Some(path) => Command::new(path),
        None if fetched.exists() => Command::new(fetched),
        None => Command::new("docker"),
    }
}
