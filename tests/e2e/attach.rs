//! `docker attach` and `docker start -a`: streams of a container that runs already.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use tests::{wait_until, with_engine};

#[test]
fn who_reads_late_holds_nobody_up_and_gets_everything() {
    with_engine(|engine| {
        // Far more than pipes and sockets hold; the container is removed long before it is read.
        let script = "seq 1 1000000; head -c 3000000 /dev/urandom | tee /m/bytes";
        let directory = engine.directory().display().to_string();
        let mount = format!("{directory}:/m");
        let mut child = engine
            .docker_command(&["run", "--rm", "--name", "s1", "-v", &mount, "busybox", "sh", "-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let bytes = engine.directory().join("bytes");
        wait_until("all to be printed", || bytes.metadata().is_ok_and(|file| file.len() == 3_000_000));
        wait_until("its removal", || engine.docker(&["ps", "-aq"]).stdout.is_empty());
        let mut output = Vec::new();
        std::io::Read::read_to_end(child.stdout.as_mut().unwrap(), &mut output).unwrap();
        assert!(child.wait().unwrap().success());
        let mut expected: Vec<u8> = (1..=1_000_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        expected.extend(std::fs::read(bytes).unwrap());
        assert_eq!(output.len(), expected.len());
        assert!(output == expected);
    });
}

#[test]
fn attach_sees_both_streams_from_now_on_and_the_exit_code() {
    with_engine(|engine| {
        let script = "read x; echo out-$x; echo err-$x >&2; exit 6";
        engine.docker(&["create", "-i", "--name", "a1", "busybox", "sh", "-c", script]).ok();
        engine.docker(&["start", "a1"]).ok();
        let mut child = engine
            .docker_command(&["attach", "a1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"word\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(6));
        assert_eq!((&*output.stdout, &*output.stderr), (&b"out-word\n"[..], &b"err-word\n"[..]));
        engine.docker(&["rm", "a1"]).ok();
    });
}

#[test]
fn several_clients_see_the_same_output() {
    with_engine(|engine| {
        engine
            .docker(&[
                "run",
                "-di",
                "--name",
                "b1",
                "busybox",
                "sh",
                "-c",
                "while read x; do echo got-$x; done",
            ])
            .ok();
        let watchers: Vec<_> = (0..3)
            .map(|_| {
                let mut command = engine.docker_command(&["attach", "--no-stdin", "b1"]);
                command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        // Typed again until all three have attached and seen a line.
        let mut typist = engine
            .docker_command(&["attach", "b1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut typing = typist.stdin.take().unwrap();
        let mut readers: Vec<_> = watchers.into_iter().collect();
        for reader in &mut readers {
            let stdout = reader.stdout.take().unwrap();
            let line = std::thread::spawn(move || BufReader::new(stdout).lines().next());
            wait_until("a line", || {
                let _ = typing.write_all(b"1\n");
                line.is_finished()
            });
            assert_eq!(line.join().unwrap().unwrap().unwrap(), "got-1");
        }
        engine.docker(&["rm", "--force", "b1"]).ok();
        for mut client in readers.into_iter().chain([typist]) {
            client.wait().unwrap();
        }
    });
}

#[test]
fn start_attached_prints_and_passes_the_exit_code() {
    with_engine(|engine| {
        engine.docker(&["create", "--name", "c1", "busybox", "sh", "-c", "echo again; exit 4"]).ok();
        for _ in 0..2 {
            let run = engine.docker(&["start", "--attach", "c1"]);
            assert_eq!((run.code, run.stdout.as_str()), (4, "again\n"));
        }
        assert_eq!(engine.docker(&["logs", "c1"]).ok(), "again\nagain\n");
        engine.docker(&["rm", "c1"]).ok();
    });
}

#[test]
fn attach_to_what_does_not_run_is_refused() {
    with_engine(|engine| {
        engine.docker(&["create", "--name", "d1", "busybox"]).ok();
        engine.docker(&["attach", "d1"]).fails(1, "cannot attach to a stopped container, start it first");
        engine.docker(&["rm", "d1"]).ok();
    });
}
