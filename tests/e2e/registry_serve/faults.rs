//! Our registry killed in the midst of an upload, and on a disk that has no room.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::registry::skopeo;
use tests::{Need, OwnRegistry, Run, fixtures, lacks, skip};

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

/// Bytes that no compression makes fewer.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn an_upload_goes_on_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut registry = OwnRegistry::start(&dir.path().join("storage"), &[]);
    let content = noise(3 << 20);
    let begun = registry.request("POST", "/v2/app/blobs/uploads/", &[], b"").unwrap();
    let location = begun.header("location").unwrap().to_owned();
    let first = registry.request("PATCH", &location, &[], &content[..1 << 20]).unwrap();
    assert_eq!((first.status, first.header("range")), (202, Some("0-1048575")));
    registry.kill();
    registry.restart();
    let known = registry.request("GET", &location, &[], b"").unwrap();
    assert_eq!((known.status, known.header("range")), (204, Some("0-1048575")));
    let rest = [("content-range", format!("{}-{}", 1 << 20, content.len() - 1))];
    let rest = [(rest[0].0, rest[0].1.as_str())];
    assert_eq!(registry.request("PATCH", &location, &rest, &content[1 << 20..]).unwrap().status, 202);
    let end = format!("{location}?digest={}", digest(&content));
    assert_eq!(registry.request("PUT", &end, &[], b"").unwrap().status, 201);
    registry.kill();
    registry.restart();
    let path = format!("/v2/app/blobs/{}", digest(&content));
    assert!(registry.request("GET", &path, &[], b"").unwrap().body == content);
    // A digest that is not the content's: nothing of it is kept.
    let begun = registry.request("POST", "/v2/app/blobs/uploads/", &[], b"").unwrap();
    let end = format!("{}?digest={}", begun.header("location").unwrap(), digest(b"other"));
    assert_eq!(registry.request("PUT", &end, &[], b"content").unwrap().status, 400);
    assert_eq!(std::fs::read_dir(dir.path().join("storage/partial")).unwrap().count(), 0);
}

/// A file system of its own, taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(place: &Path, bytes: usize) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let size = format!("size={bytes}");
        Run::of(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place)).ok();
        Self(place.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    if let Some(lacking) = lacks(&[Need::Root, Need::Program("skopeo"), Need::Path(fixtures::BUSYBOX)]) {
        return skip(&lacking);
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(&dir.path().join("disk"), 3 << 20);
    let storage = disk.0.join("storage");
    let registry = OwnRegistry::start(&storage, &["--gc-interval", "0"]);
    let small = format!("docker-archive:{}", fixtures::busybox().display());
    let to = format!("docker://{}", registry.name("small:1"));
    skopeo(&["copy", "--quiet", "--dest-tls-verify=false", &small, &to]).ok();
    let begun = registry.request("POST", "/v2/large/blobs/uploads/", &[], b"").unwrap();
    let location = begun.header("location").unwrap();
    let refused = registry.request("PATCH", location, &[], &noise(8 << 20)).unwrap();
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(refused.text().contains("the registry's disk is full"), "{}", refused.text());
    assert_eq!(std::fs::read_dir(storage.join("partial")).unwrap().count(), 0);
    // What was there is there, and what has room goes in.
    skopeo(&["inspect", "--tls-verify=false", &to]).ok();
    let begun = registry.request("POST", "/v2/little/blobs/uploads/", &[], b"").unwrap();
    let end = format!("{}?digest={}", begun.header("location").unwrap(), digest(b"little"));
    assert_eq!(registry.request("PUT", &end, &[], b"little").unwrap().status, 201);
}
