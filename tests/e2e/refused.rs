//! Wishes that contradict each other, and containers that the runtime or the kernel refuses: each has its own sentence,
//! and nothing of them stays.

use std::fs;
use std::process::Command;
use tests::{Run, Settings, TestEngine, wait_until, with_engine, with_private_engine};

const IMAGE: [&str; 2] = ["busybox", "true"];

#[test]
fn impossible_pairs_of_flags() {
    with_engine(|engine| {
        for (flags, words) in [
            ("-d --rm --restart always", "onflicting options"),
            ("--memory 64m --memory-swap 32m", "memoryswap limit should be larger than memory limit"),
            ("--memory-swap 64m", "always set the Memory limit"),
            ("--memory 16m --memory-reservation 32m", "can not be less than memory reservation"),
            ("--cpus 1 --cpu-quota 20000", "onflicting options: Nano CPUs and CPU Quota cannot both be set"),
            ("--uts host --hostname x", "onflicting options: hostname and the UTS mode"),
            ("--network container:x --hostname x", "onflicting options: hostname and the network mode"),
            ("-d -a stdout", "onflicting options"),
            ("-v /a:/x -v /b:/x", "Duplicate mount point: /x"),
            ("--mount type=tmpfs,source=/a,target=/x", "field Source must not be specified"),
            ("--mount type=bind,source=/tmp,target=/x,volume-nocopy", "annot mix"),
        ] {
            let runs = both(engine, flags);
            assert!(runs[0].code != 0 && runs[0].code == runs[1].code, "{runs:#?}");
            for run in runs {
                assert!(run.stderr.contains(words), "{words}: {run:#?}");
            }
        }
        assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
    });
}

/// The same by docker's command line and by ours.
fn both(engine: &TestEngine, flags: &str) -> [Run; 2] {
    let words: Vec<&str> = ["run"].into_iter().chain(flags.split(' ')).chain(IMAGE).collect();
    [engine.docker(&words), engine.cr(&words)]
}

#[test]
fn mounts_that_cannot_be_say_why() {
    with_engine(|engine| {
        let here = engine.directory().join("shared");
        fs::create_dir_all(here.join("d")).unwrap();
        fs::write(here.join("f"), "").unwrap();
        let here = here.to_str().unwrap();
        for (flags, code, words) in [
            (format!("-v {here}/f:/tmp"), 125, "not a directory"),
            (format!("-v {here}/d:/etc/passwd"), 125, "not a directory"),
            (format!("-v {here}/f:/etc/passwd/x"), 125, "not a directory"),
            (format!("-v {here}/d:/proc"), 125, "/proc"),
            (format!("-v {here}/d:/proc/nothing"), 127, "/proc/nothing"),
            ("--tmpfs /etc/passwd".to_owned(), 125, "not a directory"),
            ("--tmpfs /t:evil=1".to_owned(), 125, "invalid tmpfs option \"evil\""),
            ("--tmpfs /t:mode=rwx".to_owned(), 125, "mode"),
            (
                "--tmpfs relative".to_owned(),
                125,
                "invalid mount path: 'relative' mount path must be absolute",
            ),
            ("--device /dev/nothing".to_owned(), 127, "adding custom device \"/dev/nothing\": no such file"),
        ] {
            let run = &both(engine, &flags)[0];
            assert!(run.code == code && run.stderr.contains(words), "{run:#?}");
            assert!(!run.stderr.contains("Mount {"), "{run:#?}");
        }
        // A start that failed tells later too.
        engine.docker(&["create", "--name", "c1", "-v", &format!("{here}/f:/tmp"), "busybox"]).ok();
        engine.docker(&["start", "c1"]).fails(1, "not a directory");
        let state = engine.inspect("c1", "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}");
        assert!(state.starts_with("created 127 ") && state.contains("not a directory"), "{state}");
        engine.docker(&["rm", "c1"]).ok();
    });
}

#[test]
fn what_runtime_and_kernel_refuse_leaves_nothing() {
    with_private_engine(Settings::default(), |engine| {
        engine.docker(&["run", "--rm", "busybox", "true"]).ok();
        for (flags, code, words) in [
            // By the kernel: a value that the parameter does not take, one that there is not, a device that is none.
            (&["--sysctl", "net.ipv4.ip_forward=many"][..], 125, "net.ipv4.ip_forward"),
            (&["--sysctl", "net.nothing.here=1"][..], 127, "net.nothing.here"),
            (&["--device", "/etc/passwd:/dev/x"][..], 125, "not a device node"),
            // By libcontainer: no /dev/null to be had, a directory that is none.
            (&["--tmpfs", "/dev"][..], 125, "/dev/null"),
            (&["-w", "/etc/passwd"][..], 125, "not a directory"),
        ] {
            let id_file = engine.directory().join("id");
            let create = [&["create", "--cidfile", id_file.to_str().unwrap()], flags, &IMAGE].concat();
            engine.docker(&create).ok();
            let id = fs::read_to_string(&id_file).unwrap();
            engine.docker(&["start", &id]).fails(1, words);
            let state = engine.inspect(&id, "{{.State.Status}} {{.State.Error}}");
            assert!(state.starts_with("created ") && state.contains(words), "{state}");
            nothing_of(engine, &id);
            engine.docker(&["rm", &id]).ok();
            fs::remove_file(&id_file).unwrap();
            let run = [&["run", "--rm"], flags, &IMAGE].concat();
            engine.docker(&run).fails(code, words);
        }
        assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
        engine.docker(&["run", "--rm", "busybox", "true"]).ok();
    });
}

/// No bundle, mount, cgroup or process of a container.
#[track_caller]
fn nothing_of(engine: &TestEngine, id: &str) {
    let bundle = engine.directory().join("state/containers").join(id);
    wait_until("nothing is left of the container", || {
        !bundle.exists() && !engine.footprint().iter().any(|thing| thing.contains(id))
    });
}

#[test]
fn binds_propagate_only_from_mounts_that_do() {
    with_private_engine(Settings::default(), |engine| {
        let own = engine.directory().join("own");
        fs::create_dir(&own).unwrap();
        let here = own.to_str().unwrap();
        let mount = |arguments: &[&str]| Run::of(Command::new("mount").args(arguments).arg(here)).ok();
        mount(&["-t", "tmpfs", "tmpfs"]);
        mount(&["--make-private"]);
        let run = |mode: &str| {
            engine.docker(&["run", "--rm", "-v", &format!("{here}:/m:{mode}"), "busybox", "true"])
        };
        let shared = run("rshared");
        let slave = run("rslave");
        mount(&["--make-shared"]);
        let after = [run("rshared"), run("rslave"), run("rprivate")];
        Run::of(Command::new("umount").arg(here)).ok();
        fs::remove_dir(&own).unwrap();
        shared.fails(125, &format!("path {here} is mounted on {here} but it is not a shared mount"));
        slave.fails(125, "but it is not a shared or slave mount");
        for run in after {
            run.ok();
        }
    });
}
