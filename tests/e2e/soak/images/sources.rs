//! Where images come from: archives, and a registry that nobody kills. Each image says who it is in a label and in a file.

use serde_json::json;
use std::io::Write;
use tests::OwnRegistry;
use tests::TestEngine;
use tests::fixtures::{Archive, docker_archive};

/// Marks of the images that are there from the beginning.
pub(super) const MARKS: [u64; 3] = [1, 2, 3];
/// Where an image says its mark.
pub(super) const FILE: &str = "mark";

#[derive(Debug)]
pub(super) struct Sources {
    pub(super) registry: OwnRegistry,
}

impl Sources {
    /// Puts the images into the registry, for each actor under a tag of its own, and leaves none in the engine.
    pub(super) fn make(engine: &TestEngine, actors: u64) -> Self {
        let registry = OwnRegistry::start(&engine.directory().join("registry"), &[]);
        for mark in MARKS {
            let name = registry.name(&format!("source-{mark}:latest"));
            load(engine, &archive(&name, mark));
            for actor in 0..actors {
                let tagged = registry.name(&remote(mark, actor));
                engine.docker(&["tag", &name, &tagged]).ok();
                engine.docker(&["push", "--quiet", &tagged]).ok();
                engine.docker(&["rmi", &tagged]).ok();
            }
            engine.docker(&["rmi", &name]).ok();
        }
        Self { registry }
    }
}

/// Repository and tag of an image for an actor.
pub(super) fn remote(mark: u64, actor: u64) -> String {
    format!("source-{mark}:a{actor}")
}

/// As `docker save` writes an image with this name.
pub(super) fn archive(name: &str, mark: u64) -> Vec<u8> {
    docker_archive(name, &layer(mark), &json!({ "Cmd": ["none"], "Labels": { "mark": mark.to_string() } }))
}

/// The file with the mark, and so much beside it that writing it takes a while.
fn layer(mark: u64) -> Vec<u8> {
    let mut layer = Archive::default();
    for number in 0..150 * mark {
        layer.file(&format!("many-{mark}/{number}"), 0o644, format!("{number} of {mark}\n").as_bytes());
    }
    layer.file(&format!("large-{mark}"), 0o644, &noise(mark, 600_000));
    layer.file(FILE, 0o644, mark.to_string().as_bytes());
    layer.finish()
}

/// Bytes that no compression makes smaller.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.write_all(&(state >> 16).to_le_bytes()[..4]).unwrap();
    }
    bytes.truncate(length);
    bytes
}

fn load(engine: &TestEngine, archive: &[u8]) {
    let answer = engine.api_raw("POST", "/images/load", Some(("application/x-tar", archive)));
    assert!(answer.status == 200 && !answer.text().contains("errorDetail"), "{}", answer.text());
}
