//! What names may mean, as far as answers promised something.

use std::collections::{BTreeMap, BTreeSet};

/// The marks of images; none: there is no such name.
pub(super) type May = BTreeSet<Option<u64>>;

#[derive(Debug, Default)]
pub(super) struct Names {
    all: BTreeMap<String, May>,
}

impl Names {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &May)> {
        self.all.iter()
    }

    /// What this one may mean.
    pub(super) fn get(&self, name: &str) -> May {
        self.all.get(name).cloned().unwrap_or_else(|| BTreeSet::from([None]))
    }

    /// Names of images that are there, whatever they are.
    pub(super) fn present(&self) -> Vec<String> {
        let present = self.all.iter().filter(|(_, may)| !may.contains(&None));
        present.map(|(name, _)| name.clone()).collect()
    }

    /// Something is begun that makes it mean one of `new`.
    pub(super) fn begin(&mut self, name: &str, new: &May) {
        let mut may = self.get(name);
        may.extend(new);
        self.all.insert(name.to_owned(), may);
    }

    /// It means one of these now.
    pub(super) fn set(&mut self, name: &str, may: May) {
        self.all.insert(name.to_owned(), may);
    }

    /// Compares with what was found, and goes on from there. Answers what is wrong.
    pub(super) fn compare(&mut self, found: &BTreeMap<String, u64>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, may) in &mut self.all {
            let found = found.get(name).copied();
            if !may.contains(&found) {
                wrong.push(format!("{name} is {found:?} and should be one of {may:?}"));
            }
            *may = BTreeSet::from([found]);
        }
        wrong
    }
}
