//! Containers in systemd's scopes.

use crate::{SYSTEMD, UNIFIED, needs};
use std::fs;
use std::process::Command;
use tests::{Run, Settings, TestEngine, wait_until, with_engine, with_engine_of};

/// A property of a unit, as `systemctl show` prints it.
#[track_caller]
fn property(unit: &str, name: &str) -> String {
    Run::of(Command::new("systemctl").args(["show", "--value", "--property", name, unit])).line()
}

fn unit(engine: &TestEngine, name: &str) -> String {
    format!("container-runtime-{}.scope", engine.inspect(name, "{{.Id}}"))
}

/// The directory of a container's cgroup.
#[track_caller]
fn group_of(engine: &TestEngine, name: &str) -> String {
    let pid = engine.inspect(name, "{{.State.Pid}}");
    let group = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    format!("/sys/fs/cgroup{}", group.trim().strip_prefix("0::").unwrap())
}

#[test]
fn a_container_is_a_scope_that_goes_with_it() {
    needs(&[SYSTEMD, UNIFIED]);
    with_engine(|engine| {
        assert_eq!(
            engine.docker(&["info", "--format", "{{.CgroupDriver}} {{.CgroupVersion}}"]).line(),
            "systemd 2"
        );
        let limits = [
            "--memory",
            "64m",
            "--memory-swap",
            "96m",
            "--memory-reservation",
            "32m",
            "--cpus",
            "0.5",
            "--cpuset-cpus",
            "1",
            "--pids-limit",
            "33",
            "--cpu-shares",
            "512",
            "--blkio-weight",
            "300",
            "--device-read-bps",
            "/dev/vda:1mb",
        ];
        engine
            .docker(&[&["run", "-d", "--name", "s1"], &limits[..], &["busybox", "sleep", "600"]].concat())
            .ok();
        let unit = unit(engine, "s1");
        assert_eq!(property(&unit, "ActiveState"), "active");
        assert_eq!(property(&unit, "ControlGroup"), format!("/system.slice/{unit}"));
        assert_eq!(property(&unit, "Delegate"), "yes");
        let status = Run::of(Command::new("systemctl").args(["status", "--no-pager", &unit])).ok();
        assert!(status.contains("sleep 600"), "{status}");
        let tree = Run::of(Command::new("systemd-cgls").arg("--no-pager")).ok();
        assert!(tree.contains(&unit), "{tree}");

        let expected = [
            ("MemoryMax", "67108864"),
            ("MemorySwapMax", "33554432"),
            ("MemoryLow", "33554432"),
            ("TasksMax", "33"),
            ("CPUQuotaPerSecUSec", "500ms"),
            ("AllowedCPUs", "1"),
            ("IOWeight", "2930"),
            ("IOReadBandwidthMax", "/dev/vda 1048576"),
        ];
        // systemd writes everything anew when it reloads: nothing may be lost.
        for reloaded in [false, true] {
            if reloaded {
                Run::of(Command::new("systemctl").arg("daemon-reload")).ok();
            }
            for (name, value) in expected {
                assert_eq!(property(&unit, name), value, "{name}");
            }
            let file = |name: &str| {
                fs::read_to_string(format!("/sys/fs/cgroup/system.slice/{unit}/{name}")).unwrap()
            };
            assert_eq!(file("memory.max").trim(), "67108864");
            assert_eq!(file("cpu.max").trim(), "50000 100000");
            assert_eq!(file("cpuset.cpus").trim(), "1");
            assert_eq!(file("io.weight").lines().next(), Some("default 2930"));
        }
        engine
            .docker(&["update", "--memory", "80m", "--memory-swap", "96m", "--pids-limit", "-1", "s1"])
            .ok();
        assert_eq!(property(&unit, "MemoryMax"), "83886080");
        assert_eq!(property(&unit, "MemorySwapMax"), "16777216");
        assert_eq!(property(&unit, "TasksMax"), "infinity");
        assert_eq!(property(&unit, "AllowedCPUs"), "1");
        engine.docker(&["rm", "-f", "s1"]).ok();
        assert_eq!(property(&unit, "LoadState"), "not-found");
    });
}

#[test]
fn the_kernels_end_of_a_container_is_told_and_leaves_no_failed_unit() {
    needs(&[SYSTEMD, UNIFIED]);
    with_engine(|engine| {
        let script = "x=a; while :; do x=$x$x$x; done";
        let limits = ["--memory", "16m", "--memory-swap", "16m"];
        let run = [&["run", "-d", "--name", "o1"], &limits[..], &["busybox", "sh", "-c", script]].concat();
        for round in 0..5 {
            engine.docker(&run).ok();
            let unit = unit(engine, "o1");
            assert_eq!(engine.docker(&["wait", "o1"]).line(), "137", "round {round}");
            assert_eq!(engine.inspect("o1", "{{.State.OOMKilled}}"), "true", "round {round}");
            engine.docker(&["rm", "o1"]).ok();
            wait_until("the unit's end", || property(&unit, "LoadState") == "not-found");
        }
        let failed =
            Run::of(Command::new("systemctl").args(["list-units", "--failed", "--plain", "--no-legend"]))
                .ok();
        assert!(!failed.contains("container-runtime-"), "{failed}");
    });
}

#[test]
fn slices_are_parents() {
    needs(&[SYSTEMD, UNIFIED]);
    with_engine(|engine| {
        let parent = "--cgroup-parent=tests-inner.slice";
        engine.docker(&["run", "-d", "--name", "p1", parent, "busybox", "sleep", "600"]).ok();
        let group = property(&unit(engine, "p1"), "ControlGroup");
        assert!(group.starts_with("/tests.slice/tests-inner.slice/container-runtime-"), "{group}");
        // A start anew is a scope anew.
        engine.docker(&["restart", "-t", "0", "p1"]).ok();
        assert_eq!(property(&unit(engine, "p1"), "ControlGroup"), group);
        engine.docker(&["pause", "p1"]).ok();
        engine.docker(&["unpause", "p1"]).ok();
        assert_eq!(engine.docker(&["exec", "p1", "echo", "in"]).line(), "in");
        engine.docker(&["rm", "-f", "p1"]).ok();
        let words = "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"";
        engine.docker(&["create", "--cgroup-parent=/a/b", "busybox"]).fails(1, words);
        for runtime in ["runc", "crun"] {
            let run = [
                "run",
                "-d",
                "--name",
                runtime,
                "--runtime",
                runtime,
                "--memory",
                "64m",
                "busybox",
                "sleep",
                "600",
            ];
            engine.docker(&run).ok();
            // crun has a cgroup of its own below the scope.
            let group = group_of(engine, runtime);
            assert!(group.contains(&format!("/system.slice/{}", unit(engine, runtime))), "{group}");
            let limit = fs::read_to_string(format!("{group}/memory.max")).unwrap();
            assert_eq!(limit.trim(), "67108864", "{runtime}");
            engine.docker(&["rm", "-f", runtime]).ok();
        }
        // Slices that were made for a container go with the last; others' are not waited for here.
        Run::of(Command::new("systemctl").args(["stop", "tests.slice"])).ok();
    });
}

#[test]
fn directories_of_our_own_are_an_option() {
    needs(&[SYSTEMD, UNIFIED]);
    let flags = vec!["--cgroup-driver=cgroupfs".to_owned()];
    with_engine_of(Settings { flags, ..Settings::default() }, |engine| {
        assert_eq!(engine.docker(&["info", "--format", "{{.CgroupDriver}}"]).line(), "cgroupfs");
        let run = [
            "run",
            "-d",
            "--name",
            "c1",
            "--memory",
            "64m",
            "--blkio-weight",
            "300",
            "busybox",
            "sleep",
            "600",
        ];
        engine.docker(&run).ok();
        let group = group_of(engine, "c1");
        assert!(group.starts_with("/sys/fs/cgroup/container-runtime-"), "{group}");
        let file = |name: &str| fs::read_to_string(format!("{group}/{name}")).unwrap();
        assert_eq!(file("memory.max").trim(), "67108864");
        assert_eq!(file("io.weight").lines().next(), Some("default 2930"));
        engine.docker(&["rm", "-f", "c1"]).ok();
    });
}
