//! What a commit may say: comparisons first, then puts and deletes.

use crate::{Revision, StoreError, key};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What must hold for a transaction to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// The key exists and was last modified at this revision.
    Modified(Revision),
    /// The key does not exist.
    Absent,
    /// The key exists.
    Present,
}

impl Compare {
    /// Whether a key with this revision of its last put, or none, is what was wanted.
    pub fn holds(self, modified: Option<Revision>) -> bool {
        match self {
            Self::Modified(revision) => modified == Some(revision),
            Self::Absent => modified.is_none(),
            Self::Present => modified.is_some(),
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modified(revision) => write!(f, "revision {revision}"),
            Self::Absent => f.write_str("no such key"),
            Self::Present => f.write_str("the key to exist"),
        }
    }
}

/// One change that a transaction makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Creates or replaces the key.
    Put(Arc<[u8]>),
    /// Removes the key; one that does not exist is no error.
    Delete,
}

/// Comparisons and changes that are applied together or not at all.
///
/// Built by chaining: `Transaction::new().absent("names/web").put("names/web", id).put("containers/1", record)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Evaluated in this order.
    pub compares: Vec<(String, Compare)>,
    /// At most one for each key.
    pub operations: Vec<(String, Operation)>,
}

impl Transaction {
    /// Without any condition or change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only if `key` was last modified at `revision`.
    #[must_use]
    pub fn unchanged(self, key: impl Into<String>, revision: Revision) -> Self {
        self.compare(key, Compare::Modified(revision))
    }

    /// Only if `key` does not exist.
    #[must_use]
    pub fn absent(self, key: impl Into<String>) -> Self {
        self.compare(key, Compare::Absent)
    }

    /// Only if `key` exists.
    #[must_use]
    pub fn present(self, key: impl Into<String>) -> Self {
        self.compare(key, Compare::Present)
    }

    /// Only if `compare` holds for `key`.
    #[must_use]
    pub fn compare(mut self, key: impl Into<String>, compare: Compare) -> Self {
        self.compares.push((key.into(), compare));
        self
    }

    /// Creates or replaces `key`.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<Arc<[u8]>>) -> Self {
        self.operations.push((key.into(), Operation::Put(value.into())));
        self
    }

    /// Removes `key` if it exists.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.operations.push((key.into(), Operation::Delete));
        self
    }

    /// Whether every key is well formed and none is changed twice; every backend asks this first.
    ///
    /// # Errors
    /// [`StoreError::BadKey`] or [`StoreError::DuplicateKey`].
    pub fn validate(&self) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        self.compares.iter().try_for_each(|(key, _)| key::validate(key))?;
        for (key, _) in &self.operations {
            key::validate(key)?;
            if !seen.insert(key) {
                return Err(StoreError::DuplicateKey { key: key.clone() });
            }
        }
        Ok(())
    }
}
