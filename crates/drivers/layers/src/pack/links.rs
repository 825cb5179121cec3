//! Files with several names: the first has the content, the others refer to it.

use rustix::fs::Stat;
use std::collections::HashMap;

/// Those whose other names are still to come.
#[derive(Debug, Default)]
pub(super) struct Links {
    first: HashMap<(u64, u64), First>,
}

#[derive(Debug)]
struct First {
    name: Vec<u8>,
    /// How many more names there were when it was found.
    more: u64,
}

impl Links {
    /// The name under which the file has come already; if it has not, it is noted under `name`.
    pub(super) fn earlier(&mut self, stat: &Stat, name: &[u8]) -> Option<Vec<u8>> {
        if stat.st_nlink < 2 {
            return None;
        }
        let key = (stat.st_dev, stat.st_ino);
        let Some(first) = self.first.get_mut(&key) else {
            self.first.insert(key, First { name: name.to_owned(), more: stat.st_nlink - 1 });
            return None;
        };
        first.more -= 1;
        if first.more > 0 {
            return Some(first.name.clone());
        }
        // With the last one it is forgotten, so that the table stays as small as it can.
        self.first.remove(&key).map(|first| first.name)
    }
}
