//! Archives that want out, or too much: each is refused, says why, and leaves nothing.

use crate::builder::{Builder, header};
use crate::{Store, store};
use layers::Limits;
use tar::Header;

fn sparse(real: &str, map: &str, content: &str) -> Vec<u8> {
    Builder::new()
        .pax(&[("GNU.sparse.size", real.as_bytes()), ("GNU.sparse.map", map.as_bytes())])
        .file("s", content)
        .end()
}

fn map_in_content(content: &str) -> Vec<u8> {
    Builder::new()
        .pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"9")])
        .raw(header(b'0', "s", 512), format!("{content:\0<512}").as_bytes())
        .end()
}

fn edited(edit: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut header = header(b'0', "f", 0);
    edit(&mut header);
    Builder::new().raw(header, b"").end()
}

fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let new = Builder::new;
    let outside = "leads out of the root file system";
    let many = |count: usize| "1,0,".repeat(count);
    vec![
        ("dots", new().file("../escape", "x").end(), "has '..' in its name"),
        ("dots inside", new().file("a/../../escape", "x").end(), "has '..' in its name"),
        ("absolute dots", new().file("/../escape", "x").end(), "has '..' in its name"),
        ("dots by pax", new().pax(&[("path", b"a/../../b")]).file("f", "x").end(), "has '..' in its name"),
        (
            "dots by a long name",
            new().raw(header(b'L', "././@LongLink", 10), b"../escape\0").file("f", "x").end(),
            "has '..' in its name",
        ),
        ("absolute link", new().symlink("l", "/etc").file("l/escape", "x").end(), outside),
        ("climbing link", new().symlink("l", "../..").file("l/escape", "x").end(), outside),
        ("deep link", new().dir("a").symlink("a/l", "../../x").file("a/l/escape", "x").end(), outside),
        ("link to a link", new().symlink("a", "/etc").symlink("b", "a").file("b/escape", "x").end(), outside),
        ("directory through a link", new().symlink("l", "/etc").dir("l/escape").end(), outside),
        ("whiteout through a link", new().symlink("l", "/etc").file("l/.wh.passwd", "").end(), outside),
        ("link through a link", new().symlink("l", "/etc").symlink("l/escape", "x").end(), outside),
        ("device through a link", new().symlink("l", "/dev").device(b'3', "l/x", 1, 3).end(), outside),
        (
            "links in a circle",
            new().symlink("a", "b").symlink("b", "a").file("a/x", "x").end(),
            "symbolic links",
        ),
        (
            "a directory that became a link",
            new().dir("d").symlink("d", "/etc").file("d/escape", "x").end(),
            outside,
        ),
        (
            "a link to the process's own descriptors",
            new().symlink("l", "/proc/self/fd").file("l/escape", "x").end(),
            outside,
        ),
        ("hard link outside", new().hard_link("l", "../../etc/passwd").end(), "hard link to outside"),
        ("hard link to nothing", new().hard_link("l", "/etc/passwd").end(), "not in the layer"),
        ("hard link through a link", new().symlink("e", "/etc").hard_link("l", "e/passwd").end(), outside),
        ("hard link to a directory", new().dir("d").hard_link("l", "d").end(), "hard link to a directory"),
        ("hard link to a whiteout", new().file(".wh.x", "").hard_link("l", "x").end(), "not in the layer"),
        ("hard link to the root", new().hard_link("l", ".").end(), "hard link to"),
        ("a file for the root", new().file(".", "x").end(), "would replace the root"),
        ("a link for the root", new().symlink("./", "/etc").end(), "would replace the root"),
        ("below a file", new().file("f", "x").file("f/g", "x").end(), "parent that is not a directory"),
        (
            "below a device",
            new().device(b'3', "d", 1, 3).file("d/g", "x").end(),
            "parent that is not a directory",
        ),
        ("whiteout of the parent", new().file("a/.wh...", "").end(), "whiteout of nothing"),
        ("whiteout without a name", new().file("a/.wh.", "").end(), "whiteout of nothing"),
        ("link to nothing", new().symlink("l", "").end(), "link to nothing"),
        ("device number", new().device(b'4', "d", 5000, 0).end(), "impossible device"),
        (
            "overlay's own attribute",
            new().pax(&[("SCHILY.xattr.trusted.overlay.redirect", b"/etc")]).dir("d").end(),
            "attribute of the overlay",
        ),
        (
            "overlay's own attribute of users",
            new().pax(&[("SCHILY.xattr.user.overlay.opaque", b"y")]).dir("d").end(),
            "attribute of the overlay",
        ),
        ("owner -1", new().pax(&[("uid", b"4294967295")]).file("f", "x").end(), "impossible owner"),
        ("owner too large", new().pax(&[("gid", b"99999999999")]).file("f", "x").end(), "impossible owner"),
        (
            "long component",
            new().pax(&[("path", &[b'x'; 300])]).file("f", "x").end(),
            "name that is too long",
        ),
        ("long path", new().pax(&[("path", &b"x/".repeat(3000))]).file("f", "x").end(), "length of a name"),
        ("huge long name", new().raw(header(b'L', "l", 1 << 40), b"").end(), "length of a name"),
        ("huge pax header", new().raw(header(b'x', "x", 1 << 40), b"").end(), "a PAX header"),
        ("zero in a name", new().pax(&[("path", b"a\0b")]).file("f", "x").end(), "zero byte"),
        ("damaged pax header", new().raw(header(b'x', "x", 5), b"99 a=").end(), "malformed PAX record"),
        ("unknown type", new().raw(header(b'Z', "f", 0), b"").end(), "type that no engine unpacks"),
        ("size beyond all", edited(|h| h.as_old_mut().size = [0xff; 12]), "impossible size"),
        ("size in words", edited(|h| h.as_old_mut().size = *b"hello world "), "impossible size"),
        ("mode in words", edited(|h| h.as_old_mut().mode = *b"rwxr-xr-"), "impossible mode"),
        (
            "wrong checksum",
            {
                let mut b = new().file("f", "x").end();
                b[0] ^= 1;
                b
            },
            "wrong checksum",
        ),
        ("no archive", b"#!/bin/sh\n".repeat(100), "wrong checksum"),
        ("cut in a header", new().file("f", "x").open_end()[..200].to_vec(), "fewer bytes than one has"),
        ("cut in a file", new().file("f", &"x".repeat(4000)).open_end()[..2000].to_vec(), "truncated"),
        ("cut gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b".to_vec(), ""),
        ("no gzip", b"\x1f\x8b\x08garbage".repeat(50), ""),
        ("no zstd", b"\x28\xb5\x2f\xfdgarbage".repeat(50), ""),
        ("sparse beyond its size", sparse("4", "0,5", "hello"), "leaves its file"),
        ("sparse overlap", sparse("9", "0,3,2,2", "hello"), "overlaps itself"),
        ("sparse overflow", sparse("9", "18446744073709551615,5", "hello"), "overflows"),
        ("sparse without content", sparse("99", "0,50", "hello"), "does not fit its content"),
        ("sparse odd map", sparse("9", "0,5,6", "hello"), "malformed sparse map"),
        ("sparse words", sparse("9", "0,x", "hello"), "malformed sparse map"),
        (
            "sparse of too many pieces",
            sparse("9", &format!("{}9,0", many(300_000)), ""),
            "a PAX header exceeds",
        ),
        ("sparse map too long", map_in_content("99999999999\n"), "a sparse map exceeds"),
        ("sparse map cut", map_in_content("4\n1\n"), "malformed sparse map"),
        ("sparse map without end", map_in_content(&"1".repeat(512)), "malformed sparse map"),
    ]
}

fn refused(store: &Store, name: &str, archive: &[u8], reason: &str) {
    let error = store.layers.unpack(archive, Limits::default()).expect_err(name);
    let class = errors::Classified::class(&error);
    let text = errors::chain(&error);
    assert!(text.contains(reason), "{name}: {text}");
    assert_eq!(class, errors::Class::Invalid, "{name}: {text}");
    assert_eq!(store.left(), [""; 0], "{name} left something");
}

#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let Some(store) = store() else { return };
    for (name, archive, reason) in cases() {
        refused(&store, name, &archive, reason);
    }
    for canary in ["escape", "layers/escape", "layers/tmp/escape", "layers/l/escape"] {
        assert!(!store.dir.path().join(canary).exists());
    }
    assert!(!std::path::Path::new("/etc/escape").exists());
}

#[test]
fn limits_hold() {
    let Some(store) = store() else { return };
    let archive = (0..20).fold(Builder::new(), |builder, i| builder.file(&format!("f{i}"), "x")).end();
    let entries = Limits { entries: 10, ..Limits::default() };
    let error = store.layers.unpack(&archive[..], entries).unwrap_err();
    assert_eq!(error.to_string(), "the archive is refused: it has more than 10 entries");
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 64 << 20), 3).unwrap();
    let bytes = Limits { bytes: 1 << 20, ..Limits::default() };
    let error = store.layers.unpack(&bomb[..], bytes).unwrap_err();
    assert_eq!(error.to_string(), "the archive is refused: it has more than 1048576 bytes");
    assert_eq!(store.left(), [""; 0]);
}

#[test]
fn a_bomb_leaves_others_their_part_of_the_disk() {
    let Some(mut store) = store() else { return };
    let disk = store.dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    // Large enough for the reserve to be more than what is on its way between two threads.
    let options = c"size=1g";
    rustix::mount::mount("tmpfs", &disk, "tmpfs", rustix::mount::MountFlags::empty(), options).unwrap();
    store.layers = layers::Layers::open(&disk.join("layers")).unwrap();
    let others = std::fs::File::create(disk.join("others")).unwrap();
    rustix::fs::fallocate(&others, rustix::fs::FallocateFlags::empty(), 0, 900 << 20).unwrap();
    let large = Builder::new().file("bomb", &"0".repeat(200 << 20)).end();
    let bomb = zstd::encode_all(&large[..], 3).unwrap();
    let refused = store.layers.unpack(&bomb[..], Limits::default());
    let small = store.layers.unpack(&Builder::new().file("f", "x").end()[..], Limits::default());
    let free = rustix::fs::statvfs(&disk).unwrap();
    drop(small.unwrap());
    rustix::mount::unmount(&disk, rustix::mount::UnmountFlags::DETACH).unwrap();
    let text = errors::chain(&refused.unwrap_err());
    assert_eq!(
        text,
        "a fiftieth of the disk (at most 1 GiB) has to stay free: no more is unpacked: \
         No space left on device (os error 28)"
    );
    assert!(free.f_bavail > 0);
}
