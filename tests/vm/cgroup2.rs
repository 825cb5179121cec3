//! Limits on cgroup v2 that cgroup v1 has in another form, or that need a disk of the test's own.

use crate::{UNIFIED, needs};
use std::fs;
use tests::{Settings, TestEngine, with_engine, with_engine_of};

/// With both makers of cgroups, where there are both.
fn with_each_driver(test: impl Fn(&TestEngine)) {
    needs(&[UNIFIED]);
    with_engine(&test);
    let flags = vec!["--cgroup-driver=cgroupfs".to_owned()];
    with_engine_of(Settings { flags, ..Settings::default() }, &test);
}

/// A file of the container's cgroup.
#[track_caller]
fn file(engine: &TestEngine, container: &str, name: &str) -> String {
    let pid = engine.inspect(container, "{{.State.Pid}}");
    let group = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = format!("/sys/fs/cgroup{}/{name}", group.trim().strip_prefix("0::").unwrap());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).trim().to_owned()
}

#[test]
fn every_limit_is_in_its_file() {
    with_each_driver(|engine| {
        let limits = [
            "--memory",
            "64m",
            "--memory-swap",
            "96m",
            "--memory-reservation",
            "32m",
            "--cpu-period",
            "50000",
            "--cpu-quota",
            "20000",
            "--cpu-shares",
            "2048",
            "--cpuset-cpus",
            "0-1",
            "--cpuset-mems",
            "0",
            "--pids-limit",
            "9",
            "--blkio-weight",
            "1000",
            "--device-read-bps",
            "/dev/vda:2mb",
            "--device-write-bps",
            "/dev/vda:1mb",
            "--device-read-iops",
            "/dev/vda:50",
            "--device-write-iops",
            "/dev/vda:40",
        ];
        engine
            .docker(&[&["run", "-d", "--name", "l1"], &limits[..], &["busybox", "sleep", "600"]].concat())
            .ok();
        for (name, expected) in [
            ("memory.max", "67108864"),
            ("memory.swap.max", "33554432"),
            ("memory.low", "33554432"),
            ("cpu.max", "20000 50000"),
            ("cpuset.cpus", "0-1"),
            ("cpuset.mems", "0"),
            ("pids.max", "9"),
            ("io.weight", "default 10000"),
        ] {
            assert_eq!(file(engine, "l1", name), expected, "{name}");
        }
        // 1024 shares are the usual weight of 100.
        let weight: u32 = file(engine, "l1", "cpu.weight").parse().unwrap();
        assert!((101..=300).contains(&weight), "{weight}");
        let io = file(engine, "l1", "io.max");
        assert!(io.ends_with("rbps=2097152 wbps=1048576 riops=50 wiops=40"), "{io}");
        engine.docker(&["rm", "-f", "l1"]).ok();
        engine.docker(&["run", "-d", "--name", "free", "busybox", "sleep", "600"]).ok();
        for name in ["memory.max", "memory.swap.max", "pids.max"] {
            assert_eq!(file(engine, "free", name), "max", "{name}");
        }
        engine.docker(&["rm", "-f", "free"]).ok();
    });
}

#[test]
fn memory_that_is_not_there_kills_and_says_so() {
    with_each_driver(|engine| {
        let script = "x=a; while :; do x=$x$x$x; done";
        let limits = ["--memory", "16m", "--memory-swap", "16m"];
        let run = [&["run", "--name", "o1"], &limits[..], &["busybox", "sh", "-c", script]].concat();
        assert_eq!(engine.docker(&run).code, 137);
        assert_eq!(engine.inspect("o1", "{{.State.OOMKilled}} {{.State.ExitCode}}"), "true 137");
        let events =
            ["events", "--since", "2m", "--until", "0s", "--filter", "event=oom", "--format", "{{.Action}}"];
        tests::wait_until("the event", || engine.docker(&events).stdout.contains("oom"));
        engine.docker(&["rm", "o1"]).ok();
        // A child's end is told while the container goes on.
        let script = format!("(sh -c '{script}'); echo $?; sleep 600");
        engine
            .docker(
                &[&["run", "-d", "--name", "c1"], &limits[..], &["busybox", "sh", "-c", &script]].concat(),
            )
            .ok();
        tests::wait_until("the child's end", || engine.docker(&["logs", "c1"]).stdout.contains("137"));
        let events = [&events[..], &["--filter", "container=c1"]].concat();
        tests::wait_until("the event", || engine.docker(&events).stdout.contains("oom"));
        assert_eq!(engine.inspect("c1", "{{.State.Running}}"), "true");
        engine.docker(&["rm", "-f", "c1"]).ok();
    });
}

#[test]
fn devices_are_guarded_by_a_program() {
    with_each_driver(|engine| {
        // The node is there, the program in the kernel refuses.
        let make = "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk >/dev/null";
        let shell = |options: &[&str], script: &str| {
            engine.docker(&[&["run", "--rm"], options, &["busybox", "sh", "-c", script]].concat())
        };
        shell(&[], make).fails(1, "Operation not permitted");
        shell(&["--device-cgroup-rule", "b 254:* rm"], make).ok();
        let write = "mknod /tmp/disk b 254 0 && (: >>/tmp/disk)";
        shell(&["--device-cgroup-rule", "b 254:* rm"], write).fails(1, "Operation not permitted");
        shell(&["--device", "/dev/vda:/dev/disk:r"], "head -c 1 /dev/disk >/dev/null && echo read").ok();
        shell(&["--privileged"], "head -c 1 /dev/vda >/dev/null").ok();
        shell(&[], "head -c 1 /dev/zero >/dev/null && : >/dev/null && head -c 1 /dev/urandom >/dev/null")
            .ok();
    });
}

#[test]
fn an_exec_joins_an_init_that_has_gone_below() {
    with_each_driver(|engine| {
        let run = ["run", "-d", "--privileged", "--cgroupns", "private", "--name", "n1"];
        engine.docker(&[&run[..], &["busybox", "sleep", "600"]].concat()).ok();
        // As systemd and daemons of containers do: no process may be in a cgroup that gives its controllers away.
        let script = "cd /sys/fs/cgroup && mkdir init other && echo 1 >init/cgroup.procs && \
                      echo $$ >init/cgroup.procs && echo +memory >cgroup.subtree_control && cat /proc/1/cgroup";
        assert_eq!(engine.docker(&["exec", "n1", "sh", "-c", script]).ok(), "0::/init\n");
        assert_eq!(engine.docker(&["exec", "n1", "cat", "/proc/self/cgroup"]).ok(), "0::/init\n");
        engine.docker(&["rm", "-f", "n1"]).ok();
    });
}
