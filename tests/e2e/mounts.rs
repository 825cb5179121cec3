//! Bind mounts, volumes, tmpfs and the read-only root.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use tests::{Run, TestEngine, with_engine};

#[track_caller]
fn shell(engine: &TestEngine, options: &[&str], script: &str) -> Run {
    engine.docker(&[&["run", "--rm"], options, &["busybox", "sh", "-c", script]].concat())
}

#[test]
fn bind_mounts_share_files_and_can_be_read_only() {
    with_engine(|engine| {
        let directory = engine.directory().join("shared");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("in"), "from host").unwrap();
        let here = directory.to_str().unwrap();
        let said = shell(engine, &["-v", &format!("{here}:/m")], "cat /m/in; echo -n back >/m/out").ok();
        assert_eq!(said, "from host");
        assert_eq!(fs::read_to_string(directory.join("out")).unwrap(), "back");
        shell(engine, &["-v", &format!("{here}:/m:ro")], "echo x >/m/no").fails(1, "Read-only file system");
        let mount = format!("type=bind,source={here}/in,target=/etc/one,readonly");
        assert_eq!(shell(engine, &["--mount", &mount], "cat /etc/one").ok(), "from host");
        let missing = format!("type=bind,source={here}/missing,target=/m");
        shell(engine, &["--mount", &missing], "true").fails(125, "bind source path does not exist");
        // The short form makes the directory.
        shell(engine, &["-v", &format!("{here}/made:/m")], "touch /m/x").ok();
        assert!(directory.join("made/x").exists());
    });
}

#[test]
fn volumes_keep_data_and_begin_with_the_images() {
    with_engine(|engine| {
        shell(engine, &["-v", "test-data:/etc"], "echo kept >/etc/mine").ok();
        let said = shell(engine, &["-v", "test-data:/d"], "cat /d/mine; grep -c web /d/passwd").ok();
        assert_eq!(said, "kept\n1\n");
        shell(engine, &["-v", "test-empty:/etc:nocopy"], "test ! -e /etc/passwd").ok();
        engine.docker(&["run", "-d", "--name", "user", "-v", "test-data:/d", "busybox", "sleep", "600"]).ok();
        engine.docker(&["volume", "rm", "test-data"]).fails(1, "volume is in use");
        let point = engine.inspect("user", "{{(index .Mounts 0).Name}} {{(index .Mounts 0).RW}}");
        assert_eq!(point, "test-data true");
        engine.docker(&["rm", "-f", "user"]).ok();
        let names = engine.docker(&["volume", "ls", "-q", "--filter", "name=test-"]).ok();
        assert_eq!(names, "test-data\ntest-empty\n");
        engine.docker(&["volume", "rm", "test-data", "test-empty"]).ok();
        engine.docker(&["volume", "rm", "test-data"]).fails(1, "no such volume");
    });
}

#[test]
fn anonymous_volumes_go_with_their_container() {
    with_engine(|engine| {
        let count = || engine.docker(&["volume", "ls", "-q"]).ok().lines().count();
        let before = count();
        shell(engine, &["-v", "/data"], "touch /data/x").ok();
        assert_eq!(count(), before);
        engine.docker(&["create", "--name", "v1", "-v", "/data", "busybox"]).ok();
        assert_eq!(count(), before + 1);
        engine.docker(&["rm", "-v", "v1"]).ok();
        assert_eq!(count(), before);
    });
}

#[test]
fn tmpfs_and_a_read_only_root() {
    with_engine(|engine| {
        let said = shell(
            engine,
            &["--tmpfs", "/t:size=1m,mode=700"],
            "stat -c %a /t; df -k /t | tail -1 | awk '{print $2}'",
        )
        .ok();
        assert_eq!(said, "700\n1024\n");
        let mount = ["--mount", "type=tmpfs,target=/t,tmpfs-size=2m"];
        assert_eq!(shell(engine, &mount, "df -k /t | tail -1 | awk '{print $2}'").ok(), "2048\n");
        shell(engine, &["--read-only"], "touch /x").fails(1, "Read-only file system");
        // What a client says takes the place of a default, and of what it said before.
        let options = ["--tmpfs", "/t:exec,size=1m,size=3m"];
        let mount = shell(engine, &options, "grep ' /t ' /proc/mounts").ok();
        assert!(mount.contains("size=3072k") && mount.contains("nosuid"), "{mount}");
        assert!(!mount.contains("noexec"), "{mount}");
        shell(engine, &["--tmpfs", "/t:evil"], "true").fails(125, "invalid tmpfs option \"evil\"");
        shell(engine, &["--read-only", "--tmpfs", "/t"], "touch /t/x /dev/shm/x; echo x >/dev/null").ok();
    });
}

#[test]
fn a_tmpfs_has_the_mode_of_the_directory_it_covers() {
    with_engine(|engine| {
        let mode = |options: &[&str], path: &str| shell(engine, options, &format!("stat -c %a {path}")).ok();
        let kept = mode(&[], "/etc");
        assert_ne!(kept, "1777\n");
        assert_eq!(mode(&["--tmpfs", "/etc"], "/etc"), kept);
        assert_eq!(mode(&["--mount", "type=tmpfs,target=/etc"], "/etc"), kept);
        assert_eq!(mode(&["--tmpfs", "/etc:mode=711"], "/etc"), "711\n");
        assert_eq!(mode(&["--tmpfs", "/made/here"], "/made/here"), "1777\n");
    });
}

#[test]
fn the_engine_writes_hosts_and_resolv_conf() {
    with_engine(|engine| {
        let hosts =
            shell(engine, &["--hostname", "me", "--add-host", "other:10.9.8.7"], "cat /etc/hosts").ok();
        assert!(hosts.contains("10.9.8.7\tother"), "{hosts}");
        assert!(hosts.lines().any(|line| line.ends_with("\tme")), "{hosts}");
        let resolv = shell(
            engine,
            &["--dns", "9.9.9.9", "--dns-search", "x.y", "--dns-option", "ndots:3"],
            "cat /etc/resolv.conf",
        )
        .ok();
        // Which asks the client's server.
        for line in ["nameserver 127.0.0.11", "search x.y", "options ndots:3"] {
            assert!(resolv.contains(line), "{line}: {resolv}");
        }
    });
}

#[test]
fn mistakes_are_named() {
    with_engine(|engine| {
        let fails = |options: &[&str], words: &str| drop(shell(engine, options, "true").fails(125, words));
        fails(&["-v", "relative/path:/m"], "includes invalid characters for a local volume name");
        fails(&["-v", "/tmp:relative"], "invalid mount path: 'relative' mount path must be absolute");
        fails(&["-v", "/tmp:/m:bogus"], "invalid mode: bogus");
        fails(&["-v", "/tmp:/m", "-v", "/etc:/m"], "Duplicate mount point: /m");
        fails(&["--mount", "type=bogus,target=/m"], "");
        fails(&["-v", "/tmp:/"], "invalid");
    });
}

#[test]
fn shared_memory_is_the_other_containers() {
    with_engine(|engine| {
        let script = "echo mine >/dev/shm/mine; sleep 600";
        let first = ["run", "-d", "--name", "first", "--ipc", "shareable", "busybox", "sh", "-c", script];
        engine.docker(&first).ok();
        engine.docker(&["exec", "first", "sh", "-c", "until [ -s /dev/shm/mine ]; do :; done"]).ok();
        let said = shell(engine, &["--ipc", "container:first"], "ls /dev/shm; echo yours >/dev/shm/yours");
        assert_eq!(said.ok(), "mine\n");
        assert_eq!(engine.docker(&["exec", "first", "cat", "/dev/shm/yours"]).ok(), "yours\n");
        engine.docker(&["rm", "-f", "first"]).ok();
    });
}

/// A directory that looks like a host's `/dev`.
fn devices(directory: &Path) {
    for name in ["pts", "shm", "sub"] {
        fs::create_dir_all(directory.join(name)).unwrap();
    }
    for (name, minor) in
        [("null", "1 3"), ("zero", "1 5"), ("tty", "5 0"), ("console", "5 1"), ("ptmx", "5 2")]
    {
        let numbers = minor.split(' ');
        let mut made = Command::new("mknod");
        let made = made.args(["-m", "666"]).arg(directory.join(name)).arg("c").args(numbers).status();
        assert!(made.unwrap().success(), "{name}");
    }
    symlink("/proc/kcore", directory.join("kcore")).unwrap();
    fs::write(directory.join("sub/file"), "the host's").unwrap();
}

/// Every file below the directory, with what would tell of a change.
fn listing(directory: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(directory.join("."));
    files.sort();
    let below: Vec<_> = files
        .iter()
        .filter(|file| file.is_dir() && *file != directory)
        .flat_map(|file| listing(file))
        .collect();
    let lines = files.iter().map(|file| {
        let stat = fs::symlink_metadata(file).unwrap();
        let (changed, nanoseconds) = (stat.ctime(), stat.ctime_nsec());
        format!("{} {:o} {} {changed}.{nanoseconds}", file.display(), stat.mode(), stat.ino())
    });
    lines.chain(below).collect()
}

#[test]
fn a_bound_dev_is_the_hosts_and_stays_as_it_is() {
    with_engine(|engine| {
        let directory = engine.directory().join("dev");
        devices(&directory);
        let before = listing(&directory);
        let bind = format!("{}:/dev", directory.display());
        let script = "ls /dev; cat /dev/sub/file; echo x >/dev/null; head -c 1 /dev/zero | wc -c; \
                      grep -c ' /dev/pts .*devpts' /proc/self/mountinfo; ls /dev/pts; readlink /dev/kcore";
        let names = "console\nkcore\nnull\nptmx\npts\nshm\nsub\ntty\nzero\n";
        let said = format!("{names}the host's1\n1\nptmx\n/proc/kcore\n");
        for options in [&["-v", &bind][..], &["--privileged", "-v", &bind], &["--user", "7", "-v", &bind]] {
            assert_eq!(shell(engine, options, script).ok(), said, "{options:?}");
        }
        let mount = format!("type=bind,source={},target=/dev,readonly", directory.display());
        shell(engine, &["--mount", &mount], "echo x >/dev/null; echo x >/dev/file")
            .fails(1, "Read-only file");
        assert_eq!(
            shell(engine, &["-v", &bind, "-w", "/dev/sub"], "pwd; cat file").ok(),
            "/dev/sub\nthe host's"
        );
        let options = ["-v", &bind, "-v", "/proc/version:/dev/sub/file:ro", "--tmpfs", "/dev/shm"];
        shell(engine, &options, "grep -q Linux /dev/sub/file && echo x >/dev/shm/x").ok();
        assert_eq!(listing(&directory), before);
    });
}

#[test]
fn a_bound_dev_has_terminals_of_the_containers_own() {
    with_engine(|engine| {
        let directory = engine.directory().join("dev");
        devices(&directory);
        let before = listing(&directory);
        let bind = format!("{}:/dev", directory.display());
        let mut pty =
            engine.docker_pty(&["run", "-it", "--rm", "--name", "bound", "-v", &bind, "busybox", "sh"]);
        pty.expect("/ # ");
        pty.send("tty; echo to-$((1 + 1)) >/dev/console\n");
        pty.expect("/dev/pts/0");
        pty.expect("to-2");
        let mut second = engine.docker_pty(&["exec", "-it", "--user", "7", "bound", "sh"]);
        second.expect("/ $ ");
        second.send("tty; exit 5\n");
        second.expect("/dev/pts/1");
        assert_eq!(second.wait().0, 5);
        pty.send("exit 7\n");
        assert_eq!(pty.wait().0, 7);
        assert_eq!(listing(&directory), before);
    });
}
