//! An image's files on the host: `container-runtime image mount`.

use std::fs;
use tests::{Settings, TestEngine, with_private_engine};

fn mounted(engine: &TestEngine) -> String {
    engine.cr(&["image", "mount", "busybox"]).ok().trim().to_owned()
}

#[test]
fn an_image_is_read_in_place_and_stays_while_it_is() {
    with_private_engine(Settings::default(), |engine| {
        engine.docker(&["create", "--name", "web", "busybox"]).ok();
        let place = mounted(engine);
        assert_eq!(mounted(engine), place, "again changes nothing");
        assert!(fs::metadata(format!("{place}/bin/busybox")).unwrap().len() > 100_000);
        let written = fs::write(format!("{place}/new"), "").unwrap_err();
        assert_eq!(written.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        let list = engine.cr(&["image", "mount"]).ok();
        assert_eq!(list, format!("busybox:latest\t{place}\n"));

        engine.docker(&["rm", "web"]).ok();
        let refused = engine.docker(&["rmi", "-f", "busybox"]);
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains(&format!("image is mounted at {place}")), "{}", refused.stderr);
        engine.docker(&["image", "prune", "-af"]).ok();
        assert!(fs::metadata(format!("{place}/bin/busybox")).is_ok());

        let open = fs::File::open(format!("{place}/bin/busybox")).unwrap();
        let busy = engine.cr(&["image", "unmount", "busybox"]);
        assert_ne!(busy.code, 0);
        assert!(busy.stderr.contains("a process has files open"), "{}", busy.stderr);
        drop(open);
        assert_eq!(engine.cr(&["image", "unmount", "busybox"]).ok().trim(), place);
        assert!(!fs::exists(&place).unwrap());
        let again = engine.cr(&["image", "unmount", "busybox"]);
        assert!(again.stderr.contains("image busybox is not mounted"), "{}", again.stderr);
        assert_eq!(engine.cr(&["image", "mount"]).ok(), "");
        engine.docker(&["rmi", "busybox"]).ok();
    });
}

#[test]
fn a_mount_outlives_the_daemon_and_goes_with_a_purge() {
    with_private_engine(Settings::default(), |engine| {
        let place = mounted(engine);
        engine.kill_daemon();
        assert!(fs::metadata(format!("{place}/bin/busybox")).is_ok());
        engine.restart_daemon(&[]);
        assert_eq!(mounted(engine), place);
        let refused = engine.docker(&["rmi", "-f", "busybox"]);
        assert!(refused.stderr.contains("image is mounted"), "{}", refused.stderr);
        let file = fs::File::open(format!("{place}/bin/busybox")).unwrap();
        let busy = engine.cr(&["image", "unmount", "--force", "busybox"]);
        assert_eq!(busy.ok().trim(), place);
        assert!(file.metadata().is_ok() && !fs::exists(&place).unwrap());
        mounted(engine);
        // What is left is the purge's, which every test here ends with and looks after.
    });
}
