//! Entries that meet others of their name, whiteouts, and what is implied.

use crate::builder::{Builder, header};
use crate::store;
use crate::tree::attributes;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

fn is_whiteout(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|stat| stat.file_type().is_char_device() && stat.rdev() == 0)
}

fn is_opaque(path: &Path) -> bool {
    attributes(path).get("trusted.overlay.opaque").is_some_and(|value| value == b"y")
}

#[test]
fn a_later_entry_replaces_an_earlier_one_of_another_type() {
    let Some(store) = store() else { return };
    let root = store.unpacked(
        &Builder::new()
            .dir("dir")
            .file("dir/inside", "1")
            .file("dir", "now a file")
            .file("file", "1")
            .dir("file")
            .file("file/inside", "2")
            .symlink("link", "file/inside")
            .file("link", "not through the link")
            .file("again", "1")
            .file("again", "2")
            .dir("kept")
            .file("kept/inside", "3")
            .dir("kept")
            .device(b'3', "null", 1, 3)
            .file("null", "not into the device")
            .raw(header(b'6', "pipe", 0), b"")
            .file("pipe", "not into the pipe")
            .hard_link("hard", "again")
            .hard_link("hard", "kept/inside")
            .end(),
    );
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    for (name, content) in [
        ("dir", "now a file"),
        ("file/inside", "2"),
        ("link", "not through the link"),
        ("again", "2"),
        ("kept/inside", "3"),
        ("null", "not into the device"),
        ("pipe", "not into the pipe"),
        ("hard", "3"),
    ] {
        assert_eq!(read(name), content, "{name}");
    }
}

#[test]
fn whiteouts_hide_lower_layers_and_nothing_of_their_own() {
    let Some(store) = store() else { return };
    let root = store.unpacked(
        &Builder::new()
            .file("dir/.wh.gone", "")
            .file("opaque/.wh..wh..opq", "")
            .file("opaque/new", "1")
            .file("first/stays", "1")
            .file(".wh.first", "")
            .file(".wh.second", "")
            .file("second/stays", "2")
            .file(".wh.third", "")
            .dir("third")
            .file(".wh.fourth", "")
            .file("fourth", "3")
            .file("fifth", "4")
            .file(".wh.fifth", "")
            .file(".wh..wh.plnk", "")
            .end(),
    );
    assert!(is_whiteout(&root.join("dir/gone")));
    for dir in ["opaque", "first", "second", "third"] {
        assert!(is_opaque(&root.join(dir)), "{dir}");
    }
    assert!(!is_opaque(&root.join("dir")) && !is_opaque(&root));
    assert_eq!(fs::read_to_string(root.join("fourth")).unwrap(), "3");
    assert_eq!(fs::read_to_string(root.join("fifth")).unwrap(), "4");
    assert!(
        fs::read_dir(&root).unwrap().flatten().all(|e| !e.file_name().to_string_lossy().starts_with(".wh."))
    );
}

#[test]
fn names_are_taken_as_below_the_root_and_parents_are_made() {
    let Some(store) = store() else { return };
    let mut root_entry = header(b'5', "./", 0);
    root_entry.set_mode(0o751);
    root_entry.set_uid(7);
    let root = store.unpacked(
        &Builder::new()
            .raw(root_entry, b"")
            .file("/absolute/file", "1")
            .file("./a//b/./c", "2")
            .symlink("usr/lib64", "lib")
            .dir("usr/lib")
            .file("usr/lib64/through", "3")
            .raw(header(b'0', "old-directory/", 0), b"")
            .raw(header(b'g', "pax_global_header", 4), b"junk")
            .raw(header(b'V', "label", 0), b"")
            .open_end(),
    );
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    assert_eq!((read("absolute/file").as_str(), read("a/b/c").as_str()), ("1", "2"));
    assert_eq!(read("usr/lib/through"), "3", "links that stay inside are followed");
    assert!(root.join("old-directory").is_dir());
    let stat = fs::metadata(&root).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.uid()), (0o751, 7));
    assert_eq!(fs::metadata(root.join("a/b")).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn attributes_of_pax_win_over_the_header() {
    let Some(store) = store() else { return };
    let big = b"x".repeat(1000);
    let root = store.unpacked(
        &Builder::new()
            .pax(&[
                ("path", "real/name".as_bytes()),
                ("uid", b"70000"),
                ("mtime", b"12.25"),
                ("SCHILY.xattr.user.big", &big),
                ("SCHILY.xattr.user.none", b""),
            ])
            .file("short", "1")
            .end(),
    );
    let path = root.join("real/name");
    let stat = fs::metadata(&path).unwrap();
    assert_eq!((stat.uid(), stat.mtime(), stat.mtime_nsec()), (70_000, 12, 250_000_000));
    assert_eq!(attributes(&path)["user.big"], big);
    assert_eq!(attributes(&path)["user.none"], b"");
}
