//! Looking at the store after a restart: what the engine says against what it answered before, and what is on the disk.

use super::actor::Actor;
use super::names::May;
use super::sources::{FILE, Sources};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tests::TestEngine;

/// What is in here goes by itself.
const TRASH: &str = "layers/trash";

#[derive(Debug)]
pub(super) struct Checker<'a> {
    engine: &'a TestEngine,
    sources: &'a Sources,
    /// What is on the disk without any of the actors' images.
    before: BTreeSet<String>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(engine: &'a TestEngine, sources: &'a Sources) -> Self {
        let mut before = stored(engine);
        before.retain(|path| !path.starts_with(TRASH));
        Self { engine, sources, before }
    }

    /// Every name means what it may, there is no other, and nothing half-written but what a pull can go on with.
    pub(super) fn check(&self, actors: &mut [Actor<'_>]) {
        let found = self.names();
        let mut wrong = Vec::new();
        for actor in &mut *actors {
            wrong.append(&mut actor.failures);
            wrong.extend(actor.here.compare(&found));
        }
        let known: BTreeSet<_> =
            actors.iter().flat_map(|actor| actor.here.iter()).map(|(name, _)| name).collect();
        wrong.extend(found.keys().filter(|name| !known.contains(name)).map(|name| format!("{name}: whose?")));
        for place in ["blobs/ingest", "layers/tmp"] {
            wrong.extend(
                entries(self.engine, place).into_iter().map(|name| format!("{place}/{name} is left")),
            );
        }
        wrong.extend(self.partials());
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// Marks by name.
    fn names(&self) -> BTreeMap<String, u64> {
        let list = self.engine.api("GET", "/images/json", None).json();
        let mut names = BTreeMap::new();
        for image in list.as_array().into_iter().flatten() {
            let Some(mark) = image["Labels"]["mark"].as_str() else { continue };
            let tags = image["RepoTags"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
            names.extend(tags.map(|name| (name.to_owned(), mark.parse().unwrap())));
        }
        names
    }

    /// What is wrong with half-fetched blobs: each is the beginning of one that the registry has.
    fn partials(&self) -> Vec<String> {
        let place = "blobs/partial";
        let is_sound = |name: &String| {
            let Some(digest) = name.strip_prefix("pull-") else { return false };
            let partial = fs::read(path(self.engine, place).join(name)).unwrap();
            fs::read(self.sources.registry.blob(digest)).is_ok_and(|whole| whole.starts_with(&partial))
        };
        let wrong = entries(self.engine, place).into_iter().filter(|name| !is_sound(name));
        wrong.map(|name| format!("{place}/{name} is no beginning of a blob")).collect()
    }

    /// The engine finds nothing wrong with any byte.
    pub(super) fn check_bytes(&self) {
        let said = self.engine.cr(&["system", "check"]).ok();
        assert!(said.contains("nothing is wrong"), "{said}");
    }

    /// What was pushed is there, and comes back.
    pub(super) fn check_registry(&self, actors: &mut [Actor<'_>]) {
        for actor in actors {
            let pushed: Vec<(String, May)> =
                actor.pushed.iter().map(|(name, may)| (name.clone(), may.clone())).collect();
            for (name, mut may) in pushed {
                if may.remove(&None) {
                    // Whether it was pushed nobody has heard.
                    continue;
                }
                assert!(actor.pull(&name, &may).unwrap(), "{:?}", actor.failures);
                let found = self.names().get(&name).copied();
                assert!(may.contains(&found), "{name} came back as {found:?} and should be one of {may:?}");
            }
        }
    }

    /// The files of every image are its own.
    pub(super) fn check_contents(&self, actors: &[Actor<'_>]) {
        let names = self.names();
        let ours = actors.iter().flat_map(|actor| actor.here.present());
        for name in ours {
            let made =
                self.engine.api("POST", "/containers/create?name=look", Some(&json!({ "Image": name })));
            assert_eq!(made.status, 201, "{name}: {}", made.text());
            let got = self.engine.api("GET", &format!("/containers/look/archive?path=/{FILE}"), None);
            let mut archive = tar::Archive::new(got.body.as_slice());
            let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
            let mut mark = String::new();
            std::io::Read::read_to_string(&mut entry, &mut mark).unwrap();
            assert_eq!(mark.parse().ok(), names.get(&name).copied(), "{name}");
            self.engine.api("DELETE", "/containers/look", None);
        }
    }

    /// Without the actors' images and containers the disk is as before.
    pub(super) fn check_nothing_is_left(&self, actors: &[Actor<'_>]) {
        self.remove(actors);
        let mut left = BTreeSet::new();
        for _ in 0..1000 {
            left = stored(self.engine).symmetric_difference(&self.before).cloned().collect();
            if left.is_empty() {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let images = self.engine.docker(&["images", "--all", "--digests"]).stdout;
        assert!(left.is_empty(), "{left:#?}\n{images}");
    }

    fn remove(&self, actors: &[Actor<'_>]) {
        let docker = |arguments: &[&str]| self.engine.docker(arguments);
        for actor in actors {
            docker(&["rm", &actor.container()]).ok();
            for name in actor.here.present() {
                docker(&["rmi", &name]).ok();
            }
        }
        // Images whose name another was given, some of which have their digest in a registry for a name.
        docker(&["image", "prune", "--force"]).ok();
        let format = "{{.ID}} {{.Repository}}";
        for line in docker(&["images", "--no-trunc", "--format", format]).ok().lines() {
            if let Some((id, _)) = line.split_once(' ').filter(|(_, name)| name.contains("/pushed-a")) {
                docker(&["rmi", "--force", id]);
            }
        }
    }
}

fn path(engine: &TestEngine, place: &str) -> PathBuf {
    engine.directory().join("root").join(place)
}

fn entries(engine: &TestEngine, place: &str) -> Vec<String> {
    let entries = fs::read_dir(path(engine, place)).unwrap_or_else(|error| panic!("{place}: {error}"));
    entries.map(|entry| entry.unwrap().file_name().display().to_string()).collect()
}

/// Blobs, layers and what is being written or deleted, by name.
fn stored(engine: &TestEngine) -> BTreeSet<String> {
    let places = ["blobs/blobs/sha256", "blobs/ingest", "layers/l", "layers/c", "layers/tmp", TRASH];
    let in_place = |place: &&str| -> Vec<String> {
        entries(engine, place).into_iter().map(|name| format!("{place}/{name}")).collect()
    };
    places.iter().flat_map(in_place).collect()
}
