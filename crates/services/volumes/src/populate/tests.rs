//! What arrives in the volume, and what cannot be reached from the image.

use super::{CopyOptions, Durability, copy_if_empty, populate};
use rustix::fs::{CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// An image's root with `/data`, and an empty volume.
struct Scene {
    _dir: tempfile::TempDir,
    image: PathBuf,
    volume: PathBuf,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let (image, volume) = (dir.path().join("image"), dir.path().join("volume"));
    std::fs::create_dir_all(image.join("data")).unwrap();
    std::fs::create_dir(&volume).unwrap();
    Scene { _dir: dir, image, volume }
}

fn copy(scene: &Scene, path: &str) -> bool {
    let root = File::open(&scene.image).unwrap();
    populate(root.as_fd(), Path::new(path), &scene.volume).unwrap()
}

fn synced(ids: Option<spec::IdMaps>) -> CopyOptions {
    CopyOptions { durability: Durability::Synced, ids }
}

fn look(scene: &Scene, name: &str) -> Metadata {
    scene.volume.join(name).symlink_metadata().unwrap()
}

#[test]
fn owners_modes_attributes_links_and_times_arrive() {
    if !rustix::process::getuid().is_root() {
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: giving files away needs root\n")
            .unwrap();
        return;
    }
    let scene = scene();
    let data = scene.image.join("data");
    std::fs::create_dir(data.join("sub")).unwrap();
    std::fs::write(data.join("sub/program"), b"text").unwrap();
    std::fs::hard_link(data.join("sub/program"), data.join("again")).unwrap();
    symlink("/etc/shadow", data.join("link")).unwrap();
    rustix::fs::mknodat(CWD, data.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o620), 0).unwrap();
    std::fs::set_permissions(data.join("pipe"), PermissionsExt::from_mode(0o620)).unwrap();
    let null = rustix::fs::makedev(1, 3);
    rustix::fs::mknodat(CWD, data.join("null"), FileType::CharacterDevice, Mode::from_raw_mode(0o666), null)
        .unwrap();
    rustix::fs::lsetxattr(data.join("sub"), "user.note", &[b'n'; 3000], XattrFlags::empty()).unwrap();
    rustix::fs::lsetxattr(data.join("link"), "trusted.note", b"t", XattrFlags::empty()).unwrap();
    for name in ["sub/program", "link", "pipe", "sub", ""] {
        std::os::unix::fs::lchown(data.join(name), Some(1234), Some(5678)).unwrap();
    }
    std::fs::set_permissions(data.join("sub/program"), PermissionsExt::from_mode(0o4751)).unwrap();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o1770)).unwrap();
    for name in ["sub/program", "link", "sub", ""] {
        let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 123_456_789 };
        let times = Timestamps { last_access: time, last_modification: time };
        let path = if name.is_empty() { data.clone() } else { data.join(name) };
        rustix::fs::utimensat(CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }

    assert!(copy(&scene, "/data"));
    let program = look(&scene, "sub/program");
    assert_eq!((program.uid(), program.gid(), program.mode() & 0o7777), (1234, 5678, 0o4751));
    assert_eq!((program.mtime(), program.mtime_nsec()), (1_000_000_000, 123_456_789));
    assert_eq!(program.ino(), look(&scene, "again").ino());
    assert_eq!(std::fs::read(scene.volume.join("again")).unwrap(), b"text");
    let link = look(&scene, "link");
    assert_eq!((link.uid(), link.mtime()), (1234, 1_000_000_000));
    assert_eq!(std::fs::read_link(scene.volume.join("link")).unwrap(), Path::new("/etc/shadow"));
    let mut value = [0; 4096];
    assert_eq!(rustix::fs::lgetxattr(scene.volume.join("link"), "trusted.note", &mut value).unwrap(), 1);
    assert_eq!(rustix::fs::lgetxattr(scene.volume.join("sub"), "user.note", &mut value).unwrap(), 3000);
    assert!(look(&scene, "pipe").file_type().is_fifo());
    assert_eq!((look(&scene, "pipe").mode() & 0o777, look(&scene, "pipe").uid()), (0o620, 1234));
    assert_eq!(look(&scene, "null").rdev(), null);
    assert_eq!((look(&scene, "sub").uid(), look(&scene, "sub").mtime()), (1234, 1_000_000_000));
    let root = scene.volume.metadata().unwrap();
    assert_eq!((root.uid(), root.mode() & 0o7777, root.mtime()), (1234, 0o1770, 1_000_000_000));
}

#[test]
fn a_volume_with_content_is_left_alone() {
    let scene = scene();
    std::fs::write(scene.image.join("data/new"), b"").unwrap();
    std::fs::write(scene.volume.join("old"), b"").unwrap();
    assert!(!copy(&scene, "/data"));
    assert!(!scene.volume.join("new").exists());
}

#[test]
fn what_is_no_directory_in_the_image_is_not_copied() {
    let scene = scene();
    std::fs::write(scene.image.join("file"), b"").unwrap();
    symlink("loop", scene.image.join("loop")).unwrap();
    for path in ["/absent", "/absent/below", "/file", "/file/below", "/loop"] {
        assert!(!copy(&scene, path), "{path}");
    }
}

#[test]
fn links_in_the_image_lead_nowhere_else() {
    let scene = scene();
    let outside = scene.image.parent().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"").unwrap();
    symlink(&outside, scene.image.join("absolute")).unwrap();
    symlink("../outside", scene.image.join("relative")).unwrap();
    symlink("/data", scene.image.join("inside")).unwrap();
    symlink(&outside, scene.image.join("data/sub")).unwrap();
    for path in ["/absolute", "/relative", "/../outside", "/data/sub/.."] {
        copy(&scene, path);
        assert!(!scene.volume.join("secret").exists(), "{path}");
        std::fs::remove_dir_all(&scene.volume).unwrap();
        std::fs::create_dir(&scene.volume).unwrap();
    }
    assert!(copy(&scene, "inside"), "a link within the image is followed");
    assert!(look(&scene, "sub").file_type().is_symlink());
}

#[test]
fn owners_are_those_that_the_container_has_on_the_host() {
    if !rustix::process::getuid().is_root() {
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: giving files away needs root\n")
            .unwrap();
        return;
    }
    let scene = scene();
    let data = scene.image.join("data");
    std::fs::write(data.join("file"), b"text").unwrap();
    symlink("file", data.join("link")).unwrap();
    std::os::unix::fs::lchown(data.join("link"), Some(33), Some(7)).unwrap();
    let root = File::open(&scene.image).unwrap();
    let options = synced(Some("0:100000:65536/0:200000:65536".parse().unwrap()));
    assert!(copy_if_empty(root.as_fd(), Path::new("/data"), &scene.volume, &options).unwrap());
    let owner = |name| (look(&scene, name).uid(), look(&scene, name).gid());
    assert_eq!(owner(""), (100_000, 200_000));
    assert_eq!(owner("file"), (100_000, 200_000));
    assert_eq!(owner("link"), (100_033, 200_007));
}

#[test]
fn a_tree_made_to_hurt_is_refused() {
    let scene = scene();
    let mut at = std::os::fd::OwnedFd::from(File::open(scene.image.join("data")).unwrap());
    for _ in 0..600 {
        rustix::fs::mkdirat(&at, "deep", Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        at = rustix::fs::openat(&at, "deep", flags, Mode::empty()).unwrap();
    }
    let root = File::open(&scene.image).unwrap();
    let error = copy_if_empty(root.as_fd(), Path::new("/data"), &scene.volume, &synced(None)).unwrap_err();
    assert!(
        error.to_string().starts_with("copy the image's content into the volume: descend into deep"),
        "{error}"
    );
}
