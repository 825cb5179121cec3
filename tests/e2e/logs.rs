//! `docker logs`: what was printed, in order, selected, and followed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use tests::{Settings, eventually, with_engine, with_private_engine};

#[test]
fn logs_hold_both_streams_and_select() {
    with_engine(|engine| {
        let script = "for i in 1 2 3 4 5; do echo line-$i; done; sleep 0.1; echo problem >&2; sleep 0.1; printf 'no newline'";
        engine.docker(&["run", "--name", "l1", "busybox", "sh", "-c", script]).ok();
        let logs = |options: &[&str]| engine.docker(&[&["logs"], options, &["l1"]].concat());
        let all = logs(&[]);
        assert_eq!(all.stdout, "line-1\nline-2\nline-3\nline-4\nline-5\nno newline");
        assert_eq!(all.stderr, "problem\n");
        let tail = logs(&["--tail", "3"]);
        assert_eq!((tail.stdout.as_str(), tail.stderr.as_str()), ("line-5\nno newline", "problem\n"));
        assert_eq!(logs(&["--tail", "0"]).ok(), "");
        let stamped = logs(&["--timestamps", "--tail", "1"]).ok();
        let (time, text) = stamped.split_once(' ').unwrap();
        assert_eq!(text, "no newline");
        assert_eq!((time.len(), &time[time.len() - 1..]), (30, "Z"), "{time}");
        assert_eq!(logs(&["--since", "1h"]).ok(), all.stdout);
        assert_eq!(logs(&["--until", "1h"]).ok(), "");
        assert_eq!(logs(&["--since", "2100-01-01T00:00:00"]).ok(), "");
        engine.docker(&["rm", "l1"]).ok();
    });
}

#[test]
fn rotated_files_are_compressed_and_read_on() {
    with_private_engine(Settings::default(), |engine| {
        let options = ["max-size=20k", "max-file=5", "compress=true"].map(|option| ["--log-opt", option]);
        let script = "seq 1 1000; while [ ! -e /go ]; do sleep 0.05; done; seq 1001 1010";
        let run = ["run", "-d", "--name", "z1"];
        engine.docker(&[&run[..], &options.concat(), &["busybox", "sh", "-c", script]].concat()).ok();
        let log = std::path::PathBuf::from(engine.inspect("z1", "{{.LogPath}}"));
        let named = |suffix: &str| std::path::PathBuf::from(format!("{}{suffix}", log.display()));
        let rotated = |number: u32| (named(&format!(".{number}")), named(&format!(".{number}.gz")));
        eventually("compressed files in place of the plain ones", || {
            let compressed = |(plain, compressed): (std::path::PathBuf, std::path::PathBuf)| {
                compressed.exists() && !plain.exists()
            };
            (1..=3).all(|number| compressed(rotated(number))).then_some(())
        });
        engine.docker(&["exec", "z1", "touch", "/go"]).ok();
        engine.docker(&["wait", "z1"]).ok();
        let lines: Vec<u32> =
            engine.docker(&["logs", "z1"]).ok().lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(lines, (lines[0]..=1010).collect::<Vec<_>>());
        assert!(lines[0] < 900, "{} is the oldest", lines[0]);
        engine.docker(&["rm", "z1"]).ok();
    });
}

#[test]
fn following_prints_lines_as_they_come_and_ends_with_the_container() {
    with_engine(|engine| {
        let script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo second; echo third";
        engine.docker(&["run", "-d", "--name", "f1", "busybox", "sh", "-c", script]).ok();
        let mut child = engine
            .docker_command(&["logs", "-f", "f1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert_eq!(lines.next().unwrap(), "first");
        engine.docker(&["exec", "f1", "touch", "/tmp/go"]).ok();
        assert_eq!(lines.collect::<Vec<_>>(), ["second", "third"]);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        engine.docker(&["rm", "f1"]).ok();
    });
}

#[test]
fn following_goes_on_through_rotation_and_losing_nothing() {
    // Docker's loses lines here.
    with_private_engine(Settings::default(), |engine| {
        let script = "while [ ! -e /tmp/go ]; do sleep 0.05; done; i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done";
        let options = ["--log-opt", "max-size=20k", "--log-opt", "max-file=50"];
        engine
            .docker(
                &[&["run", "-d", "--name", "r1"][..], &options, &["busybox", "sh", "-c", script]].concat(),
            )
            .ok();
        let mut child = engine
            .docker_command(&["logs", "-f", "r1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        engine.docker(&["exec", "r1", "touch", "/tmp/go"]).ok();
        let numbers: Vec<_> = BufReader::new(stdout).lines().map_while(Result::ok).collect();
        assert!(numbers.iter().enumerate().all(|(place, line)| *line == place.to_string()), "{numbers:?}");
        assert_eq!(numbers.len(), 3000);
        child.wait().unwrap();
        assert_eq!(engine.docker(&["logs", "r1"]).ok().lines().count(), 3000);
        assert_eq!(engine.docker(&["logs", "--tail", "1500", "r1"]).ok().lines().count(), 1500);
        engine.docker(&["rm", "r1"]).ok();
    });
}

#[test]
fn a_long_line_stays_one_line() {
    with_engine(|engine| {
        let script = "dd if=/dev/zero bs=1k count=100 2>/dev/null | tr '\\0' x; echo; echo end";
        engine.docker(&["run", "--name", "w1", "busybox", "sh", "-c", script]).ok();
        let lines: Vec<_> = engine.docker(&["logs", "w1"]).ok().lines().map(str::len).collect();
        assert_eq!(lines, [102_400, 3]);
        engine.docker(&["rm", "w1"]).ok();
    });
}

#[test]
fn restarts_append() {
    with_engine(|engine| {
        engine.docker(&["run", "--name", "a1", "busybox", "echo", "x"]).ok();
        engine.docker(&["start", "a1"]).ok();
        engine.docker(&["wait", "a1"]).ok();
        eventually("two lines", || (engine.docker(&["logs", "a1"]).stdout == "x\nx\n").then_some(()));
        engine.docker(&["rm", "a1"]).ok();
    });
}

#[test]
fn other_drivers_and_bad_options() {
    with_engine(|engine| {
        engine.docker(&["run", "--name", "n1", "--log-driver", "none", "busybox", "echo", "x"]).ok();
        engine.docker(&["logs", "n1"]).fails(1, "configured logging driver does not support reading");
        engine.docker(&["rm", "n1"]).ok();
        let create = |option: &str| engine.docker(&["create", "--log-opt", option, "busybox"]);
        create("bogus=1").fails(1, "unknown log opt 'bogus' for json-file log driver");
        engine
            .docker(&["create", "--log-driver", "bogus", "busybox"])
            .fails(1, "error looking up logging plugin bogus: plugin \"bogus\" not found");
        engine.docker(&["logs", "nobody"]).fails(1, "No such container: nobody");
    });
}

#[test]
fn labels_and_variables_go_with_each_line() {
    with_engine(|engine| {
        let options =
            ["--label", "tier=web", "-e", "STAGE=test", "--log-opt", "labels=tier", "--log-opt", "env=STAGE"];
        engine.docker(&[&["run", "--name", "d1"][..], &options, &["busybox", "echo", "x"]].concat()).ok();
        assert_eq!(engine.docker(&["logs", "--details", "d1"]).ok(), "STAGE=test,tier=web x\n");
        engine.docker(&["rm", "d1"]).ok();
    });
}
