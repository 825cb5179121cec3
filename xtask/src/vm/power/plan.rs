//! What is to happen between two cuts, and what may be there after the second: of a deed that was answered the new
//! state, of the one that was going on the old or the new.

use super::images::{self, Files, Image};
use super::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Who does things at the same time, each to names of its own.
pub(super) const ACTORS: u64 = 3;
/// More deeds than anybody comes to.
const DEEDS: usize = 150;
const REGISTRY: &str = "127.0.0.1:5000";

/// The digest of an image's files; none: there is no such name.
pub(super) type Content = Option<String>;

/// A deed: what the guest runs, and what it makes of which name.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) script: String,
    effect: Option<(String, Content)>,
}

/// Everything that may be true of the store.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// What each name may mean.
    names: BTreeMap<String, BTreeSet<Content>>,
    /// The files of every image there ever was, by their digest.
    contents: BTreeMap<String, Files>,
    made: u64,
}

impl Model {
    pub(super) fn new(images: &[Image]) -> Self {
        let contents = images.iter().map(|image| (images::digest(&image.files), image.files.clone()));
        Self { contents: contents.collect(), ..Self::default() }
    }

    /// A list of deeds for each actor, from the state that was just looked at.
    pub(super) fn plan(&mut self, images: &[Image], random: &mut Random) -> Vec<Vec<Deed>> {
        (0..ACTORS).map(|actor| self.plan_of(actor, images, random)).collect()
    }

    fn plan_of(&mut self, actor: u64, images: &[Image], random: &mut Random) -> Vec<Deed> {
        let ours = |name: &&String| name.contains(&format!("a{actor}"));
        let known = self.names.iter().filter(|(name, _)| ours(name));
        let mut here: BTreeMap<String, String> =
            known.filter_map(|(name, may)| Some((name.clone(), may.iter().next()?.clone()?))).collect();
        (0..DEEDS).map(|_| self.deed(actor, images, &mut here, random)).collect()
    }

    fn deed(
        &mut self,
        actor: u64,
        images: &[Image],
        here: &mut BTreeMap<String, String>,
        random: &mut Random,
    ) -> Deed {
        self.made += 1;
        let number = self.made;
        let names: Vec<_> = here.keys().cloned().collect();
        let old = random.choose(&names).cloned();
        let image = random.choose(images);
        let slot = random.below(3);
        match (random.below(100), old, image) {
            (0..30, Some(old), _) => {
                here.remove(&old);
                Deed { script: format!("cr rmi {old}"), effect: Some((old, None)) }
            }
            (30..40, Some(old), _) => {
                let (new, content) = (format!("tag-a{actor}:{slot}"), here[&old].clone());
                here.insert(new.clone(), content.clone());
                Deed { script: format!("cr tag {old} {new}"), effect: Some((new, Some(content))) }
            }
            (40..60, Some(old), _) => {
                let (new, box_) = (format!("commit-a{actor}:{slot}"), format!("box-a{actor}-{number}"));
                let content = self.committed(&here[&old], number);
                here.insert(new.clone(), content.clone());
                let script = format!(
                    "cr run --name {box_} {old} sh -c 'echo {number} >/data/committed' && cr commit {box_} {new} \
                     && cr rm {box_}"
                );
                Deed { script, effect: Some((new, Some(content))) }
            }
            (60..65, Some(old), _) => Deed { script: format!("cr save {old} >/dev/null"), effect: None },
            (65..80, _, Some(image)) => {
                let name = loaded(image.name, actor);
                let content = images::digest(&image.files);
                here.insert(name.clone(), content.clone());
                let script = format!("cr load -i {}", archive(image.name, actor));
                Deed { script, effect: Some((name, Some(content))) }
            }
            (_, _, Some(image)) => {
                let name = format!("{REGISTRY}/{}:{}", image.name, tag(actor));
                let content = images::digest(&image.files);
                here.insert(name.clone(), content.clone());
                Deed { script: format!("cr pull {name}"), effect: Some((name, Some(content))) }
            }
            _ => Deed { script: "true".to_owned(), effect: None },
        }
    }

    /// The digest of an image with one more file.
    fn committed(&mut self, parent: &str, number: u64) -> String {
        let mut files = self.contents.get(parent).cloned().unwrap_or_default();
        files.insert("committed".to_owned(), format!("{number}\n").into_bytes());
        let digest = images::digest(&files);
        self.contents.insert(digest.clone(), files);
        digest
    }

    /// It was begun: the name means the old or the new.
    pub(super) fn begun(&mut self, deed: &Deed) {
        if let Some((name, content)) = &deed.effect {
            let may = self.names.entry(name.clone()).or_insert_with(|| BTreeSet::from([None]));
            may.insert(content.clone());
        }
    }

    /// It was answered: the name means the new.
    pub(super) fn done(&mut self, deed: &Deed) {
        if let Some((name, content)) = &deed.effect {
            self.names.insert(name.clone(), BTreeSet::from([content.clone()]));
        }
    }

    /// Compares with what was found, name by name and image by image, and goes on from there. Answers what is wrong.
    pub(super) fn compare(
        &mut self,
        names: &BTreeMap<String, String>,
        contents: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, content) in contents {
            if !self.contents.contains_key(content) {
                wrong.push(format!("the files of {id} are those of no image: {content}"));
            }
        }
        for name in names.keys().filter(|name| !self.names.contains_key(*name)) {
            wrong.push(format!("{name} was never made"));
        }
        for (name, may) in &mut self.names {
            let found = names.get(name).and_then(|id| contents.get(id)).cloned();
            if names.contains_key(name) && found.is_none() {
                wrong.push(format!("{name} means an image that is not there"));
            } else if !may.contains(&found) {
                wrong.push(format!("{name} is {found:?} and should be one of {may:?}"));
            }
            *may = BTreeSet::from([found]);
        }
        wrong
    }
}

/// The tag that an actor pulls.
pub(super) fn tag(actor: u64) -> String {
    format!("a{actor}")
}

/// The name that an archive gives to what is loaded.
pub(super) fn loaded(image: &str, actor: u64) -> String {
    format!("load-a{actor}/{image}:latest")
}

/// Where the archive is in the guest.
pub(super) fn archive(image: &str, actor: u64) -> String {
    format!("/vm/archives/{image}-a{actor}.tar")
}
