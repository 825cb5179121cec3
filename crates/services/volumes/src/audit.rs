//! Volumes' records beside their directories and mounts: what has no counterpart, and what is done about it.

use crate::{Result, Volumes, directories, driver};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What records and disk say differently, by volumes' names. Volumes that somebody works on just now are in none of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// A directory without a record.
    pub unrecorded: Vec<String>,
    /// A record without a directory.
    pub without_directory: Vec<String>,
    /// The mount that its options ask for is there, and no container runs with it. What a person has mounted on another is theirs.
    pub mounted: Vec<String>,
    /// A container runs with it, and its mount is not there.
    pub unmounted: Vec<String>,
}

/// What is known of a volume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Facts {
    recorded: bool,
    directory: bool,
    mounted: bool,
    needs_mount: bool,
    runs: bool,
    busy: bool,
}

impl Volumes {
    /// Compares now. Some system calls a volume.
    ///
    /// # Errors
    /// Those of reading the directory.
    pub async fn audit(&self) -> Result<Audit> {
        let dir = self.dir.clone();
        let on_disk = offload::blocking(move || directories::listed(&dir)).await?;
        let mut facts: BTreeMap<String, Facts> = BTreeMap::new();
        for (name, mounted) in on_disk {
            facts.insert(name, Facts { directory: true, mounted, ..Facts::default() });
        }
        for (name, known) in self.known().iter() {
            let facts = facts.entry(name.clone()).or_default();
            (facts.recorded, facts.busy) = (true, known.removing);
            facts.needs_mount = driver::needs_mount(&known.volume.options);
            facts.runs = known.users.is_mounted();
        }
        for (name, facts) in &mut facts {
            facts.busy |= self.changing.is_held(name);
        }
        Ok(compare(&facts))
    }

    /// Makes a volume again of a directory that has content, and discards one that has none; as at a start.
    ///
    /// # Errors
    /// The disk's and the store's.
    pub async fn readmit(&self, name: &str) -> Result<()> {
        let _changing = self.changing.hold(name).await;
        if self.existing(name).is_some() {
            return Ok(());
        }
        let (dir, asked, trash) = (self.dir.clone(), name.to_owned(), Arc::clone(&self.trash));
        let orphan = offload::blocking(move || directories::readmit(&dir, &asked, &trash)).await?;
        match orphan {
            Some(volume) => self.record(volume).await,
            None => Ok(()),
        }
    }

    /// Makes the directory of a volume that has lost it: an empty one.
    ///
    /// # Errors
    /// The disk's.
    pub async fn make_directory(&self, name: &str) -> Result<()> {
        let _changing = self.changing.hold(name).await;
        if self.existing(name).is_none() {
            return Ok(());
        }
        let path = self.path(name);
        offload::blocking(move || Ok(durable::create_dir_all(&path, 0o755)?)).await
    }

    /// Takes away what is mounted on a volume that no container runs with, or makes the mount that one that runs should have.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn set_mount(&self, name: &str) -> Result<()> {
        let _changing = self.changing.hold(name).await;
        let wanted = {
            let known = self.known();
            let used = known.get(name).filter(|known| known.users.is_mounted());
            used.map(|known| known.volume.clone()).filter(|volume| driver::needs_mount(&volume.options))
        };
        match wanted {
            Some(volume) => self.driver_mount(volume).await,
            None => self.driver_unmount(name).await,
        }
    }
}

fn compare(facts: &BTreeMap<String, Facts>) -> Audit {
    let names = |test: fn(&Facts) -> bool| -> Vec<String> {
        let found = facts.iter().filter(|(_, facts)| !facts.busy && test(facts));
        found.map(|(name, _)| name.clone()).collect()
    };
    Audit {
        unrecorded: names(|facts| facts.directory && !facts.recorded),
        without_directory: names(|facts| facts.recorded && !facts.directory),
        mounted: names(|facts| facts.mounted && facts.needs_mount && !facts.runs),
        unmounted: names(|facts| facts.directory && facts.needs_mount && facts.runs && !facts.mounted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_disagreement_is_found_and_nothing_else() {
        let sound = Facts { recorded: true, directory: true, ..Facts::default() };
        let nfs = Facts { needs_mount: true, ..sound };
        let busy = Facts { directory: true, busy: true, ..Facts::default() };
        let facts = [
            ("sound", sound),
            ("idle", nfs),
            ("used", Facts { runs: true, mounted: true, ..nfs }),
            ("busy", busy),
            ("orphan", Facts { recorded: false, ..sound }),
            ("gone", Facts { directory: false, ..sound }),
            ("covered", Facts { mounted: true, runs: true, ..sound }),
            ("left", Facts { mounted: true, ..nfs }),
            ("bare", Facts { runs: true, ..nfs }),
        ];
        let facts = facts.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect();
        let one = |name: &str| vec![name.to_owned()];
        let expected = Audit {
            unrecorded: one("orphan"),
            without_directory: one("gone"),
            mounted: one("left"),
            unmounted: one("bare"),
        };
        assert_eq!(compare(&facts), expected);
    }
}
