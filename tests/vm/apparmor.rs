//! The default AppArmor profile, and others by name.

use crate::{APPARMOR, needs};
use std::fs;
use std::process::Command;
use tests::{Run, TestEngine, with_engine};

const DEFAULT: &str = "container-runtime-default";

/// Which profile the container's first process has.
#[track_caller]
fn profile(engine: &TestEngine, options: &[&str]) -> String {
    let show = ["busybox", "cat", "/proc/self/attr/current"];
    engine.docker(&[&["run", "--rm"], options, &show].concat()).line()
}

fn loaded(profile: &str) -> usize {
    let list = fs::read_to_string(APPARMOR).unwrap();
    list.lines().filter(|line| line.split(" (").next() == Some(profile)).count()
}

#[test]
fn containers_have_the_default_profile() {
    needs(&[APPARMOR]);
    with_engine(|engine| {
        let options = engine.docker(&["info", "--format", "{{.SecurityOptions}}"]).line();
        assert!(options.contains("name=apparmor"), "{options}");
        assert_eq!(loaded(DEFAULT), 1);
        let enforced = format!("{DEFAULT} (enforce)");
        assert_eq!(profile(engine, &[]), enforced);
        assert_eq!(profile(engine, &["--security-opt", "apparmor=docker-default"]), enforced);
        assert_eq!(profile(engine, &["--security-opt", "apparmor=unconfined"]), "unconfined");
        assert_eq!(profile(engine, &["--privileged"]), "unconfined");

        engine.docker(&["run", "-d", "--name", "a1", "busybox", "sleep", "600"]).ok();
        assert_eq!(engine.inspect("a1", "{{.AppArmorProfile}}"), DEFAULT);
        let exec = |options: &[&str]| {
            let show = ["a1", "cat", "/proc/self/attr/current"];
            engine.docker(&[&["exec"], options, &show].concat()).line()
        };
        assert_eq!(exec(&[]), enforced);
        assert_eq!(exec(&["--user", "web"]), enforced);
        // The engine's signals pass.
        engine.docker(&["stop", "-t", "1", "a1"]).ok();
        engine.docker(&["rm", "a1"]).ok();
    });
}

#[test]
fn what_the_profile_denies_is_denied() {
    needs(&[APPARMOR]);
    with_engine(|engine| {
        // With the capability and without seccomp, so that nothing but the profile stands in the way.
        let options = ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"];
        let unconfined =
            ["--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined"];
        let attempts = [
            ("mount -t tmpfs none /mnt", true),
            ("mount --bind /etc /mnt", true),
            ("echo vm >/proc/sys/kernel/hostname", true),
            ("echo 1 >/proc/sysrq-trigger", false),
            ("echo x >/tmp/file", false),
        ];
        let script = |attempt: &str| format!("mkdir -p /mnt; ({attempt}) 2>&1 && echo done");
        for (attempt, works_without) in attempts {
            let run = |more: &[&str]| {
                let script = script(attempt);
                let command = ["busybox", "sh", "-c", &script];
                engine.docker(&[&["run", "--rm"], &options[..], more, &command].concat()).stdout
            };
            let confined = run(&["--security-opt", "systempaths=unconfined"]);
            if attempt.contains("/tmp") {
                assert_eq!(confined, "done\n");
            } else {
                assert!(confined.contains("ermission denied"), "{attempt}: {confined}");
            }
            if works_without {
                assert_eq!(run(&unconfined), "done\n", "{attempt}");
            }
        }
    });
}

#[test]
fn profiles_by_name_have_to_be_there() {
    needs(&[APPARMOR]);
    with_engine(|engine| {
        let named = ["--security-opt", "apparmor=tests-named"];
        let missing = engine.docker(&[&["run", "--rm"], &named[..], &["busybox", "true"]].concat());
        missing.fails(125, "AppArmor profile tests-named is not loaded");
        let text = "profile tests-named flags=(attach_disconnected) { file, deny /secret rw, }\n";
        let file = engine.directory().join("profile");
        fs::write(&file, text).unwrap();
        Run::of(Command::new("apparmor_parser").arg("--replace").arg(&file)).ok();
        assert_eq!(profile(engine, &named), "tests-named (enforce)");
        let write = ["busybox", "sh", "-c", "echo x >/secret"];
        let denied = engine.docker(&[&["run", "--rm"], &named[..], &write].concat());
        denied.fails(1, "ermission denied");
        Run::of(Command::new("apparmor_parser").arg("--remove").arg(&file)).ok();
    });
}

#[test]
fn the_profile_stays_over_restarts() {
    needs(&[APPARMOR]);
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "stays", "busybox", "sleep", "600"]).ok();
        for _ in 0..2 {
            engine.kill_daemon();
            engine.restart_daemon(&[]);
            assert_eq!(loaded(DEFAULT), 1);
            assert_eq!(
                engine.docker(&["exec", "stays", "cat", "/proc/1/attr/current"]).line(),
                format!("{DEFAULT} (enforce)")
            );
        }
        // Taken away by somebody: it is loaded again, for those who start after that.
        let text = format!("profile {DEFAULT} {{ }}\n");
        let file = engine.directory().join("profile");
        fs::write(&file, text).unwrap();
        engine.docker(&["rm", "-f", "stays"]).ok();
        engine.kill_daemon();
        Run::of(Command::new("apparmor_parser").arg("--remove").arg(&file)).ok();
        assert_eq!(loaded(DEFAULT), 0);
        engine.restart_daemon(&[]);
        assert_eq!(loaded(DEFAULT), 1);
        assert_eq!(profile(engine, &[]), format!("{DEFAULT} (enforce)"));
    });
}
