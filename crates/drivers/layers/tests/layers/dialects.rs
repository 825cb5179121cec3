//! Trees with everything in them, through GNU tar's dialects and back.

use crate::store;
use crate::tree::describe;
use rustix::fs::{self, FileType, Mode, XattrFlags};
use std::fs::File;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// A bit of everything that a dialect without extensions can say.
fn plain(root: &Path) {
    std::fs::create_dir_all(root.join("dir/sub")).unwrap();
    std::fs::write(root.join("dir/file"), "content").unwrap();
    std::fs::write(root.join("empty"), "").unwrap();
    std::fs::write(root.join("dir/sub/large"), vec![7; 300_000]).unwrap();
    std::fs::hard_link(root.join("dir/file"), root.join("link")).unwrap();
    symlink("../nowhere", root.join("dir/symlink")).unwrap();
    symlink("/absolute", root.join("absolute")).unwrap();
    std::fs::hard_link(root.join("absolute"), root.join("absolute-too")).unwrap();
    let node = |name: &str, kind, device| {
        fs::mknodat(fs::CWD, root.join(name), kind, Mode::from_raw_mode(0o620), device).unwrap();
    };
    node("null", FileType::CharacterDevice, fs::makedev(1, 3));
    node("disk", FileType::BlockDevice, fs::makedev(259, 300));
    node("pipe", FileType::Fifo, 0);
    let chown =
        |name: &str, uid, gid| std::os::unix::fs::lchown(root.join(name), Some(uid), Some(gid)).unwrap();
    chown("dir/file", 1000, 1000);
    chown("dir/symlink", 33, 34);
    chown("dir/sub", 65534, 5);
    chown("null", 0, 5);
    let chmod = |name: &str, mode| {
        std::fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("dir/file", 0o6755);
    chmod("dir", 0o1777);
    chmod("dir/sub", 0o2000);
    chmod("empty", 0);
}

/// What only some dialects can say.
fn extended(root: &Path) {
    let long = root.join("l".repeat(200)).join("o".repeat(255));
    std::fs::create_dir_all(&long).unwrap();
    std::fs::write(long.join("ng"), "x").unwrap();
    symlink("t".repeat(300), root.join("long-target")).unwrap();
    std::os::unix::fs::chown(root.join("empty"), Some(3_000_000), Some(4_000_000_000)).unwrap();
}

fn holes(root: &Path) {
    let file = File::create(root.join("holes")).unwrap();
    file.set_len(50 << 20).unwrap();
    // More extents than a GNU header and its first continuation hold.
    for i in 0..40_u64 {
        file.write_all_at(&[i as u8 + 1; 4096], i << 20).unwrap();
    }
    let hole = File::create(root.join("only-hole")).unwrap();
    hole.set_len(1 << 20).unwrap();
}

fn attributes(root: &Path) {
    let set = |name: &str, key: &str, value: &[u8]| {
        fs::lsetxattr(root.join(name), key, value, XattrFlags::empty()).unwrap();
    };
    set("empty", "user.text", b"line\nline=2\n\0");
    set("dir", "user.dir", b"1");
    set("dir/symlink", "trusted.link", b"2");
    // cap_net_bind_service, as setcap writes it.
    set("dir/sub/large", "security.capability", b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

/// Whole seconds, before 1970 too where that can be said; `nanoseconds` where it can be.
fn times(root: &Path, nanoseconds: u32, negative: bool) {
    let early =
        if negative { SystemTime::UNIX_EPOCH - Duration::from_secs(86_400) } else { SystemTime::UNIX_EPOCH };
    let late = SystemTime::UNIX_EPOCH + Duration::new(1_234_567_890, nanoseconds);
    for (name, time) in [("dir/file", late), ("empty", early), ("dir/sub", late), ("dir", early), ("", late)]
    {
        let file = File::open(root.join(name)).unwrap();
        file.set_modified(time).unwrap();
    }
    if nanoseconds == 0 {
        for path in [
            "null",
            "disk",
            "pipe",
            "dir/symlink",
            "absolute",
            "dir/sub/large",
            "holes",
            "only-hole",
            "long-target",
        ] {
            let stamp = fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
            let both = fs::Timestamps { last_access: stamp, last_modification: stamp };
            let _ = fs::utimensat(fs::CWD, root.join(path), &both, fs::AtFlags::SYMLINK_NOFOLLOW);
        }
    }
}

fn check(format: &[&str], nanoseconds: u32, make: impl Fn(&Path)) {
    let Some(store) = store() else { return };
    let source = store.dir.path().join("source");
    std::fs::create_dir(&source).unwrap();
    plain(&source);
    make(&source);
    for long in std::fs::read_dir(&source).unwrap().flatten() {
        if nanoseconds == 0 && long.file_name().len() == 200 {
            let inner = long.path().join("o".repeat(255));
            for path in [inner.join("ng"), inner, long.path()] {
                File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            }
        }
    }
    times(&source, nanoseconds, !format.contains(&"--format=v7") && !format.contains(&"--format=ustar"));
    let archive = store.dir.path().join("source.tar");
    let mut tar = Command::new("tar");
    tar.args(format).arg("-cf").arg(&archive).arg("-C").arg(&source).arg(".");
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{tar:?}: {}", String::from_utf8_lossy(&output.stderr));
    let layer = store.unpacked(&std::fs::read(&archive).unwrap());
    let (expected, found) = (describe(&source), describe(&layer));
    for (name, line) in &expected {
        assert_eq!(found.get(name), Some(line), "{name} with {format:?}");
    }
    assert_eq!(expected.len(), found.len());
    if source.join("holes").exists() {
        use std::os::unix::fs::MetadataExt;
        let blocks = |name: &str| std::fs::metadata(layer.join(name)).unwrap().blocks();
        assert!(blocks("holes") < 2000 && blocks("only-hole") == 0, "holes stay holes with {format:?}");
    }
}

#[test]
fn ustar() {
    check(&["--format=ustar"], 0, |_| {});
}

#[test]
fn gnu_with_long_names_and_holes() {
    check(&["--format=gnu", "--sparse"], 0, |root| {
        extended(root);
        holes(root);
    });
}

#[test]
fn pax_with_everything_in_each_sparse_format() {
    for version in ["--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"] {
        check(
            &["--format=posix", "--sparse", version, "--xattrs", "--xattrs-include=*"],
            123_456_789,
            |root| {
                extended(root);
                holes(root);
                attributes(root);
            },
        );
    }
}
