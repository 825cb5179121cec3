//! Resource limits, as the kernel was told them, and what happens at them.

use std::fs;
use std::path::{Path, PathBuf};
use tests::{TestEngine, wait_until, with_engine};

/// A container's cgroup directory, by the kernel's own word, for a v1 controller or for the unified hierarchy.
fn cgroup(engine: &TestEngine, name: &str, controller: &str) -> PathBuf {
    let pid = engine.inspect(name, "{{.State.Pid}}");
    let table = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = |wanted: &str| {
        table.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            fields.next()?.split(',').any(|one| one == wanted).then(|| fields.next())?.map(str::to_owned)
        })
    };
    let (path, root) = match path(controller) {
        Some(path) => (path, format!("/sys/fs/cgroup/{controller}")),
        None => (path("").unwrap(), "/sys/fs/cgroup".to_owned()),
    };
    PathBuf::from(format!("{root}{path}"))
}

/// The first of these files that exists, v1's name before v2's.
#[track_caller]
fn value(directory: &Path, files: [&str; 2]) -> String {
    let text = files.iter().find_map(|file| fs::read_to_string(directory.join(file)).ok());
    text.unwrap_or_else(|| panic!("none of {files:?} in {}", directory.display())).trim().to_owned()
}

#[test]
fn the_kernel_is_told_every_limit() {
    with_engine(|engine| {
        let options = [
            "--memory",
            "64m",
            "--memory-swap",
            "128m",
            "--memory-reservation",
            "32m",
            "--cpus",
            "0.5",
            "--cpu-shares",
            "512",
            "--cpuset-cpus",
            "0",
            "--pids-limit",
            "33",
        ];
        engine
            .docker(&[&["run", "-d", "--name", "l1"], &options[..], &["busybox", "sleep", "600"]].concat())
            .ok();
        let memory = cgroup(engine, "l1", "memory");
        assert_eq!(value(&memory, ["memory.limit_in_bytes", "memory.max"]), "67108864");
        assert_eq!(value(&memory, ["memory.soft_limit_in_bytes", "memory.low"]), "33554432");
        let pids = cgroup(engine, "l1", "pids");
        assert_eq!(value(&pids, ["pids.max", "pids.max"]), "33");
        let cpu = cgroup(engine, "l1", "cpu");
        assert!(["50000", "50000 100000"].contains(&value(&cpu, ["cpu.cfs_quota_us", "cpu.max"]).as_str()));
        let cpuset = cgroup(engine, "l1", "cpuset");
        assert_eq!(value(&cpuset, ["cpuset.cpus", "cpuset.cpus"]), "0");
        assert_eq!(
            engine.inspect("l1", "{{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"),
            "500000000 33"
        );
        engine.docker(&["rm", "-f", "l1"]).ok();
        assert!(!memory.exists(), "{}", memory.display());
    });
}

#[test]
fn memory_that_is_not_there_kills_and_says_so() {
    with_engine(|engine| {
        let script = "x=a; while :; do x=$x$x$x; done";
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "o1",
                "--memory",
                "16m",
                "--memory-swap",
                "16m",
                "busybox",
                "sh",
                "-c",
                script,
            ])
            .ok();
        assert_eq!(engine.docker(&["wait", "o1"]).line(), "137");
        assert_eq!(engine.inspect("o1", "{{.State.OOMKilled}} {{.State.ExitCode}}"), "true 137");
        let events = || {
            engine.docker(&[
                "events",
                "--since",
                "1m",
                "--until",
                "0s",
                "--filter",
                "event=oom",
                "--format",
                "{{.Action}}",
            ])
        };
        wait_until("the event", || events().stdout.contains("oom"));
        engine.docker(&["rm", "o1"]).ok();
    });
}

#[test]
fn the_oom_killer_can_be_switched_off_where_the_kernel_lets() {
    with_engine(|engine| {
        let made =
            engine.docker(&["run", "-d", "--name", "k1", "--oom-kill-disable", "busybox", "sleep", "600"]);
        let control = cgroup(engine, "k1", "memory").join("memory.oom_control");
        if control.exists() {
            let text = fs::read_to_string(&control).unwrap();
            assert!(text.contains("oom_kill_disable 1"), "{text}");
            assert!(
                made.stderr.contains("OOM killer is disabled for the container, but no memory limit"),
                "{made:?}"
            );
        } else {
            assert!(made.stderr.contains("does not support OomKillDisable"), "{made:?}");
        }
        engine.docker(&["rm", "-f", "k1"]).ok();
    });
}

#[test]
fn processes_beyond_the_limit_are_refused() {
    with_engine(|engine| {
        let script = "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; wait";
        let run = engine.docker(&["run", "--rm", "--pids-limit", "5", "busybox", "sh", "-c", script]);
        assert!(run.stderr.contains("can't fork"), "{run:?}");
    });
}

#[test]
fn update_changes_a_running_container() {
    with_engine(|engine| {
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "u1",
                "--memory",
                "64m",
                "--memory-swap",
                "64m",
                "busybox",
                "sleep",
                "600",
            ])
            .ok();
        engine
            .docker(&["update", "--memory", "96m", "--memory-swap", "96m", "--pids-limit", "44", "u1"])
            .ok();
        let memory = cgroup(engine, "u1", "memory");
        wait_until("the new limit", || {
            value(&memory, ["memory.limit_in_bytes", "memory.max"]) == "100663296"
        });
        assert_eq!(value(&cgroup(engine, "u1", "pids"), ["pids.max", "pids.max"]), "44");
        assert_eq!(engine.inspect("u1", "{{.HostConfig.Memory}}"), "100663296");
        engine.docker(&["rm", "-f", "u1"]).ok();
    });
}

#[test]
fn stats_show_what_is_used() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "s1", "busybox", "sh", "-c", "while :; do :; done"]).ok();
        let stats = engine.api("GET", "/v1.47/containers/s1/stats?stream=false&one-shot=true", None).json();
        assert!(stats["memory_stats"]["usage"].as_u64().is_some_and(|usage| usage > 0), "{stats}");
        wait_until("processor time", || {
            let stats =
                engine.api("GET", "/v1.47/containers/s1/stats?stream=false&one-shot=true", None).json();
            stats["cpu_stats"]["cpu_usage"]["total_usage"].as_u64().is_some_and(|usage| usage > 50_000_000)
        });
        assert_eq!(stats["pids_stats"]["current"], 1);
        engine.docker(&["rm", "-f", "s1"]).ok();
    });
}

#[test]
fn impossible_limits_are_refused() {
    with_engine(|engine| {
        let fails = |options: &[&str], words: &str| {
            let run = engine.docker(&[&["create"], options, &["busybox"]].concat());
            run.fails(1, words);
        };
        fails(&["--memory", "1m"], "Minimum memory limit allowed is 6MB");
        fails(
            &["--memory", "64m", "--memory-swap", "32m"],
            "Minimum memoryswap limit should be larger than memory limit",
        );
        fails(&["--cpus", "100000"], "range of CPUs is from 0.01 to");
        fails(
            &["--cpus", "1", "--cpu-quota", "1000"],
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        );
        fails(&["--cpuset-cpus", "4000"], "Requested CPUs are not available");
        fails(&["--cpuset-cpus", "x1"], "Invalid value");
    });
}
