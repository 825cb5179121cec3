//! Every step of the engine's verbs fails in turn: the client is told, and nothing is left.

use tests::{Settings, TestEngine, with_private_engine};

/// More steps than any verb has.
const MOST: u64 = 40;

fn with_failing(verb: &str, kind: &str, test: impl Fn(&TestEngine, u64) -> bool) {
    let mut failed = 0;
    for number in 1..=MOST {
        let inject = ("CONTAINER_RUNTIME_INJECT".to_owned(), format!("{verb}={number}:{kind}"));
        let settings = Settings { environment: vec![inject], ..Settings::default() };
        let mut more = false;
        // The leak check comes with the engine's end, for each step anew.
        with_private_engine(settings, |engine| more = test(engine, number));
        if !more {
            break;
        }
        failed += 1;
    }
    assert!(
        failed > 0 || std::env::var_os("TESTS_DOCKER_HOST").is_some(),
        "no step of {verb} can be made to fail"
    );
    eprint_steps(verb, kind, failed);
}

#[expect(clippy::print_stderr, reason = "tells how much the test covered")]
fn eprint_steps(verb: &str, kind: &str, failed: u64) {
    eprintln!("{verb}: {failed} steps made to fail ({kind})");
}

#[test]
fn each_step_of_create_fails_cleanly() {
    with_failing("container.create", "error", |engine, number| {
        let before = engine.footprint();
        let run = engine.docker(&["create", "--name", "x1", "-v", "/data", "busybox", "true"]);
        if run.code == 0 {
            return false;
        }
        assert!(run.stderr.contains("injected"), "step {number}: {run:?}");
        assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "", "step {number}");
        assert_eq!(engine.docker(&["volume", "ls", "-q"]).ok(), "", "step {number}");
        settles(engine, &before, number);
        // The same again succeeds: only the n-th step ever fails.
        engine.docker(&["create", "--name", "x1", "busybox", "true"]).ok();
        true
    });
}

#[test]
fn each_step_of_start_fails_cleanly() {
    with_failing("container.start", "error", |engine, number| {
        engine.docker(&["create", "--name", "x1", "busybox", "true"]).ok();
        let before = engine.footprint();
        let run = engine.docker(&["start", "x1"]);
        if run.code == 0 {
            return false;
        }
        assert!(run.stderr.contains("injected"), "step {number}: {run:?}");
        assert_ne!(engine.inspect("x1", "{{.State.Status}}"), "running", "step {number}");
        settles(engine, &before, number);
        engine.docker(&["start", "x1"]).ok();
        true
    });
}

#[test]
fn who_waits_for_a_removal_is_told_that_it_failed() {
    let inject = ("CONTAINER_RUNTIME_INJECT".to_owned(), "container.remove=1:error".to_owned());
    with_private_engine(Settings { environment: vec![inject], ..Settings::default() }, |engine| {
        let run = engine.docker(&["run", "--rm", "--name", "x1", "busybox", "sh", "-c", "exit 3"]);
        assert!(run.stderr.contains("injected"), "{run:?}");
        assert_eq!(engine.inspect("x1", "{{.State.Status}} {{.State.ExitCode}}"), "exited 3");
        engine.docker(&["rm", "x1"]).ok();
    });
}

#[test]
fn the_daemon_dies_at_each_step_of_a_run() {
    for verb in ["container.create", "container.start"] {
        with_failing(verb, "kill", |engine, number| {
            let run = engine.docker(&["run", "--name", "x1", "busybox", "true"]);
            if run.code == 0 {
                return false;
            }
            engine.wait_for_daemons_end();
            engine.restart_daemon(&[]);
            engine.docker(&["rm", "-f", "x1"]);
            assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "", "step {number}");
            engine.docker(&["run", "--rm", "--name", "x1", "busybox", "true"]).ok();
            true
        });
    }
}

#[test]
fn the_daemon_dies_at_each_step_of_a_removal() {
    with_failing("container.remove", "kill", |engine, number| {
        engine.docker(&["run", "--name", "x1", "busybox", "true"]).ok();
        if engine.docker(&["rm", "x1"]).code == 0 {
            return false;
        }
        engine.wait_for_daemons_end();
        engine.restart_daemon(&[]);
        // It is there, and whole, or nothing of it is.
        if !engine.docker(&["ps", "-aq"]).ok().is_empty() {
            engine.docker(&["start", "-a", "x1"]).ok();
            engine.docker(&["rm", "x1"]).ok();
        }
        let containers = std::fs::read_dir(engine.directory().join("root/containers")).unwrap().count();
        assert_eq!(containers, 0, "step {number}");
        engine.docker(&["run", "--rm", "--name", "x1", "busybox", "true"]).ok();
        true
    });
}

#[track_caller]
fn settles(engine: &TestEngine, before: &[String], number: u64) {
    // Pools (namespaces, shims made ahead) may refill meanwhile: what counts is what a container has.
    let left = || {
        let added =
            engine.footprint().into_iter().filter(|thing| !before.contains(thing) && of_a_container(thing));
        added.collect::<Vec<_>>()
    };
    for _ in 0..500 {
        if left().is_empty() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("step {number} leaves {:#?}", left());
}

/// The engine's own parent cgroup stays, and so do the namespaces it made ahead.
fn of_a_container(thing: &str) -> bool {
    let parent =
        |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with("container-runtime"));
    match thing.strip_prefix("cgroup ") {
        Some(path) => !parent(path),
        None => thing.starts_with("mount ") && !thing.contains("/netns/"),
    }
}
