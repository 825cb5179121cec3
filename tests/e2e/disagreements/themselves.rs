//! What the engine mends unasked, and what it never tells of: what is in progress.

use super::{NOBODY, check, is_silent, root, settings, with_witness};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use tests::{TestEngine, wait_until};

fn run(engine: &TestEngine, name: &str) -> u32 {
    engine.docker(&["run", "-d", "--name", name, "busybox", "sleep", "600"]).ok();
    engine.inspect(name, "{{.State.Pid}}").parse().unwrap()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
}

fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}

#[track_caller]
fn logs(engine: &TestEngine, kind: &str) {
    let told = format!("disagreement=\"{kind}\"");
    wait_until(&format!("the log tells of {kind}"), || engine.daemon_log().contains(&told));
}

#[test]
fn shim_lost() {
    with_witness(settings(0), |engine| {
        let pid = run(engine, "c1");
        kill(parent_of(pid));
        engine.wait_for_state("c1", "exited");
        logs(engine, "shim-lost");
        wait_until("nothing is left of it", || engine.cr(&["system", "check", "--quick"]).code == 0);
        engine.docker(&["rm", "c1"]).ok();
    });
}

#[test]
fn a_container_that_died_with_its_shim_while_no_daemon_ran() {
    with_witness(settings(0), |engine| {
        let pid = run(engine, "c1");
        engine.kill_daemon();
        kill(parent_of(pid));
        kill(pid);
        engine.restart_daemon(&[]);
        engine.wait_for_state("c1", "exited");
        logs(engine, "container-dead");
        is_silent(engine);
        engine.docker(&["rm", "c1"]).ok();
    });
}

#[test]
fn what_is_safe_is_mended_unasked_and_what_is_not_waits() {
    with_witness(settings(1), |engine| {
        let directory = root(engine, "containers").join(NOBODY);
        fs::create_dir(&directory).unwrap();
        wait_until("the stray directory is gone", || !directory.exists());
        logs(engine, "container-half-removed");

        let done = engine.inspect("done", "{{.Id}}");
        fs::remove_dir_all(root(engine, "layers/c").join(&done)).unwrap();
        let half = root(engine, "containers").join(NOBODY);
        fs::create_dir(&half).unwrap();
        wait_until("the stray directory is gone again", || !half.exists());
        let (found, _) = check(engine, &[]);
        assert_eq!((found.len(), &found[0]["Kind"]), (1, &"container-without-layer".into()), "{found:?}");
        assert_eq!(check(engine, &["--repair"]).1, 0);
    });
}

#[test]
fn what_is_in_progress_is_never_told_of() {
    with_witness(settings(1), |engine| {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..3 {
                let over = &over;
                scope.spawn(move || {
                    let network = format!("n{worker}");
                    while !over.load(Ordering::Relaxed) {
                        let name = format!("w{worker}");
                        engine.docker(&["network", "create", &network]).ok();
                        let run =
                            ["run", "-d", "--name", &name, "--network", &network, "-p", "80", "-v", "/v"];
                        engine.docker(&[&run[..], &["busybox", "sleep", "600"]].concat()).ok();
                        engine.docker(&["run", "--rm", "busybox", "true"]).ok();
                        engine.docker(&["restart", "-t", "0", &name]).ok();
                        engine.docker(&["rm", "-fv", &name]).ok();
                        engine.docker(&["network", "rm", &network]).ok();
                    }
                });
            }
            // The workers end before a check that fails does the test.
            let checked = catch_unwind(AssertUnwindSafe(|| {
                (0..40).flat_map(|_| check(engine, &[]).0).collect::<Vec<_>>()
            }));
            over.store(true, Ordering::Relaxed);
            let findings = checked.unwrap_or_else(|panic| resume_unwind(panic));
            assert_eq!(findings, Vec::<serde_json::Value>::new());
        });
        assert!(!engine.daemon_log().contains("disagreement="), "{}", engine.daemon_log());
    });
}
