//! What a container may see and do by default: what it may with Docker, and nothing more.

use tests::{TestEngine, with_engine};

#[track_caller]
fn shell(engine: &TestEngine, options: &[&str], script: &str) -> String {
    engine.docker(&[&["run", "--rm"], options, &["busybox", "sh", "-c", script]].concat()).ok()
}

#[test]
fn capabilities_are_dockers_fourteen() {
    with_engine(|engine| {
        let script = "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | tr '\\t\\n' '  '";
        let set = "00000000a80425fb";
        let expected = format!(
            "CapInh: 0000000000000000 CapPrm: {set} CapEff: {set} CapBnd: {set} CapAmb: 0000000000000000 "
        );
        assert_eq!(shell(engine, &[], script), expected);
        let effective = "grep CapEff /proc/self/status | cut -f2";
        assert_eq!(shell(engine, &["--cap-drop", "ALL"], effective), "0000000000000000\n");
        assert_eq!(
            shell(engine, &["--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"], effective),
            "0000000000000400\n"
        );
        assert_eq!(shell(engine, &["--cap-add", "SYS_PTRACE"], effective), "00000000a80c25fb\n");
        assert_eq!(shell(engine, &["-u", "web"], effective), "0000000000000000\n");
        let bogus = engine.docker(&["run", "--rm", "--cap-add", "BOGUS", "busybox", "true"]);
        bogus.fails(125, "unknown capability: \"CAP_BOGUS\"");
    });
}

#[test]
fn seccomp_filters_and_unknown_calls_do_not_exist() {
    with_engine(|engine| {
        assert_eq!(shell(engine, &[], "grep Seccomp: /proc/self/status | cut -f2"), "2\n");
        assert_eq!(
            shell(
                engine,
                &["--security-opt", "seccomp=unconfined"],
                "grep Seccomp: /proc/self/status | cut -f2"
            ),
            "0\n"
        );
        assert_eq!(shell(engine, &["--privileged"], "grep Seccomp: /proc/self/status | cut -f2"), "0\n");
        // unshare of a user namespace needs a capability by the profile.
        assert_eq!(shell(engine, &[], "unshare -U true 2>/dev/null; echo $?"), "1\n");
        // AppArmor's profile denies every mount, and unsharing makes mounts private.
        let admin = ["--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined"];
        assert_eq!(shell(engine, &admin, "unshare -m true; echo $?"), "0\n");
    });
}

#[test]
fn no_new_privileges_is_an_option() {
    with_engine(|engine| {
        let script = "grep NoNewPrivs /proc/self/status | cut -f2";
        assert_eq!(shell(engine, &[], script), "0\n");
        assert_eq!(shell(engine, &["--security-opt", "no-new-privileges"], script), "1\n");
    });
}

#[test]
fn the_kernels_interfaces_are_masked_or_read_only() {
    with_engine(|engine| {
        let masked = "cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c; ls /proc/acpi /sys/firmware 2>/dev/null | grep -cv ':$'";
        let said = shell(engine, &[], masked);
        assert!(said.starts_with("0\n"), "{said}");
        for path in [
            "/proc/sys/kernel/hostname",
            "/proc/sysrq-trigger",
            "/proc/irq/0/x",
            "/proc/bus/x",
            "/sys/kernel/x",
            "/sys/fs/cgroup/$(cd /sys/fs/cgroup; ls -d pids 2>/dev/null)/cgroup.procs",
        ] {
            let said =
                shell(engine, &[], &format!("(echo x >{path}) 2>/dev/null && echo written || echo refused"));
            assert_eq!(said, "refused\n", "{path}");
        }
        // Privileged sees it all.
        assert_eq!(shell(engine, &["--privileged"], "(echo 1 >/proc/sys/vm/overcommit_memory) 2>/dev/null || cat /proc/sys/kernel/ostype; ls /dev | wc -l | awk '{print ($1 > 20)}'").lines().last(), Some("1"));
    });
}

#[test]
fn devices_are_the_few_that_programs_need() {
    with_engine(|engine| {
        let devices = shell(engine, &[], "ls /dev | tr '\\n' ' '");
        // Where the kernel has /proc/kcore there is a link to it.
        assert_eq!(
            devices.trim_start_matches("core "),
            "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
        );
        let made = engine.docker(&["run", "--rm", "busybox", "sh", "-c", "mknod /tmp/d b 7 0 && cat /tmp/d"]);
        assert_ne!(made.code, 0, "an unlisted device can be opened: {made:?}");
        assert_eq!(
            shell(
                engine,
                &["--device", "/dev/fuse:/dev/mine:r"],
                "(: </dev/mine); echo $?; (: >/dev/mine) 2>/dev/null; echo $?"
            ),
            "0\n1\n"
        );
        // Also where no runtime makes nodes.
        let elsewhere = ["--device", "/dev/fuse:/a/b/fuse:r"];
        assert_eq!(
            shell(engine, &elsewhere, "(: </a/b/fuse); echo $?; (: >/a/b/fuse) 2>/dev/null; echo $?"),
            "0\n1\n"
        );
        let missing = engine.docker(&["run", "--rm", "--device", "/dev/missing", "busybox", "true"]);
        // Docker's command line makes 127 of its engine's words.
        let said = missing.stderr.to_lowercase();
        let why =
            "error gathering device information while adding custom device \"/dev/missing\": no such file";
        assert!([125, 127].contains(&missing.code) && said.contains(why), "{missing:?}");
    });
}

#[test]
fn nothing_of_the_host_leaks_in() {
    with_engine(|engine| {
        // pid 1's descriptors: its streams, and nothing else. Without a pipe, whose end a shell has for a moment.
        assert_eq!(shell(engine, &[], "ls /proc/1/fd; true"), "0\n1\n2\n");
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "ls", "/proc/self/fd"]).ok(), "0\n1\n2\n3\n");
        engine.docker(&["run", "-d", "--name", "fds", "busybox", "sleep", "600"]).ok();
        assert_eq!(engine.docker(&["exec", "fds", "ls", "/proc/1/fd"]).ok(), "0\n1\n2\n");
        assert_eq!(engine.docker(&["exec", "fds", "ls", "/proc/self/fd"]).ok(), "0\n1\n2\n3\n");
        engine.docker(&["rm", "-f", "fds"]).ok();
        let env = engine.docker(&["run", "--rm", "busybox", "env"]).ok();
        let mut names: Vec<_> = env.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "HOSTNAME", "PATH"]);
        // Mounts lead nowhere outside: the old root is gone.
        let mounts = shell(engine, &[], "cut -d' ' -f5 /proc/self/mountinfo | sort | tr '\\n' ' '");
        for mount in mounts.split_whitespace() {
            let known = ["/", "/dev", "/proc", "/sys", "/etc/"].iter().any(|start| {
                mount == *start
                    || mount.starts_with("/dev/")
                    || mount.starts_with("/proc/")
                    || mount.starts_with("/sys/")
                    || mount.starts_with("/etc/")
            });
            assert!(known, "{mount}");
        }
        assert_eq!(
            shell(engine, &[], "ls -a / | grep -c -E '^\\.(old|pivot|dockerenv)' || true").trim().len(),
            1
        );
        assert_eq!(shell(engine, &[], "umask; cat /proc/self/oom_score_adj"), "0022\n0\n");
    });
}

#[test]
fn namespaces_are_the_containers_own_unless_asked() {
    with_engine(|engine| {
        let kinds = ["pid", "ipc", "uts", "mnt", "net"];
        let host: Vec<_> =
            kinds.map(|kind| std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap()).to_vec();
        let inside = shell(engine, &[], "for k in pid ipc uts mnt net; do readlink /proc/self/ns/$k; done");
        for (line, host) in inside.lines().zip(&host) {
            assert_ne!(line, host.to_str().unwrap());
        }
        let options = ["--pid", "host", "--ipc", "host", "--uts", "host"];
        let inside = shell(engine, &options, "for k in pid ipc uts; do readlink /proc/self/ns/$k; done");
        for (line, host) in inside.lines().zip(&host) {
            assert_eq!(line, host.to_str().unwrap());
        }
        engine
            .docker(&["run", "-d", "--name", "first", "--ipc", "shareable", "busybox", "sleep", "600"])
            .ok();
        let joined = shell(
            engine,
            &["--pid", "container:first", "--ipc", "container:first"],
            "ps | grep -c 'sleep 600'",
        );
        assert_ne!(joined, "0\n");
        engine.docker(&["rm", "-f", "first"]).ok();
        shell(engine, &["--cgroupns", "host"], "true");
        engine
            .docker(&["run", "--rm", "--pid", "container:nobody", "busybox", "true"])
            .fails(125, "No such container: nobody");
    });
}

#[test]
fn pid_1_is_the_command_itself() {
    with_engine(|engine| {
        assert_eq!(shell(engine, &[], "echo $$"), "1\n");
        assert_eq!(shell(engine, &[], "echo /proc/[0-9]*"), "/proc/1\n");
    });
}
