//! `kill -9`: of the daemon at any time, of a shim, of a container's init. Nothing running is disturbed, nothing is
//! misreported, nothing is lost.

use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::{Freezer, Settings, TestEngine, eventually, wait_until, with_private_engine};

fn private(test: impl FnOnce(&TestEngine)) {
    with_private_engine(Settings::default(), test);
}

#[test]
fn containers_outlive_the_daemon_with_state_output_and_exit_code() {
    private(|engine| {
        let count = "i=0; while [ ! -e /tmp/stop ]; do echo $i; i=$((i+1)); sleep 0.01; done; exit 17";
        engine.docker(&["run", "-d", "--name", "counts", "busybox", "sh", "-c", count]).ok();
        engine.docker(&["run", "-d", "--name", "idle", "busybox", "sleep", "600"]).ok();
        engine
            .docker(&["run", "-d", "--name", "short", "busybox", "sh", "-c", "sleep 0.5; echo bye; exit 23"])
            .ok();
        engine.docker(&["run", "--name", "done", "busybox", "sh", "-c", "exit 5"]);
        engine.docker(&["create", "--name", "made", "busybox"]).ok();
        let pid = engine.inspect("counts", "{{.State.Pid}}");
        let started = engine.inspect("counts", "{{.State.StartedAt}}");
        engine.kill_daemon();
        // `short` ends while nobody watches.
        let short = engine.directory().join("state");
        assert!(short.exists());
        std::thread::park_timeout(Duration::from_millis(800));
        engine.restart_daemon(&[]);

        assert_eq!(
            engine.inspect("counts", "{{.State.Pid}} {{.State.StartedAt}}"),
            format!("{pid} {started}")
        );
        assert_eq!(engine.inspect("idle", "{{.State.Status}}"), "running");
        assert_eq!(engine.inspect("short", "{{.State.Status}} {{.State.ExitCode}}"), "exited 23");
        assert_eq!(engine.docker(&["logs", "short"]).ok(), "bye\n");
        assert_eq!(engine.inspect("done", "{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
        assert_eq!(engine.inspect("made", "{{.State.Status}}"), "created");
        engine.docker(&["exec", "counts", "touch", "/tmp/stop"]).ok();
        assert_eq!(engine.docker(&["wait", "counts"]).line(), "17");
        let lines: Vec<_> = engine.docker(&["logs", "counts"]).ok().lines().map(str::to_owned).collect();
        assert!(lines.iter().enumerate().all(|(place, line)| *line == place.to_string()), "{lines:?}");
        engine.docker(&["rm", "-f", "counts", "idle", "short", "done", "made"]).ok();
    });
}

#[test]
fn adopted_containers_can_do_everything() {
    private(|engine| {
        engine
            .docker(&["run", "-di", "--name", "a1", "busybox", "sh", "-c", "read x; echo got-$x; exit 3"])
            .ok();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(engine.docker(&["exec", "a1", "echo", "hi"]).ok(), "hi\n");
        engine.docker(&["pause", "a1"]).ok();
        engine.docker(&["unpause", "a1"]).ok();
        assert!(engine.docker(&["top", "a1"]).ok().contains("got-$x"));
        let mut child = engine
            .docker_command(&["attach", "a1"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"1\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((&*output.stdout, output.status.code()), (&b"got-1\n"[..], Some(3)));
        engine.docker(&["start", "a1"]).ok();
        engine.docker(&["stop", "-t", "0", "a1"]).ok();
        engine.docker(&["rm", "a1"]).ok();
    });
}

#[test]
fn a_killed_shim_is_seen_within_a_second() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "s1", "busybox", "sleep", "600"]).ok();
        let init = engine.inspect("s1", "{{.State.Pid}}");
        let shim = parent_of(&init);
        signal(shim, rustix::process::Signal::KILL);
        let begun = Instant::now();
        let state = eventually("the shim's end to be noticed", || {
            let state = engine.inspect("s1", "{{.State.Status}}");
            (state != "running").then_some(state)
        });
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
        assert_eq!(state, "exited");
        // Told truly: nothing of the container runs on.
        wait_until("the init's end", || !std::path::Path::new(&format!("/proc/{init}")).exists());
        assert_eq!(engine.inspect("s1", "{{.State.ExitCode}}"), "137");
        assert!(!engine.inspect("s1", "{{.State.Error}}").is_empty());
        engine.docker(&["start", "s1"]).ok();
        engine.docker(&["rm", "-f", "s1"]).ok();
    });
}

#[test]
fn a_shim_killed_while_the_daemon_is_down_is_seen_at_its_start() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "s1", "busybox", "sleep", "600"]).ok();
        let shim = parent_of(&engine.inspect("s1", "{{.State.Pid}}"));
        engine.kill_daemon();
        signal(shim, rustix::process::Signal::KILL);
        engine.restart_daemon(&[]);
        eventually("its state", || (engine.inspect("s1", "{{.State.Status}}") != "running").then_some(()));
        engine.docker(&["rm", "-f", "s1"]).ok();
    });
}

#[test]
fn a_clean_shutdown_leaves_containers_running() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "on", "busybox", "sleep", "600"]).ok();
        let pid = engine.inspect("on", "{{.State.Pid}}");
        signal(engine.daemon_pid(), rustix::process::Signal::TERM);
        engine.wait_for_daemons_end();
        assert!(!engine.socket().exists(), "the socket is removed");
        engine.restart_daemon(&[]);
        assert_eq!(engine.inspect("on", "{{.State.Pid}}"), pid);
        engine.docker(&["rm", "-f", "on"]).ok();
    });
}

#[test]
fn restart_policy_always_holds_over_the_daemons_end() {
    private(|engine| {
        engine
            .docker(&["run", "-d", "--name", "always", "--restart", "always", "busybox", "sleep", "600"])
            .ok();
        let pid: u32 = engine.inspect("always", "{{.State.Pid}}").parse().unwrap();
        engine.kill_daemon();
        signal(pid, rustix::process::Signal::KILL);
        engine.restart_daemon(&[]);
        eventually("a new process", || {
            let now = engine.inspect("always", "{{.State.Status}} {{.State.Pid}}");
            (now.starts_with("running ") && now != format!("running {pid}")).then_some(())
        });
        engine.docker(&["rm", "-f", "always"]).ok();
    });
}

#[test]
fn a_pause_that_the_daemon_did_not_live_to_record_is_found_in_the_kernel() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "p1", "busybox", "sleep", "600"]).ok();
        let freezer = Freezer::of(engine.inspect("p1", "{{.State.Pid}}").parse().unwrap());
        for (frozen, state) in [(true, "paused"), (false, "running"), (true, "paused")] {
            engine.kill_daemon();
            freezer.set(frozen);
            engine.restart_daemon(&[]);
            assert_eq!(engine.inspect("p1", "{{.State.Status}}"), state);
        }
        engine.docker(&["exec", "p1", "true"]).fails(1, "is paused");
        engine.docker(&["unpause", "p1"]).ok();
        assert!(!freezer.is_frozen());
        engine.docker(&["exec", "p1", "true"]).ok();
        engine.docker(&["rm", "-f", "p1"]).ok();
    });
}

#[test]
fn a_commit_that_the_daemon_did_not_live_to_end_leaves_nothing_frozen() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "p1", "busybox", "sleep", "600"]).ok();
        let freezer = Freezer::of(engine.inspect("p1", "{{.State.Pid}}").parse().unwrap());
        engine.kill_daemon();
        engine.restart_daemon(&[("CONTAINER_RUNTIME_INJECT", "image.record=1:kill")]);
        assert_ne!(engine.docker(&["commit", "p1", "committed:1"]).code, 0);
        engine.wait_for_daemons_end();
        assert!(freezer.is_frozen());
        engine.restart_daemon(&[]);
        assert!(!freezer.is_frozen());
        assert_eq!(engine.inspect("p1", "{{.State.Status}}"), "running");
        engine.docker(&["commit", "p1", "committed:1"]).ok();
        // A person's pause stays one, though a daemon died in the midst of a commit before it.
        let bundle = engine.directory().join("state/containers").join(engine.inspect("p1", "{{.Id}}"));
        for (pauses, state) in [(false, "running"), (true, "paused"), (false, "paused")] {
            fs::write(bundle.join("thaw"), "").unwrap();
            if pauses {
                engine.docker(&["pause", "p1"]).ok();
            }
            engine.kill_daemon();
            engine.restart_daemon(&[]);
            assert_eq!(engine.inspect("p1", "{{.State.Status}}"), state);
            assert!(!bundle.join("thaw").exists());
        }
        engine.docker(&["rm", "-f", "p1"]).ok();
    });
}

#[test]
fn an_exec_that_ends_while_the_daemon_is_down_costs_its_shim_nothing() {
    private(|engine| {
        engine.docker(&["run", "-d", "--name", "x1", "busybox", "sleep", "600"]).ok();
        let init = engine.inspect("x1", "{{.State.Pid}}");
        let bundle = engine.directory().join("state/containers").join(engine.inspect("x1", "{{.Id}}"));
        let exec = engine.api(
            "POST",
            "/containers/x1/exec",
            Some(&json!({ "Cmd": ["sh", "-c", "while [ ! -e /end ]; do sleep 0.05; done"] })),
        );
        let exec = exec.json()["Id"].as_str().unwrap().to_owned();
        engine.api("POST", &format!("/exec/{exec}/start"), Some(&json!({ "Detach": true })));
        engine.kill_daemon();
        assert!(attach_to_exec(&bundle, &exec).contains("attached"), "it goes on");
        fs::write(format!("/proc/{init}/root/end"), "").unwrap();
        wait_until("the shim to forget it", || {
            attach_to_exec(&bundle, &exec).contains("not found in container")
        });
        engine.restart_daemon(&[]);
        engine.docker(&["exec", "x1", "true"]).ok();
        engine.docker(&["rm", "-f", "x1"]).ok();
    });
}

/// What a shim answers to who attaches.
fn attach_to_exec(bundle: &Path, exec: &str) -> String {
    use std::io::{BufRead, BufReader, Write};
    let directory = fs::File::open(bundle).unwrap();
    let socket = format!("/proc/self/fd/{}/attach.sock", std::os::fd::AsRawFd::as_raw_fd(&directory));
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let hello = json!({ "exec": exec, "stdin": false, "stdout": true, "stderr": true });
    writeln!(stream, "{hello}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

fn parent_of(pid: &str) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    line.trim().parse().unwrap()
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
