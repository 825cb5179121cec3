//! Containers whose ids are others on the host (`--userns-remap`).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tests::{Need, Settings, TestEngine, lacks, skip, with_private_engine};

/// First of the host's ids for containers. The user needs no name.
const FIRST: u32 = 1_879_000_000;

fn with_remap(test: impl FnOnce(&TestEngine)) {
    if let Some(lacking) = lacks(&[Need::Path("/etc/subuid"), Need::Path("/etc/subgid")]) {
        return skip(&lacking);
    }
    with_private_engine(settings("4711", &format!("4711:{FIRST}:65536\n")), test);
}

fn settings(user: &str, ranges: &str) -> Settings {
    Settings {
        flags: vec!["--userns-remap".to_owned(), user.to_owned()],
        etc: ["subuid", "subgid"].map(|name| (name.to_owned(), ranges.to_owned())).to_vec(),
        ..Settings::default()
    }
}

#[track_caller]
fn owner(path: impl AsRef<Path>) -> (u32, u32) {
    let stat = fs::symlink_metadata(path).unwrap();
    (stat.uid().wrapping_sub(FIRST), stat.gid().wrapping_sub(FIRST))
}

#[test]
fn root_is_nobody_on_the_host() {
    with_remap(|engine| {
        let map = format!("         0 {FIRST:>10}      65536\n");
        engine.docker(&["run", "-d", "--name", "mapped", "-v", "data:/data", "busybox", "sleep", "600"]).ok();
        let exec = |arguments: &[&str]| engine.docker(&[&["exec"], arguments].concat()).ok();
        assert_eq!(exec(&["mapped", "cat", "/proc/self/uid_map", "/proc/1/uid_map"]), map.repeat(2));
        assert_eq!(exec(&["mapped", "id", "-u"]), "0\n");

        // What it writes belongs to the mapped ids, what the image has to nobody else than before.
        let write = "echo x >/file; echo x >>/etc/passwd; echo x >/data/file";
        exec(&["mapped", "sh", "-c", write]);
        exec(&["-u", "1000:1000", "mapped", "sh", "-c", "echo x >/tmp/file"]);
        let upper = engine.inspect("mapped", "{{.GraphDriver.Data.UpperDir}}");
        let volume = engine.docker(&["volume", "inspect", "-f", "{{.Mountpoint}}", "data"]).line();
        assert_eq!(owner(&upper), (0, 0));
        for file in ["file", "etc/passwd"] {
            assert_eq!(owner(format!("{upper}/{file}")), (0, 0), "{file}");
        }
        assert_eq!(owner(format!("{upper}/tmp/file")), (1000, 1000));
        assert_eq!((owner(&volume), owner(format!("{volume}/file"))), ((0, 0), (0, 0)));
        let lower = engine.inspect("mapped", "{{.GraphDriver.Data.LowerDir}}");
        let image = lower.rsplit(':').next().unwrap();
        assert_eq!(fs::metadata(format!("{image}/etc/passwd")).unwrap().uid(), 0);

        let pid = engine.inspect("mapped", "{{.State.Pid}}");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains(&format!("Uid:\t{FIRST}\t{FIRST}\t")), "{status}");
        let options = engine.docker(&["info", "--format", "{{.SecurityOptions}}"]).line();
        assert!(options.contains("name=userns"), "{options}");
        engine.docker(&["rm", "-f", "mapped"]).ok();
        engine.docker(&["volume", "rm", "data"]).ok();
        for runtime in ["runc", "crun"] {
            if let Some(lacking) = lacks(&[Need::Program(runtime)]) {
                skip(&lacking);
                continue;
            }
            let run =
                ["run", "--rm", "--runtime", runtime, "busybox", "sh", "-c", "cat /proc/self/uid_map; id -u"];
            assert_eq!(engine.docker(&run).ok(), format!("{map}0\n"), "{runtime}");
        }
    });
}

#[test]
fn the_hosts_files_are_the_hosts() {
    with_remap(|engine| {
        let secret = engine.directory().join("secret");
        fs::write(&secret, "for root").unwrap();
        fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        let mount = format!("{}:/secret", secret.display());
        let read = ["run", "--rm", "-v", &mount, "busybox", "cat", "/secret"];
        engine.docker(&read).fails(1, "Permission denied");
        fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(engine.docker(&read).ok(), "for root");
        // The engine's own files are the container's.
        let script = "echo 127.0.0.1 me >>/etc/hosts && grep -c me /etc/hosts; echo err >/dev/stderr; echo out >/dev/stdout";
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "sh", "-c", script]).ok(), "1\nout\n");
        // A volume begins with the image's content, with owners that fit.
        let script = "stat -c %u /b /b/busybox; touch /b/x";
        engine.docker(&["create", "--name", "fills", "-v", "copied:/bin", "busybox"]).ok();
        let run = ["run", "--rm", "-v", "copied:/b", "busybox", "sh", "-c", script];
        assert_eq!(engine.docker(&run).ok(), "0\n0\n");
        engine.docker(&["rm", "fills"]).ok();
        engine.docker(&["volume", "rm", "copied"]).ok();
        // A device is bound, since nobody but the host's root can make one.
        let script = "(: </dev/mine); echo $?";
        let device = ["run", "--rm", "--device", "/dev/full:/dev/mine:r", "busybox", "sh", "-c", script];
        assert_eq!(engine.docker(&device).ok(), "0\n");
        // A bound `/dev` is the host's, with terminals of the container's own.
        let script = "echo x >/dev/null; ls /dev/pts; stat -c %u /dev/ptmx; touch /dev/x 2>&1";
        let bound = ["run", "--rm", "-v", "/dev:/dev:ro", "busybox", "sh", "-c", script];
        let run = engine.docker(&bound);
        assert_eq!(run.stdout, "ptmx\n0\ntouch: /dev/x: Read-only file system\n", "{}", run.stderr);
    });
}

#[test]
fn the_network_is_the_containers_own() {
    with_remap(|engine| {
        let gateway = "ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p'";
        let ping = format!("ping -c 1 -W 5 $({gateway}) >/dev/null && echo reached");
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "sh", "-c", &ping]).ok(), "reached\n");
        let link = "ip link add name br9 type bridge && echo made";
        let run = ["run", "--rm", "--cap-add", "NET_ADMIN", "busybox", "sh", "-c", link];
        assert_eq!(engine.docker(&run).ok(), "made\n");

        // Others join it, and the user namespace with it.
        engine
            .docker(&["run", "-d", "--name", "first", "--ipc", "shareable", "busybox", "sleep", "600"])
            .ok();
        let kinds = "for kind in user net ipc pid; do readlink /proc/self/ns/$kind; done";
        let first = engine.docker(&["exec", "first", "sh", "-c", kinds]).ok();
        let joins = ["--network", "container:first", "--ipc", "container:first", "--pid", "container:first"];
        let joined =
            engine.docker(&[&["run", "--rm"], &joins[..], &["busybox", "sh", "-c", kinds]].concat()).ok();
        assert_eq!(joined, first);
        engine.docker(&["run", "-d", "--name", "hosts", "--userns", "host", "busybox", "sleep", "600"]).ok();
        engine
            .docker(&["run", "--rm", "--network", "container:hosts", "busybox", "true"])
            .fails(125, "it is in another user namespace");
        engine.docker(&["rm", "-f", "first", "hosts"]).ok();
    });
}

#[test]
fn a_container_can_ask_for_the_hosts_ids() {
    with_remap(|engine| {
        let host = ["run", "--rm", "--userns", "host", "--privileged", "-v", "shared:/data", "busybox"];
        let map = engine.docker(&[&host[..], &["cat", "/proc/self/uid_map"]].concat()).ok();
        assert_eq!(map, "         0          0 4294967295\n");
        for (option, words) in [
            (&["--privileged"][..], "privileged mode is incompatible with user namespaces"),
            (
                &["--network", "host"],
                "cannot share the host's network namespace when user namespaces are enabled",
            ),
            (&["--pid", "host"], "cannot share the host PID namespace when user namespaces are enabled"),
        ] {
            engine.docker(&[&["run", "--rm"], option, &["busybox", "true"]].concat()).fails(125, words);
        }
        engine.docker(&["volume", "rm", "shared"]).ok();
    });
}

#[test]
fn containers_outlive_the_daemon_with_their_ids() {
    with_remap(|engine| {
        engine.docker(&["run", "-d", "--name", "stays", "busybox", "sleep", "600"]).ok();
        engine.docker(&["create", "--name", "later", "busybox", "cat", "/proc/self/uid_map"]).ok();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        let map = format!("         0 {FIRST:>10}      65536\n");
        assert_eq!(engine.docker(&["exec", "stays", "cat", "/proc/self/uid_map"]).ok(), map);
        assert_eq!(engine.docker(&["start", "-a", "later"]).ok(), map);
        engine.docker(&["restart", "-t", "0", "stays"]).ok();
        assert_eq!(engine.docker(&["exec", "stays", "cat", "/proc/self/uid_map"]).ok(), map);
        engine.docker(&["rm", "-f", "stays", "later"]).ok();
    });
}

#[test]
fn copies_have_the_containers_ids() {
    with_remap(|engine| {
        let file = engine.directory().join("file");
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::chown(&file, Some(1000), Some(1)).unwrap();
        let file = file.to_str().unwrap();
        engine.docker(&["create", "--name", "mapped", "-v", "copies:/data", "busybox", "sleep", "600"]).ok();
        // Before it runs, where a directory of the image is copied up for it, and while it runs.
        for name in ["before", "while"] {
            engine.docker(&["cp", file, &format!("mapped:/etc/{name}")]).ok();
            engine.docker(&["cp", file, &format!("mapped:/data/{name}")]).ok();
            engine.docker(&["start", "mapped"]).ok();
            let stat = format!("stat -c %u:%g /etc /etc/{name} /data/{name} /etc/passwd");
            let said = engine.docker(&["exec", "mapped", "sh", "-c", &stat]).ok();
            assert_eq!(said, "0:0\n1000:1\n1000:1\n0:0\n", "{name}");
        }
        let upper = engine.inspect("mapped", "{{.GraphDriver.Data.UpperDir}}");
        assert_eq!(
            (owner(format!("{upper}/etc")), owner(format!("{upper}/etc/before"))),
            ((0, 0), (1000, 1))
        );
        for path in ["/etc/while", "/data/before", "/etc/passwd", "/etc/hosts"] {
            let here = engine.directory().join("here");
            engine.cr(&["cp", "-a", &format!("mapped:{path}"), here.to_str().unwrap()]).ok();
            let stat = fs::metadata(&here).unwrap();
            let expected =
                if path.starts_with("/etc/p") || path.ends_with("hosts") { (0, 0) } else { (1000, 1) };
            assert_eq!((stat.uid(), stat.gid()), expected, "{path}");
            fs::remove_file(here).unwrap();
        }
        let export = engine.api_raw("GET", "/containers/mapped/export", None);
        let mut archive = tar::Archive::new(export.body.as_slice());
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let ids = (entry.header().uid().unwrap(), entry.header().gid().unwrap());
            let path = entry.path().unwrap().display().to_string();
            let mine = matches!(path.as_str(), "etc/before" | "etc/while");
            assert_eq!(ids, if mine { (1000, 1) } else { (0, 0) }, "{path}");
        }
        engine.docker(&["rm", "-f", "mapped"]).ok();
        engine.docker(&["volume", "rm", "copies"]).ok();
    });
}
