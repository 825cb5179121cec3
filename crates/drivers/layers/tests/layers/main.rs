//! Layers on a real disk. Needs root: device nodes, owners, the overlay file system.
#![allow(clippy::print_stderr, reason = "a test that skips says why")]

mod builder;
mod dialects;
mod entries;
mod hostile;
mod overlay;
mod pack;
mod tree;
mod view;

use layers::{LayerId, Layers, Limits, Result};
use std::path::PathBuf;

/// A directory of layers that goes with the test.
struct Store {
    layers: Layers,
    dir: tempfile::TempDir,
}

/// None, and says so, without the rights that layers need.
fn store() -> Option<Store> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to make devices, owners and overlay mounts");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let layers = Layers::open(&dir.path().join("layers")).unwrap();
    Some(Store { layers, dir })
}

impl Store {
    fn unpack(&self, archive: &[u8]) -> Result<LayerId> {
        self.layers.unpack(archive, Limits::default())?.publish()
    }

    /// Where a layer is after unpacking.
    fn unpacked(&self, archive: &[u8]) -> PathBuf {
        self.layers.layer_dir(&self.unpack(archive).unwrap())
    }

    /// Names in `l` and `tmp`: layers, and what failures left.
    fn left(&self) -> Vec<String> {
        let names = |part: &str| std::fs::read_dir(self.dir.path().join("layers").join(part)).unwrap();
        names("l").chain(names("tmp")).map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }
}
