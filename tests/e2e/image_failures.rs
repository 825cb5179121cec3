//! Every step of what changes the store of images fails in turn, or the daemon dies there: the store is the old or the
//! new one, nothing is left, and the same again succeeds.

use std::collections::BTreeSet;
use std::fs;
use tests::{OwnRegistry, Settings, TestEngine, with_private_engine};

/// More steps than any deed has.
const MOST: u64 = 12;
const NAME: &str = "marked:1";

/// What changes the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Load,
    Commit,
    Pull,
    Remove,
}

/// Blobs and layers on disk by name; what is being written, too.
fn stored(engine: &TestEngine) -> BTreeSet<String> {
    let root = engine.directory().join("root");
    let places = ["blobs/blobs/sha256", "blobs/ingest", "layers/l", "layers/tmp"];
    let names = |place: &&str| -> Vec<String> {
        let entries = fs::read_dir(root.join(place)).unwrap_or_else(|error| panic!("{place}: {error}"));
        entries.map(|entry| format!("{place}/{}", entry.unwrap().file_name().display())).collect()
    };
    places.iter().flat_map(names).collect()
}

/// An archive of an image with a layer of its own, that image in the registry, and a container to commit. Leaves none of
/// the image.
fn prepare(engine: &TestEngine, registry: &OwnRegistry) -> String {
    engine.docker(&["run", "--name", "box", "busybox", "sh", "-c", "echo marked >/mark"]).ok();
    engine.docker(&["commit", "box", NAME]).ok();
    engine.docker(&["tag", NAME, &registry.name(NAME)]).ok();
    engine.docker(&["push", &registry.name(NAME)]).ok();
    let archive = engine.directory().join("marked.tar").display().to_string();
    engine.docker(&["save", "--output", &archive, NAME]).ok();
    engine.docker(&["rmi", NAME, &registry.name(NAME)]).ok();
    archive
}

/// Lets the steps of `verb` in the deed fail one after the other, each with an engine of its own.
fn with_failing(deed: Deed, verb: &str, kind: &str) {
    let mut failed = 0;
    for number in 1..=MOST {
        let mut more = false;
        with_private_engine(Settings::default(), |engine| {
            let registry = OwnRegistry::start(&engine.directory().join("registry"), &[]);
            more = step_fails(engine, &registry, deed, &format!("{verb}={number}:{kind}"));
        });
        if !more {
            break;
        }
        failed += 1;
    }
    assert!(failed > 0 || std::env::var_os("TESTS_DOCKER_HOST").is_some(), "{deed:?} has no step of {verb}");
}

/// Answers whether there was such a step.
fn step_fails(engine: &TestEngine, registry: &OwnRegistry, deed: Deed, inject: &str) -> bool {
    let archive = prepare(engine, registry);
    let remote = registry.name(NAME);
    let name = if deed == Deed::Pull { remote.as_str() } else { NAME };
    let arguments = match deed {
        Deed::Load => ["load", "--input", &archive],
        Deed::Commit => ["commit", "box", name],
        Deed::Pull => ["pull", "--quiet", name],
        Deed::Remove => ["rmi", "--no-prune=false", name],
    };
    if deed == Deed::Remove {
        engine.docker(&["load", "--input", &archive]).ok();
    }
    let before = stored(engine);
    engine.kill_daemon();
    engine.restart_daemon(&[("CONTAINER_RUNTIME_INJECT", inject)]);
    let run = engine.docker(&arguments);
    let killed = inject.ends_with("kill");
    if run.code == 0 && !engine.daemon_log().contains("injected") {
        return false;
    }
    if killed {
        engine.wait_for_daemons_end();
        engine.restart_daemon(&[]);
    }
    let there = engine.docker(&["image", "inspect", name]).code == 0;
    if there == (deed == Deed::Remove) {
        assert_eq!(stored(engine), before, "{deed:?}, {inject}: the old store");
    }
    if run.code == 0 {
        assert_eq!(there, deed != Deed::Remove, "{deed:?}, {inject}: it was answered");
    }
    if deed == Deed::Remove {
        engine.docker(&["rmi", "--force", name]);
        engine.docker(&["load", "--input", &archive]).ok();
    } else {
        engine.docker(&arguments).ok();
    }
    assert_eq!(engine.docker(&["run", "--rm", name, "cat", "/mark"]).ok(), "marked\n", "{deed:?}, {inject}");
    true
}

#[test]
fn each_step_of_a_load_fails_cleanly() {
    ["image.layer", "image.record"].into_iter().for_each(|verb| with_failing(Deed::Load, verb, "error"));
}

#[test]
fn each_step_of_a_commit_fails_cleanly() {
    ["image.layer", "image.record"].into_iter().for_each(|verb| with_failing(Deed::Commit, verb, "error"));
}

#[test]
fn each_step_of_a_pull_fails_cleanly() {
    let verbs = ["image.pull", "image.layer", "image.record"];
    verbs.into_iter().for_each(|verb| with_failing(Deed::Pull, verb, "error"));
}

#[test]
fn the_daemon_dies_at_each_step_of_a_load_or_a_commit() {
    for deed in [Deed::Load, Deed::Commit] {
        ["image.layer", "image.record"].into_iter().for_each(|verb| with_failing(deed, verb, "kill"));
    }
}

#[test]
fn the_daemon_dies_at_each_step_of_a_pull() {
    let verbs = ["image.pull", "image.layer", "image.record"];
    verbs.into_iter().for_each(|verb| with_failing(Deed::Pull, verb, "kill"));
}

#[test]
fn the_daemon_dies_at_each_step_of_a_removal() {
    with_failing(Deed::Remove, "image.remove", "kill");
}
