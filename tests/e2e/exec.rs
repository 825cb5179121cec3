//! `docker exec`: further processes in a running container.

use std::io::Write;
use std::process::Stdio;
use tests::{TestEngine, wait_until, with_engine};

fn with_sleeper(test: impl FnOnce(&TestEngine)) {
    with_engine(|engine| {
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "s1",
                "-e",
                "OF=container",
                "-w",
                "/tmp",
                "busybox",
                "sleep",
                "600",
            ])
            .ok();
        test(engine);
        engine.docker(&["rm", "--force", "s1"]).ok();
    });
}

#[test]
fn exec_prints_and_passes_the_exit_code() {
    with_sleeper(|engine| {
        let run = engine.docker(&["exec", "s1", "sh", "-c", "echo out; echo err >&2; exit 12"]);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (12, "out\n", "err\n"));
        assert_eq!(engine.docker(&["exec", "s1", "sh", "-c", "kill -9 $$"]).code, 137);
    });
}

#[test]
fn exec_says_126_and_127_and_the_container_goes_on() {
    with_sleeper(|engine| {
        engine.docker(&["exec", "s1", "/etc/passwd"]).fails_saying(126, "permission denied");
        engine.docker(&["exec", "s1", "no-such"]).fails_saying(127, "executable file not found in $PATH");
        engine.docker(&["exec", "-w", "/no/dir", "s1", "true"]).fails_saying(127, "/no/dir");
        engine.docker(&["exec", "-w", "/etc/passwd", "s1", "true"]).fails_saying(127, "not a directory");
        engine.docker(&["exec", "-w", "etc", "s1", "true"]).fails_saying(128, "Cwd must be an absolute path");
        engine
            .docker(&["exec", "s1", ""])
            .fails_saying(127, "exec: \"\": executable file not found in $PATH");
        // Told before there is an exec.
        engine
            .docker(&["exec", "-u", "nobody-at-all", "s1", "true"])
            .fails(1, "unable to find user nobody-at-all");
        engine.docker(&["exec", "-u", "0:nothing", "s1", "true"]).fails(1, "unable to find group nothing");
        assert_eq!(engine.inspect("s1", "{{.State.Running}}"), "true");
    });
}

#[test]
fn exec_takes_environment_directory_and_user() {
    with_sleeper(|engine| {
        let shell = |options: &[&str], script: &str| {
            engine.docker(&[&["exec"], options, &["s1", "sh", "-c", script]].concat()).ok()
        };
        assert_eq!(shell(&["-e", "A=1"], "echo $OF $A; pwd"), "container 1\n/tmp\n");
        assert_eq!(shell(&["-w", "/etc", "-u", "web"], "pwd; id -un; id -G"), "/etc\nweb\n1000 29\n");
        assert_eq!(shell(&["-u", "55:66"], "id -u; id -g"), "55\n66\n");
        let capabilities = "grep CapEff /proc/self/status | cut -f2";
        assert_eq!(shell(&[], capabilities), "00000000a80425fb\n");
        assert_ne!(shell(&["--privileged"], capabilities), "00000000a80425fb\n");
    });
}

#[test]
fn exec_reads_standard_input() {
    with_sleeper(|engine| {
        let mut child = engine
            .docker_command(&["exec", "-i", "s1", "wc", "-c"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&vec![0; 1 << 20]).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"1048576\n");
    });
}

#[test]
fn detached_exec_returns_at_once_and_runs() {
    with_sleeper(|engine| {
        assert_eq!(engine.docker(&["exec", "-d", "s1", "touch", "/tmp/done"]).ok(), "");
        wait_until("the file", || engine.docker(&["exec", "s1", "test", "-e", "/tmp/done"]).code == 0);
    });
}

#[test]
fn many_execs_at_once_each_have_their_output_and_exit_code() {
    with_sleeper(|engine| {
        std::thread::scope(|scope| {
            let exec = |number: u8| {
                let script = format!("echo out {number}; echo err {number} >&2; exit {number}");
                engine.docker(&["exec", "s1", "sh", "-c", &script])
            };
            let runs: Vec<_> = (1..=60).map(|number| (number, scope.spawn(move || exec(number)))).collect();
            for (number, run) in runs {
                let run = run.join().unwrap();
                let expected = (i32::from(number), format!("out {number}\n"), format!("err {number}\n"));
                assert_eq!((run.code, run.stdout, run.stderr), expected);
            }
        });
        assert_eq!(engine.inspect("s1", "{{.State.Running}}"), "true");
    });
}

#[test]
fn exec_needs_a_running_container() {
    with_engine(|engine| {
        let id = engine.docker(&["create", "--name", "c1", "busybox"]).line();
        engine.docker(&["exec", "c1", "true"]).fails(1, &format!("container {id} is not running"));
        engine.docker(&["exec", "nobody", "true"]).fails(1, "No such container: nobody");
        engine.docker(&["run", "-d", "--name", "p1", "busybox", "sleep", "600"]).ok();
        engine.docker(&["pause", "p1"]).ok();
        engine.docker(&["exec", "p1", "true"]).fails(1, "is paused, unpause the container before exec");
        engine.docker(&["rm", "--force", "c1", "p1"]).ok();
    });
}
