//! What records, kernel and disk say differently: each row of docs/repair.md is made by force, named by `system check`, mended by
//! `--repair` or by itself, and nothing else is touched.
//!
//! One row can't be made from outside, an address that is kept for nobody: `crates/services/networks` proves it.

mod containers;
mod networks;
mod themselves;

use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::{Settings, TestEngine, wait_until, with_private_engine};

/// An id that is no container's.
const NOBODY: &str = "abababababababababababababababababababababababababababababababab";

/// Settings of an engine that compares every so many seconds; 0: never.
fn settings(interval: u32) -> Settings {
    Settings { config: format!("runtime:\n  repair_interval: {interval}\n"), ..Settings::default() }
}

/// An engine that mends nothing unasked, with a container `witness` that runs on whatever happens, and `done`, which has ended.
fn with_witness(settings: Settings, test: impl FnOnce(&TestEngine)) {
    with_private_engine(settings, |engine| {
        engine.docker(&["run", "-d", "--name", "witness", "-p", "8088:80", "busybox", "sleep", "600"]).ok();
        engine.docker(&["run", "--name", "done", "busybox", "true"]).ok();
        let pid = engine.inspect("witness", "{{.State.Pid}}");
        // What ended is gone by then.
        wait_until("the check is silent", || engine.cr(&["system", "check", "--quick"]).code == 0);
        test(engine);
        assert_eq!(engine.inspect("witness", "{{.State.Status}} {{.State.Pid}}"), format!("running {pid}"));
        engine.docker(&["exec", "witness", "true"]).ok();
        assert_eq!(engine.docker(&["port", "witness", "80"]).ok(), "0.0.0.0:8088\n[::]:8088\n");
        engine.docker(&["rm", "-f", "witness", "done"]).ok();
    });
}

/// Where the engine's files are.
fn root(engine: &TestEngine, below: &str) -> PathBuf {
    engine.directory().join("root").join(below)
}

fn state(engine: &TestEngine, below: &str) -> PathBuf {
    engine.directory().join("state").join(below)
}

/// The findings of a check, and its exit code.
#[track_caller]
fn check(engine: &TestEngine, flags: &[&str]) -> (Vec<Value>, i32) {
    let run = engine.cr(&[&["system", "check", "--quick", "--format", "json"], flags].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    (report["Findings"].as_array().unwrap().clone(), run.code)
}

/// Whether a check has nothing to say.
#[track_caller]
fn is_silent(engine: &TestEngine) {
    assert_eq!(check(engine, &[]), (Vec::new(), 0));
}

/// Sees the disagreements named, these kinds about these things and no others.
#[track_caller]
fn is_named(engine: &TestEngine, expected: &[(&str, &str)]) {
    let (found, code) = check(engine, &[]);
    assert_eq!(code, 1, "{found:?}");
    assert_eq!(found.len(), expected.len(), "{found:?}");
    let run = engine.cr(&["system", "check", "--quick"]);
    for (kind, thing) in expected {
        let is_it = |one: &Value| {
            one["Kind"] == *kind
                && one["Thing"].as_str().unwrap().contains(thing)
                && one["Repaired"].is_null()
        };
        assert!(found.iter().any(is_it), "{kind} {thing}: {found:?}");
        assert!(run.stdout.contains(&format!("{kind} ")) && run.stdout.contains(thing), "{run:?}");
    }
}

/// Sees them mended by `--repair`, after which a check is silent.
#[track_caller]
fn is_mended(engine: &TestEngine, expected: &[(&str, &str)]) {
    let (mended, code) = check(engine, &["--repair"]);
    assert_eq!((mended.len(), code), (expected.len(), 0), "{mended:?}\n{}", engine.daemon_log());
    assert!(mended.iter().all(|one| one["Repaired"] == true), "{mended:?}");
    let log = engine.daemon_log();
    for (kind, _) in expected {
        assert!(log.contains(&format!("disagreement=\"{kind}\"")), "{kind} in the log:\n{log}");
    }
    is_silent(engine);
}

/// The same, and nothing but what was made is gone.
#[track_caller]
fn named_and_mended(engine: &TestEngine, make: impl FnOnce(), expected: &[(&str, &str)]) {
    let before = settled(engine);
    make();
    is_named(engine, expected);
    is_mended(engine, expected);
    wait_until("all is as before", || footprint(engine) == before);
}

/// What is on the host once nothing of containers that have ended is on its way out.
#[track_caller]
fn settled(engine: &TestEngine) -> Vec<String> {
    const STILL: Duration = Duration::from_millis(500);
    let (mut before, mut since) = (footprint(engine), Instant::now());
    wait_until("nothing goes away any more", || {
        let now = footprint(engine);
        if now != before {
            (before, since) = (now, Instant::now());
        }
        since.elapsed() > STILL
    });
    before
}

/// What is on the host, but for processes: shims that wait for containers come and go.
fn footprint(engine: &TestEngine) -> Vec<String> {
    engine.footprint().into_iter().filter(|line| !line.starts_with("process ")).collect()
}
