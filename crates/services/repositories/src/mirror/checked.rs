//! When it was last asked what tags mean.

use crate::{RepositoryName, Tag};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many are kept without looking for old ones.
const FEW: usize = 1024;

/// What is known of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Its upstream said so lately.
    Fresh,
    /// Its upstream did not answer lately, and is not asked again so soon.
    Stale,
    /// To be asked.
    Unknown,
}

/// Since this process began. Afterwards everything is asked once more.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<HashMap<(RepositoryName, Tag), (Instant, Age)>>);

impl Checked {
    pub(super) fn age(&self, repository: &RepositoryName, tag: &Tag) -> Age {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match until.get(&(repository.clone(), tag.clone())) {
            Some((until, age)) if Instant::now() < *until => *age,
            _ => Age::Unknown,
        }
    }

    /// Notes how a tag stands for a time.
    pub(super) fn note(&self, repository: &RepositoryName, tag: &Tag, age: Age, time: Duration) {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= FEW {
            all.retain(|_, (until, _)| now < *until);
        }
        all.insert((repository.clone(), tag.clone()), (now + time, age));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_holds_for_its_time() {
        let (checked, name, tag) = (Checked::default(), "a".parse().unwrap(), "1".parse().unwrap());
        assert_eq!(checked.age(&name, &tag), Age::Unknown);
        checked.note(&name, &tag, Age::Fresh, Duration::from_secs(60));
        assert_eq!(checked.age(&name, &tag), Age::Fresh);
        checked.note(&name, &tag, Age::Stale, Duration::ZERO);
        assert_eq!(checked.age(&name, &tag), Age::Unknown);
    }
}
