//! Who does things to images: random verbs over the API, with what each answer promises.

use super::names::{May, Names};
use super::sources::{self, FILE, MARKS, Sources};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::fixtures::Archive;
use tests::random::Random;
use tests::{Response, TestEngine};

/// Names of a kind that an actor has.
const SLOTS: u64 = 3;

#[derive(Debug)]
pub(super) struct Actor<'a> {
    number: u64,
    random: Random,
    engine: &'a TestEngine,
    sources: &'a Sources,
    made: u64,
    /// Names in the engine.
    pub(super) here: Names,
    /// Names in the registry that it has pushed.
    pub(super) pushed: Names,
    /// Answers that no engine should give.
    pub(super) failures: Vec<String>,
    /// How many deeds succeeded.
    pub(super) answered: u64,
}

impl<'a> Actor<'a> {
    pub(super) fn new(number: u64, seed: u64, engine: &'a TestEngine, sources: &'a Sources) -> Self {
        let random = Random::new(seed ^ (number + 1).wrapping_mul(0x1234_5678_9abc_def1));
        let (here, pushed) = (Names::default(), Names::default());
        let actor = Self {
            number,
            random,
            engine,
            sources,
            made: 0,
            here,
            pushed,
            failures: Vec::new(),
            answered: 0,
        };
        let container = actor.container();
        engine.docker(&["create", "--name", &container, "busybox"]).ok();
        let mut archive = Archive::default();
        archive.file("large", 0o644, &sources::noise(1000 + number, 400_000));
        let path = format!("/containers/{container}/archive?path=/");
        let answer = engine.api_raw("PUT", &path, Some(("application/x-tar", &archive.finish())));
        assert_eq!(answer.status, 200, "{}", answer.text());
        actor
    }

    /// What it commits.
    pub(super) fn container(&self) -> String {
        format!("box-a{}", self.number)
    }

    /// Does things until the engine is gone.
    pub(super) fn act(&mut self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            if self.deed().is_err() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(self.random.below(10)));
        }
    }

    fn deed(&mut self) -> io::Result<()> {
        let present = self.here.present();
        let chosen = self.random.below(present.len().max(1) as u64);
        let old = usize::try_from(chosen).ok().and_then(|place| present.get(place)).cloned();
        match (self.random.below(100), old) {
            (0..20, Some(name)) => self.remove(&name),
            (20..28, Some(name)) => self.tag(&name, "tagged"),
            (28..42, Some(name)) => self.push(&name),
            (42..48, Some(name)) => self.save(&name),
            (48..63, _) => self.commit(),
            (63..75, _) => self.load(),
            (75..83, _) => self.pull_pushed(),
            _ => {
                let mark = self.mark();
                let name = self.sources.registry.name(&sources::remote(mark, self.number));
                self.pull(&name, &BTreeSet::from([Some(mark)])).map(drop)
            }
        }
    }

    fn mark(&mut self) -> u64 {
        MARKS[usize::try_from(self.random.below(MARKS.len() as u64)).unwrap_or_default()]
    }

    /// A name of a kind.
    fn name(&mut self, kind: &str) -> String {
        format!("{kind}-a{}:{}", self.number, self.random.below(SLOTS))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let gone = BTreeSet::from([None]);
        self.here.begin(name, &gone);
        if self.ask("DELETE", &format!("/images/{name}"), None)?.is_some() {
            self.here.set(name, gone);
        }
        Ok(())
    }

    fn tag(&mut self, old: &str, kind: &str) -> io::Result<()> {
        let name = self.name(kind);
        self.tag_as(old, &name).map(drop)
    }

    /// Answers whether it did.
    fn tag_as(&mut self, old: &str, name: &str) -> io::Result<bool> {
        let new = self.here.get(old);
        self.here.begin(name, &new);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let path = format!("/images/{old}/tag?repo={repository}&tag={tag}");
        let done = self.ask("POST", &path, None)?.is_some();
        if done {
            self.here.set(name, new);
        }
        Ok(done)
    }

    fn push(&mut self, old: &str) -> io::Result<()> {
        let name = self.name("pushed");
        let name = self.sources.registry.name(&name);
        if !self.tag_as(old, &name)? {
            return Ok(());
        }
        let new = self.here.get(&name);
        self.pushed.begin(&name, &new);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        if self.ask("POST", &format!("/images/{repository}/push?tag={tag}"), None)?.is_some() {
            self.pushed.set(&name, new);
        }
        Ok(())
    }

    /// What it has pushed itself, if that is there for certain.
    fn pull_pushed(&mut self) -> io::Result<()> {
        let name = self.name("pushed");
        let name = self.sources.registry.name(&name);
        let may = self.pushed.get(&name);
        if may.contains(&None) { Ok(()) } else { self.pull(&name, &may).map(drop) }
    }

    /// Answers whether it did.
    pub(super) fn pull(&mut self, name: &str, new: &May) -> io::Result<bool> {
        self.here.begin(name, new);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let path = format!("/images/create?fromImage={repository}&tag={tag}");
        let done = self.ask("POST", &path, None)?.is_some();
        if done {
            self.here.set(name, new.clone());
        }
        Ok(done)
    }

    fn save(&mut self, name: &str) -> io::Result<()> {
        let Some(answer) = self.ask("GET", &format!("/images/{name}/get"), None)? else { return Ok(()) };
        let mut archive = tar::Archive::new(answer.body.as_slice());
        let names = archive.entries()?.map(|entry| Ok(entry?.path()?.display().to_string()));
        let names: Vec<String> = names.collect::<io::Result<_>>()?;
        if !names.iter().any(|name| name == "manifest.json") {
            self.failures.push(format!("an archive of {name} holds {names:?}"));
        }
        Ok(())
    }

    fn load(&mut self) -> io::Result<()> {
        let mark = self.mark();
        let (name, new) = (format!("loaded-a{}:{mark}", self.number), BTreeSet::from([Some(mark)]));
        self.here.begin(&name, &new);
        let archive = sources::archive(&name, mark);
        if self.ask("POST", "/images/load", Some(("application/x-tar", &archive)))?.is_some() {
            self.here.set(&name, new);
        }
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.made += 1;
        let mark = 1000 * (self.number + 1) + self.made;
        let (container, name, new) = (self.container(), self.name("committed"), BTreeSet::from([Some(mark)]));
        let mut archive = Archive::default();
        archive.file(FILE, 0o644, mark.to_string().as_bytes());
        let body = Some(("application/x-tar", archive.finish()));
        let body = body.as_ref().map(|(kind, bytes)| (*kind, bytes.as_slice()));
        if self.ask("PUT", &format!("/containers/{container}/archive?path=/"), body)?.is_none() {
            return Ok(());
        }
        self.here.begin(&name, &new);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        let label = format!("LABEL%20mark%3D{mark}");
        let path = format!("/commit?container={container}&repo={repository}&tag={tag}&changes={label}");
        if self.ask("POST", &path, None)?.is_some() {
            self.here.set(&name, new);
        }
        Ok(())
    }

    /// None: it was refused, which is noted, since none of these may be. An error: the engine is gone.
    fn ask(&mut self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> io::Result<Option<Response>> {
        let answer = self.engine.try_api_raw(method, path, body)?;
        let is_json = answer.header("content-type").is_some_and(|kind| kind.contains("json"));
        if answer.status >= 400 || is_json && answer.text().contains("\"errorDetail\"") {
            self.failures.push(format!("{method} {path}: {} {}", answer.status, answer.text()));
            return Ok(None);
        }
        self.answered += 1;
        Ok(Some(answer))
    }
}
