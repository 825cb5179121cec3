//! What must hold for any bytes at all: one function a parser that strangers feed.
//!
//! `fuzz/` calls them with bytes that a fuzzer makes up; a test calls them with those of `fuzz/corpus`, in each run.

use images::{Config, Images, LoadOptions};
use layers::{Layers, Limits};
use oci::{Digest, ImageConfig, Platform, Query, Reference};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;

/// More than any honest archive in a corpus has, and little enough for a fuzzer that finds out about bombs.
const LIMITS: Limits = Limits { bytes: 4 << 20, entries: 2000 };

/// Names, digests and platforms: what is read is written so that it is read as the same again.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(reference) = text.parse::<Reference>() {
        for written in [reference.to_string(), reference.familiar()] {
            assert_eq!(written.parse::<Reference>().as_ref(), Ok(&reference), "{text:?} as {written:?}");
        }
        assert_eq!(reference.clone().or_latest().without_tag(), reference.without_tag(), "{text:?}");
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.as_str(), text);
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>().as_ref(), Ok(&platform), "{text:?}");
    }
    let _ = text.parse::<Query>();
}

/// The documents of an image: what a pull makes of them before it fetches anything.
pub fn manifest(bytes: &[u8]) {
    let _ = oci::media::of_document(bytes);
    images::read_documents(bytes);
    if let Ok(config) = serde_json::from_slice::<ImageConfig>(bytes) {
        let _ = config.platform().to_string();
        let written = serde_json::to_vec(&config).expect("a config that was read is written");
        assert_eq!(serde_json::from_slice::<ImageConfig>(&written).ok().as_ref(), Some(&config));
    }
}

/// A question for a name, and what claims to be its answer: whatever is sent for it can be read.
pub fn names(bytes: &[u8]) {
    dns::probe::packets(bytes);
}

/// A layer, unpacked: whatever it holds, nothing appears beside where it belongs. Needs root.
pub fn layer(bytes: &[u8]) {
    static PLACE: OnceLock<(Place, Layers)> = OnceLock::new();
    let (place, layers) = PLACE.get_or_init(|| {
        let place = Place::new();
        let layers = Layers::open(&place.inner).expect("open a store of layers");
        (place, layers)
    });
    drop(layers.unpack(Cursor::new(bytes), LIMITS));
    place.check();
}

/// An archive of images, loaded. Needs root.
pub fn archive(bytes: &[u8]) {
    static PLACE: OnceLock<(Place, Runtime, Images)> = OnceLock::new();
    let (place, runtime, images) = PLACE.get_or_init(|| {
        let place = Place::new();
        let runtime = Runtime::new().expect("start a runtime");
        let store = store::open_redb(&place.inner.join("state.redb")).expect("open a store");
        let config = Config { root: place.inner.clone(), beside: None, downloads: 1 };
        let images = runtime.block_on(Images::open(config, Arc::clone(&store))).expect("open the images");
        (place, runtime, images)
    });
    let before = images.count();
    let loaded = runtime.block_on(images.load(Cursor::new(bytes.to_vec()), LoadOptions::default()));
    match loaded {
        Ok(loaded) => {
            for image in loaded {
                // What was loaded is whole, whatever it was called in the archive.
                assert!(images.get(&image.id).is_some(), "{image}");
                let _ = runtime.block_on(images.remove(image.id.as_str(), FORCE, Vec::new));
            }
        }
        Err(_) => assert_eq!(images.count(), before, "a refused archive leaves no image"),
    }
    place.check();
}

const FORCE: images::Removal = images::Removal { force: true, prune: true, unused: false };

/// A directory for a store, in one that holds nothing else.
struct Place {
    outer: tempfile::TempDir,
    inner: PathBuf,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("make a directory");
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).expect("make a directory");
        fs::write(outer.path().join("guard"), "untouched").expect("write a file");
        Self { outer, inner }
    }

    /// Nothing came to be beside the store, and what was there is as it was.
    fn check(&self) {
        let names = |path: &Path| {
            let entries = fs::read_dir(path).expect("read a directory").flatten();
            let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(self.outer.path()), ["guard", "inner"]);
        let guard = fs::read_to_string(self.outer.path().join("guard")).expect("read a file");
        assert_eq!(guard, "untouched");
    }
}
