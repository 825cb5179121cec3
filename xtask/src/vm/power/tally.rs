//! How often what was done, and how often the power went in the midst of it.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by verb.
#[derive(Debug, Default)]
pub(super) struct Tally {
    verbs: BTreeMap<&'static str, Counts>,
    /// Looks after which a check had something to repair.
    pub(super) repaired: u32,
    /// Cuts that lost something that was not flushed.
    pub(super) lossy: u32,
}

#[derive(Debug, Default)]
struct Counts {
    answered: u64,
    cut: u64,
}

impl Tally {
    pub(super) fn answered(&mut self, verb: &'static str) {
        self.verbs.entry(verb).or_default().answered += 1;
    }

    pub(super) fn cut(&mut self, verb: &'static str) {
        self.verbs.entry(verb).or_default().cut += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |(verb, counts): (&&str, &Counts)| {
            format!("{verb} {} answered and {} cut", counts.answered, counts.cut)
        };
        let verbs: Vec<_> = self.verbs.iter().map(count).collect();
        write!(
            f,
            "{}; {} cuts lost cached sectors, {} checks repaired something",
            verbs.join(", "),
            self.lossy,
            self.repaired
        )
    }
}
