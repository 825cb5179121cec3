//! What may be there after a cut: of a deed that was answered the new state, of one that was going on the old or the new.

use super::images::{self, Files, Image};
use super::plan::{self, Deed};
use super::round::Looked;
use std::collections::{BTreeMap, BTreeSet};

/// The digest of an image's files; none: there is no such name.
pub(super) type Content = Option<String>;

/// Everything that may be true of the store.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// What each name may mean.
    names: BTreeMap<String, BTreeSet<Content>>,
    /// The files of every image there ever was, by their digest.
    contents: BTreeMap<String, Files>,
}

impl Model {
    pub(super) fn new(images: &[Image]) -> Self {
        let contents = images.iter().map(|image| (images::digest(&image.files), image.files.clone()));
        Self { contents: contents.collect(), ..Self::default() }
    }

    /// What the engine's names mean that hold this text, as far as they are there; to be asked after a look.
    pub(super) fn meanings(&self, holding: &str) -> BTreeMap<String, String> {
        let ours = |name: &str| name.contains(holding) && !name.starts_with(&plan::pushed(""));
        let ours = self.names.iter().filter(|(name, _)| ours(name));
        ours.filter_map(|(name, may)| Some((name.clone(), may.iter().next()?.clone()?))).collect()
    }

    /// The digest of an image with one more file.
    pub(super) fn committed(&mut self, parent: &str, number: u64) -> String {
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
    pub(super) fn compare(&mut self, looked: &Looked) -> Vec<String> {
        let mut wrong = Vec::new();
        for (thing, content) in looked.contents.iter().chain(&looked.pushed) {
            if !self.contents.contains_key(content) {
                wrong.push(format!("the files of {thing} are those of no image: {content}"));
            }
        }
        for name in looked.names.keys().chain(looked.pushed.keys()) {
            if !self.names.contains_key(name) {
                wrong.push(format!("{name} was never made"));
            }
        }
        for (name, may) in &mut self.names {
            let id = looked.names.get(name);
            let found =
                id.and_then(|id| looked.contents.get(id)).or_else(|| looked.pushed.get(name)).cloned();
            if id.is_some() && found.is_none() {
                wrong.push(format!("{name} means an image that is not there"));
            } else if !may.contains(&found) {
                wrong.push(format!("{name} is {found:?} and should be one of {may:?}"));
            }
            *may = BTreeSet::from([found]);
        }
        wrong
    }
}
