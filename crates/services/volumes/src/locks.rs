//! One lock for each name, which exists only while somebody wants it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

type Locks = Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>;

/// Keeps operations on one volume apart, and those on different ones independent.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameLocks {
    locks: Locks,
}

/// Holds a name until it is dropped.
#[derive(Debug)]
pub(crate) struct NameGuard {
    /// Gone before the table is looked at.
    guard: Option<OwnedMutexGuard<()>>,
    name: String,
    locks: Locks,
}

impl NameLocks {
    /// Whether somebody holds `name`, or waits for it.
    pub(crate) fn is_held(&self, name: &str) -> bool {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Waits until nobody else holds `name`.
    pub(crate) async fn hold(&self, name: &str) -> NameGuard {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(name.to_owned()).or_default())
        };
        let guard = Some(lock.lock_owned().await);
        NameGuard { guard, name: name.to_owned(), locks: Arc::clone(&self.locks) }
    }
}

impl Drop for NameGuard {
    fn drop(&mut self) {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        if locks.get(&self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_name_is_held_by_one_at_a_time_and_forgotten_after() {
        let locks = NameLocks::default();
        let first = locks.hold("a").await;
        let other = locks.hold("b").await;
        let mut second = Box::pin(locks.hold("a"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        drop(second.await);
        drop(other);
        assert!(locks.locks.lock().unwrap().is_empty());
    }
}
