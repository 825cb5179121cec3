//! Every file of every corpus: what a fuzzer once found, and what it began with.
#![allow(clippy::print_stderr, reason = "a test that skips says why")]

use std::fs;
use std::path::Path;

#[track_caller]
fn each(corpus: &str, probe: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(corpus);
    let mut count = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(std::panic::catch_unwind(|| probe(&bytes)).is_ok(), "{}", path.display());
        count += 1;
    }
    assert!(count > 3, "{} holds next to nothing", directory.display());
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root to create files of other owners");
    }
    root
}

#[test]
fn references() {
    each("references", probes::reference);
}

#[test]
fn manifests() {
    each("manifests", probes::manifest);
}

#[test]
fn names() {
    each("names", probes::names);
}

#[test]
fn layers() {
    if is_root() {
        each("layers", probes::layer);
    }
}

#[test]
fn archives() {
    if is_root() {
        each("archives", probes::archive);
    }
}
