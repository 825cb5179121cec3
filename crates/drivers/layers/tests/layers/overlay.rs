//! Snapshots, and the kernel's view of a stack.

use crate::builder::Builder;
use crate::{Store, store};
use layers::{ChangeKind, LayerError, LayerId, Layers, read_in_root};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Three layers: a base, one that changes it, and one that hides things.
pub(crate) fn stack(store: &Store) -> Vec<LayerId> {
    let mut root = crate::builder::header(b'5', "./", 0);
    root.set_mode(0o711);
    root.set_gid(5);
    let base =
        Builder::new().file("etc/passwd", "root").file("dir/old", "1").file("gone", "1").file("keep", "1");
    let middle =
        Builder::new().file("dir/new", "2").symlink("link", "/etc/passwd").symlink("up", "../../../../keep");
    let top =
        Builder::new().raw(root, b"").file(".wh.gone", "").file("dir/.wh..wh..opq", "").file("dir/top", "3");
    [base, middle, top].map(|builder| store.unpack(&builder.end()).unwrap()).to_vec()
}

/// A mount that goes with the test.
pub(crate) struct Mounted(pub(crate) PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

pub(crate) fn mounted(store: &Store, key: &str) -> Mounted {
    let target = store.dir.path().join(format!("mnt-{key}"));
    fs::create_dir(&target).unwrap();
    let rootfs = store.layers.rootfs(key).unwrap();
    let options = std::ffi::CString::new(rootfs.options.join(",")).unwrap();
    mount("overlay", &target, "overlay", MountFlags::empty(), options.as_c_str()).unwrap();
    Mounted(target)
}

#[test]
fn a_stack_reads_as_one_tree() {
    let Some(store) = store() else { return };
    let layers = stack(&store);
    store.layers.prepare("web", &layers).unwrap();
    for root in [store.layers.open_root("web").unwrap(), store.layers.open_layers(&layers).unwrap()] {
        let read = |path: &str| read_in_root(&root, path, 100).unwrap();
        assert_eq!(read("/etc/passwd").unwrap(), b"root");
        assert_eq!(read("link").unwrap(), b"root", "absolute links stay inside");
        assert_eq!(read("up").unwrap(), b"1", "climbing links stay inside");
        assert_eq!(read("dir/top").unwrap(), b"3");
        for hidden in ["gone", "dir/old", "dir/new", "keep/x"] {
            assert_eq!(read(hidden), None, "{hidden}");
        }
        assert!(matches!(read_in_root(&root, "etc/passwd", 3), Err(LayerError::Unreadable { .. })));
        assert!(matches!(read_in_root(&root, "etc", 3), Err(LayerError::Unreadable { .. })));
    }
    let one = store.layers.open_layers(&layers[..1]).unwrap();
    assert_eq!(read_in_root(&one, "keep", 9).unwrap().unwrap(), b"1");
    let none = store.layers.open_layers(&[]).unwrap();
    assert_eq!(read_in_root(&none, "keep", 9).unwrap(), None);
}

#[test]
fn a_snapshot_with_ids_of_its_own_remembers_them() {
    let Some(store) = store() else { return };
    let ids: spec::IdMaps = "0:100000:65536/0:200000:65536".parse().unwrap();
    store.layers.prepare_mapped("web", &stack(&store), Some(&ids)).unwrap();
    store.layers.prepare("plain", &stack(&store)).unwrap();
    assert_eq!(store.layers.ids("web").unwrap().unwrap(), ids);
    assert_eq!(store.layers.ids("plain").unwrap(), None);
    let options = store.layers.rootfs("web").unwrap().options;
    assert!(options.contains(&"uidmap=0:100000:65536".to_owned()), "{options:?}");
    assert!(options.contains(&"gidmap=0:200000:65536".to_owned()), "{options:?}");
    assert!(!store.layers.rootfs("plain").unwrap().options.iter().any(|option| option.contains("idmap")));

    // The root of the stack belongs to root and group 5, and is the container's own directory.
    let upper = store.layers.snapshot_dir("web").unwrap().join("upper");
    let stat = fs::metadata(&upper).unwrap();
    assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o777), (100_000, 200_005, 0o711));
    // A directory that was copied up as it was is no change, one of another owner is.
    for (name, uid) in [("dir", 100_000), ("etc", 0)] {
        fs::create_dir(upper.join(name)).unwrap();
        std::os::unix::fs::chown(upper.join(name), Some(uid), Some(200_000)).unwrap();
    }
    let changes = store.layers.changes("web").unwrap();
    let paths: Vec<_> = changes.iter().map(|change| change.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/etc"]);
}

#[test]
fn a_snapshot_is_writable_and_says_what_changed() {
    let Some(store) = store() else { return };
    store.layers.prepare("web", &stack(&store)).unwrap();
    let mount = mounted(&store, "web");
    let stat = fs::metadata(&mount.0).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.gid()), (0o711, 5), "the root is the image's");
    fs::write(mount.0.join("etc/passwd"), "changed").unwrap();
    fs::write(mount.0.join("added"), vec![1; 10_000]).unwrap();
    fs::create_dir_all(mount.0.join("new/dir")).unwrap();
    fs::remove_file(mount.0.join("keep")).unwrap();
    fs::remove_dir_all(mount.0.join("dir")).unwrap();
    fs::create_dir(mount.0.join("dir")).unwrap();
    fs::write(mount.0.join("dir/fresh"), "").unwrap();
    drop(mount);
    let changes = store.layers.changes("web").unwrap();
    let lines: Vec<String> = changes
        .iter()
        .map(|change| {
            let kind = match change.kind {
                ChangeKind::Modified => 'C',
                ChangeKind::Added => 'A',
                ChangeKind::Deleted => 'D',
            };
            format!("{kind} {}", change.path.display())
        })
        .collect();
    let expected = [
        "A /added",
        "C /dir",
        "A /dir/fresh",
        "D /dir/top",
        "C /etc",
        "C /etc/passwd",
        "D /keep",
        "A /new",
        "A /new/dir",
    ];
    assert_eq!(lines, expected);
    let usage = store.layers.usage("web").unwrap();
    assert!((10_000..200_000).contains(&usage.bytes) && usage.inodes == 8, "{usage:?}");
    let root = store.layers.open_root("web").unwrap();
    assert_eq!(read_in_root(&root, "etc/passwd", 100).unwrap().unwrap(), b"changed");
}

#[test]
fn many_and_equal_layers_stack() {
    let Some(store) = store() else { return };
    let mut layers: Vec<LayerId> = (0..126)
        .map(|i| {
            store
                .unpack(&Builder::new().file(&format!("f{i}"), "x").file("last", &i.to_string()).end())
                .unwrap()
        })
        .collect();
    // An image may have one layer several times; the kernel refuses that.
    layers.insert(50, layers[0].clone());
    layers.push(layers[0].clone());
    store.layers.prepare("deep", &layers).unwrap();
    let root = store.layers.open_root("deep").unwrap();
    assert_eq!(read_in_root(&root, "last", 9).unwrap().unwrap(), b"0");
    assert_eq!(read_in_root(&root, "f125", 9).unwrap().unwrap(), b"x");
    layers.push(layers[1].clone());
    assert!(matches!(store.layers.prepare("deeper", &layers), Err(LayerError::TooManyLayers { .. })));
}

#[test]
fn snapshots_come_and_go() {
    let Some(store) = store() else { return };
    let layers = stack(&store);
    store.layers.prepare("a", &layers).unwrap();
    assert!(matches!(store.layers.prepare("a", &layers), Err(LayerError::Exists { .. })));
    store.layers.prepare("b", &[]).unwrap();
    drop(mounted(&store, "b"));
    assert!(matches!(store.layers.rootfs("c"), Err(LayerError::NotFound { .. })));
    for bad in ["", ".", "..", "a/b", "a b"] {
        assert!(matches!(store.layers.prepare(bad, &[]), Err(LayerError::BadKey { .. })), "{bad}");
    }
    let again = Layers::open(&store.dir.path().join("layers")).unwrap();
    let lower: Vec<LayerId> = layers.iter().rev().cloned().collect();
    assert_eq!(again.lower("a").unwrap(), lower);
    assert_eq!(again.retain(&HashSet::new()).unwrap(), 0, "a snapshot keeps its layers");
    again.release("a").unwrap();
    again.release("a").unwrap();
    assert_eq!(again.snapshots().unwrap(), ["b"]);
    assert_eq!(again.retain(&HashSet::from([layers[0].clone()])).unwrap(), 2);
    assert!(again.contains(&layers[0]) && !again.contains(&layers[1]));
    again.sync().unwrap();
}

#[test]
fn what_a_runtime_mounts_upon_is_there_and_is_no_change() {
    let Some(store) = store() else { return };
    let mut etc = crate::builder::header(b'5', "etc", 0);
    etc.set_mode(0o750);
    etc.set_gid(7);
    let layer =
        store.unpack(&Builder::new().raw(etc, b"").file("etc/hosts", "mine").dir("proc").end()).unwrap();
    let odd =
        store.unpack(&Builder::new().symlink("etc", "usr/etc").file("usr/etc/hosts", "odd").end()).unwrap();
    for key in ["a", "b"] {
        store.layers.prepare(key, std::slice::from_ref(&layer)).unwrap();
        let mount = mounted(&store, key);
        for dir in ["dev", "proc", "sys"] {
            assert!(mount.0.join(dir).is_dir(), "{dir}");
        }
        assert_eq!(fs::read_to_string(mount.0.join("etc/hosts")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(mount.0.join("etc/hostname")).unwrap(), "");
        assert!(mount.0.join(".dockerenv").exists());
        let stat = fs::metadata(mount.0.join("etc")).unwrap();
        assert_eq!((stat.mode() & 0o7777, stat.gid()), (0o750, 7));
        assert_eq!(store.layers.changes(key).unwrap(), []);
    }
    store.layers.prepare("odd", &[odd]).unwrap();
    let root = store.layers.open_root("odd").unwrap();
    assert_eq!(read_in_root(&root, "etc/hosts", 9).unwrap().unwrap(), b"odd");
    assert_eq!(fs::read_dir(store.dir.path().join("layers/i")).unwrap().count(), 2);
}
