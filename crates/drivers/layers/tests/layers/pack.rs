//! Trees packed and unpacked again: the same.

use crate::builder::{Builder, header};
use crate::overlay::{mounted, stack};
use crate::tree::{describe, differences};
use crate::{Store, store};
use layers::archive::{Archive, Kind};
use layers::{LayerError, LayerId, PackOptions, pack_directory, pack_file};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

/// Names and kinds of entries.
fn listed(archive: &[u8]) -> Vec<(String, Kind)> {
    let mut archive = Archive::new(archive);
    let mut names = Vec::new();
    while let Some(entry) = archive.next_entry().unwrap() {
        names.push((String::from_utf8_lossy(&entry.path).into_owned(), entry.kind));
    }
    names
}

fn names(archive: &[u8]) -> Vec<String> {
    listed(archive).into_iter().map(|(name, _)| name).collect()
}

/// Base layers with everything that a container may then change.
fn base(store: &Store) -> Vec<LayerId> {
    let builder = Builder::new()
        .file("replaced/by-dir", "1")
        .dir("by-file")
        .file("by-file/inside", "1")
        .dir("again")
        .file("again/old", "1")
        .file("moved/deep/file", "1")
        .symlink("link", "keep")
        .file("bin/one", "1")
        .hard_link("bin/two", "bin/one")
        .dir("mode");
    let mut layers = stack(store);
    layers.push(store.unpack(&builder.end()).unwrap());
    layers
}

fn run(dir: &Path, script: &str) {
    let output = Command::new("sh").arg("-ec").arg(script).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What containers do to a tree.
fn change(root: &Path) {
    run(
        root,
        "rm replaced/by-dir; mkdir replaced/by-dir; echo 2 >replaced/by-dir/x; \
         rm -r by-file; echo file >by-file; \
         rm -r again; mkdir again; echo 2 >again/new; \
         mv moved elsewhere; rm keep; ln -sf ../gone link; \
         echo two >>bin/two; mkdir -p new/a/b; echo 1 >new/a/b/one; ln new/a/b/one new/two; ln new/two new/three; \
         mkfifo new/pipe; chmod 1777 mode; touch -d @1000000000.123456789 new/two; touch -d @-5.5 new/a; \
         ln -s \"$(printf %0300d 1)\" new/long; chmod 6755 new/two; chown -h 70000:3000000 new/long",
    );
    let at = |name: &str| root.join(name);
    mknodat(
        CWD,
        at("new/null"),
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o666),
        rustix::fs::makedev(1, 3),
    )
    .unwrap();
    fs::write(at("new").join("n".repeat(200)), "long").unwrap();
    fs::write(at("new/capable"), "x").unwrap();
    chown(at("new/capable"), Some(u32::MAX - 1), Some(5)).unwrap();
    // cap_net_raw+ep, as setcap writes it.
    let capability = [&[1, 0, 0, 2, 0, 0x20, 0, 0][..], &[0; 12]].concat();
    let set = |name: &str, key: &str, value: &[u8]| {
        rustix::fs::setxattr(at(name), key, value, XattrFlags::empty()).unwrap();
    };
    set("new/capable", "security.capability", &capability);
    set("new/capable", "user.lines", b"a\n1 b=c\0");
    set("mode", "user.big", &[7; 3000]);
    set("new", "trusted.mine", b"1");
    let sparse = File::create(at("new/sparse")).unwrap();
    sparse.write_all_at(b"end", 5 << 20).unwrap();
    fs::set_permissions(root, fs::Permissions::from_mode(0o1711)).unwrap();
    run(root, "touch -d @1234567890.5 mode new by-file .");
}

#[test]
fn what_a_container_changed_is_a_layer_that_gives_the_same_tree() {
    let Some(store) = store() else { return };
    let layers = base(&store);
    store.layers.prepare("web", &layers).unwrap();
    let mount = mounted(&store, "web");
    change(&mount.0);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    store.layers.pack_diff("web", &mut first).unwrap();
    store.layers.pack_diff("web", &mut second).unwrap();
    assert_eq!(first, second, "the same bytes each time");
    let entries = names(&first);
    for name in [".wh.keep", ".wh.moved", "again/.wh..wh..opq", "replaced/by-dir/", "./", "new/three"] {
        assert!(entries.iter().any(|entry| entry == name), "{name} in {entries:?}");
    }
    assert!(!entries.iter().any(|entry| entry.contains("dir/top")), "what did not change is not in it");
    let expected = describe(&mount.0);

    let layer = store.unpack(&first).unwrap();
    store.layers.prepare("copy", &[layers.as_slice(), &[layer]].concat()).unwrap();
    let copy = mounted(&store, "copy");
    // The root of a snapshot is a directory of its own, of the layer's owner and mode.
    let (mut found, mut expected) = (describe(&copy.0), expected);
    assert_eq!(found[""].split(' ').next(), expected[""].split(' ').next());
    found.remove("");
    expected.remove("");
    assert_eq!(differences(&found, &expected), [""; 0]);
}

#[test]
fn an_export_is_the_whole_tree() {
    let Some(store) = store() else { return };
    store.layers.prepare("web", &base(&store)).unwrap();
    let mount = mounted(&store, "web");
    change(&mount.0);
    let _socket = UnixListener::bind(mount.0.join("socket")).unwrap();
    let mut archive = Vec::new();
    store.layers.export("web", &mut archive).unwrap();
    let root = store.unpacked(&archive);
    let (mut expected, mut found) = (describe(&mount.0), describe(&root));
    assert!(expected.remove("socket").is_some());
    // The root itself has no entry, as with docker. And overlay counts links of the layer that are changed away.
    let links = |line: String| line.replace(" links=2 ", " links=1 ");
    expected.entry("bin/one".to_owned()).and_modify(|line| *line = links(line.clone()));
    expected.remove("");
    found.remove("");
    assert_eq!(differences(&found, &expected), [""; 0]);
    assert!(matches!(store.layers.export("none", Vec::new()), Err(LayerError::NotFound { .. })));
    assert!(matches!(store.layers.pack_diff("none", Vec::new()), Err(LayerError::NotFound { .. })));
}

#[test]
fn ids_of_the_host_are_the_containers_in_an_archive() {
    let Some(store) = store() else { return };
    let ids: spec::IdMaps = "0:100000:65536/0:200000:65536".parse().unwrap();
    store.layers.prepare_mapped("web", &stack(&store), Some(&ids)).unwrap();
    let upper = store.layers.snapshot_dir("web").unwrap().join("upper");
    fs::write(upper.join("mine"), "1").unwrap();
    chown(upper.join("mine"), Some(101_000), Some(200_000)).unwrap();
    let (mut diff, mut export) = (Vec::new(), Vec::new());
    store.layers.pack_diff("web", &mut diff).unwrap();
    store.layers.export("web", &mut export).unwrap();
    for (archive, all) in [(diff, vec!["./", "mine"]), (export, vec!["mine", "etc/passwd"])] {
        let mut archive = Archive::new(archive.as_slice());
        let mut owners = BTreeMap::new();
        while let Some(entry) = archive.next_entry().unwrap() {
            owners.insert(String::from_utf8(entry.path).unwrap(), (entry.uid, entry.gid));
        }
        assert_eq!(owners["mine"], (1000, 0));
        for name in all {
            assert!(owners[name].0 < 65_536 && owners[name].1 < 65_536, "{name}: {:?}", owners[name]);
        }
    }
}

#[test]
fn a_piece_of_a_tree_has_the_name_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("a/b/file"), "content").unwrap();
    fs::write(dir.path().join("a/z"), "").unwrap();
    symlink("/etc", dir.path().join("a/out")).unwrap();
    let options = PackOptions::default();
    let pack = |name: &str| {
        let mut archive = Vec::new();
        pack_directory(File::open(dir.path().join("a")).unwrap(), name.as_bytes(), &options, &mut archive)
            .unwrap();
        archive
    };
    assert_eq!(names(&pack("x")), ["x/", "x/out", "x/z", "x/b/", "x/b/file"]);
    assert_eq!(names(&pack("."))[..2], ["./", "./out"]);
    assert_eq!(listed(&pack("x"))[1].1, Kind::Symlink, "links are never followed");
    let parent = File::open(dir.path().join("a/b")).unwrap();
    let mut archive = Vec::new();
    assert!(pack_file(&parent, c"file", &options, &mut archive).unwrap());
    assert_eq!(listed(&archive), [("file".to_owned(), Kind::File)]);
    assert!(!pack_file(&parent, c"gone", &options, Vec::new()).unwrap());
}

#[test]
fn a_tree_that_changes_meanwhile_gives_a_sound_archive() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "s").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    fs::create_dir(&tree).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0_u64.. {
                if stop.load(relaxed) {
                    break;
                }
                let sub = tree.join(format!("d{}", round % 3));
                let _ = fs::create_dir(&sub);
                for file in 0..5 {
                    let _ = fs::write(sub.join(format!("f{file}")), vec![b'x'; (round % 4000) as usize]);
                }
                let _ = fs::remove_dir_all(&sub);
                let _ = symlink(&outside, &sub);
                let _ = fs::remove_file(&sub);
            }
        });
        for _ in 0..300 {
            let mut archive = Vec::new();
            pack_directory(File::open(&tree).unwrap(), b"t", &PackOptions::default(), &mut archive).unwrap();
            let names = names(&archive);
            assert!(!names.iter().any(|name| name.ends_with("secret")), "{names:?}");
        }
        stop.store(true, relaxed);
    });
}

#[test]
fn odd_trees_are_no_trouble() {
    let Some(store) = store() else { return };
    store.layers.prepare("web", &stack(&store)).unwrap();
    let mount = mounted(&store, "web");
    let mut deep = fs::File::open(&mount.0).unwrap();
    for _ in 0..40 {
        let name = "d".repeat(200);
        rustix::fs::mkdirat(&deep, &name, Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        deep = rustix::fs::openat(&deep, &name, flags, Mode::empty()).unwrap().into();
    }
    let mut archive = Vec::new();
    store.layers.pack_diff("web", &mut archive).unwrap();
    assert!(listed(&archive).len() >= 20, "all that a path can name is there");
    fs::write(mount.0.join("etc/.wh.passwd"), "").unwrap();
    let refused = store.layers.pack_diff("web", Vec::new()).unwrap_err();
    assert!(matches!(&refused, LayerError::Unpackable { path } if path == "etc/.wh.passwd"), "{refused}");
    store.layers.export("web", std::io::sink()).unwrap();
}

#[test]
fn an_output_that_takes_no_more_ends_it() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("big"), vec![0; 1 << 20]).unwrap();
    let packed = pack_directory(File::open(dir.path()).unwrap(), b"d", &PackOptions::default(), Full);
    assert!(matches!(packed, Err(LayerError::Output(_))), "{packed:?}");
}

#[test]
fn headers_of_a_layer_are_those_of_the_image_format() {
    let Some(store) = store() else { return };
    let mut etc = header(b'5', "opaque", 0);
    etc.set_mode(0o700);
    let layer = store.unpack(&Builder::new().raw(etc, b"").file("opaque/a", "1").end()).unwrap();
    store.layers.prepare("web", &[layer]).unwrap();
    let mount = mounted(&store, "web");
    run(&mount.0, "rm -r opaque; mkdir opaque");
    let mut archive = Vec::new();
    store.layers.pack_diff("web", &mut archive).unwrap();
    assert_eq!(names(&archive), ["./", "opaque/", "opaque/.wh..wh..opq"]);
}
