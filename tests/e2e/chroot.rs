//! An engine whose own root is a chroot: a mere directory, not the root of a mount.

use tests::{Settings, with_private_engine};

#[test]
fn an_engine_in_a_chroot_runs_containers_and_joins_them() {
    with_private_engine(Settings { chroot: true, ..Settings::default() }, |engine| {
        let root = engine.docker(&["run", "--rm", "busybox", "ls", "/"]).ok();
        assert!(root.contains("bin\n") && !root.contains("boot\n"), "{root}");
        engine.docker(&["run", "-d", "--name", "box", "busybox", "sleep", "600"]).ok();
        let exec = |command: &[&str]| engine.docker(&[&["exec", "box"], command].concat()).ok();
        assert_eq!(exec(&["ls", "/"]), root);
        // Nothing of the host lies behind the container's root, nor of the chroot.
        assert_eq!(exec(&["sh", "-c", "awk '{ print $5 }' /proc/self/mountinfo | grep -c '^/$'"]), "1\n");
        assert_eq!(exec(&["readlink", "/proc/1/root"]), "/\n");
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(exec(&["echo", "still here"]), "still here\n");
        engine.docker(&["rm", "--force", "box"]).ok();
    });
}

#[test]
fn an_engine_in_a_chroot_copies_files() {
    with_private_engine(Settings { chroot: true, ..Settings::default() }, |engine| {
        let file = engine.directory().join("file");
        std::fs::write(&file, "mine").unwrap();
        let file = file.to_str().unwrap();
        engine.docker(&["create", "--name", "box", "-v", "copied:/data", "busybox", "sleep", "600"]).ok();
        for name in ["before", "while"] {
            for directory in ["/tmp", "/data"] {
                engine.docker(&["cp", file, &format!("box:{directory}/{name}")]).ok();
                let back = engine.docker(&["cp", &format!("box:{directory}/{name}"), "-"]).ok();
                assert!(back.contains("mine"), "{directory}/{name}");
            }
            engine.docker(&["start", "box"]).ok();
            let said =
                engine.docker(&["exec", "box", "cat", &format!("/tmp/{name}"), &format!("/data/{name}")]);
            assert_eq!(said.ok(), "minemine");
        }
        assert!(engine.docker(&["export", "box"]).ok().contains("tmp/while"));
        engine.docker(&["rm", "--force", "box"]).ok();
        engine.docker(&["volume", "rm", "copied"]).ok();
    });
}
