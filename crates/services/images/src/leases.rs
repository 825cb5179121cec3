//! Who holds which layer: containers, and operations that will name it in a record.
//!
//! A sweep takes away the layers that no image has and nobody holds. What it is about to take is marked first, so
//! that nobody takes hold of it any more.

use crate::index::Layer;
use layers::{LayerId, Layers};
use oci::Digest;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a load waits for another one that unpacks the same layer, before it unpacks the layer itself: its
/// sender may be slow, or hostile.
const PATIENCE: Duration = Duration::from_secs(10);

/// A layer on disk that is held by operations in progress. When the last of them lets go of a layer that no record
/// came to name, it is deleted.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) diff_id: Digest,
    pub(crate) layer: Layer,
    /// Whether a record names it.
    recorded: Mutex<bool>,
    layers: Layers,
}

impl Lease {
    /// From now on the layer belongs to a record.
    pub(crate) fn record(&self) {
        *lock(&self.recorded) = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if *lock(&self.recorded) {
            return;
        }
        if let Err(error) = self.layers.remove(&self.layer.dir) {
            tracing::warn!(layer = %self.layer.dir, error = %errors::chain(&error), "discard a layer");
        }
    }
}

/// All holds of one store.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    state: Mutex<State>,
    unpacked: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Layers below containers' snapshots.
    snapshots: HashMap<String, Arc<[LayerId]>>,
    leases: HashMap<Digest, Weak<Lease>>,
    /// Digests of compressed layers and what they are uncompressed.
    aliases: HashMap<Digest, Digest>,
    /// Being unpacked now, by the digest that their sender announced.
    unpacking: HashSet<Digest>,
    /// Being taken away now.
    marked: HashSet<LayerId>,
    /// Blobs that operations in progress need, and how many of these.
    pins: HashMap<Digest, usize>,
}

/// What a load has to do about a layer that is announced to it.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is here.
    Held(Arc<Lease>),
    /// Unpack it; others wait until the guard is dropped.
    Unpack(Unpacking),
}

/// The exclusive right to unpack a layer.
#[derive(Debug)]
pub(crate) struct Unpacking {
    leases: Arc<Leases>,
    digest: Digest,
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        self.leases.lock().unpacking.remove(&self.digest);
        self.leases.unpacked.notify_all();
    }
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Waits, within limits, while somebody else unpacks the layer of this digest. `recorded` finds it in the index.
    pub(crate) fn claim(
        self: &Arc<Self>,
        digest: &Digest,
        layers: &Layers,
        recorded: impl Fn(&Digest) -> Option<Layer>,
    ) -> Claim {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(lease) = state.held(digest, layers, &recorded) {
                return Claim::Held(lease);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.unpacking.insert(digest.clone()) || left.is_zero() {
                return Claim::Unpack(Unpacking { leases: Arc::clone(self), digest: digest.clone() });
            }
            state = self.unpacked.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Counts one more who needs a blob.
    pub(crate) fn pin(&self, digest: &Digest) {
        *self.lock().pins.entry(digest.clone()).or_default() += 1;
    }

    /// Counts one less. Runs `free` after the last one, while nobody can pin the blob again.
    pub(crate) fn unpin(&self, digest: &Digest, free: impl FnOnce()) {
        let mut state = self.lock();
        let Some(count) = state.pins.get_mut(digest) else { return };
        *count -= 1;
        if *count == 0 {
            state.pins.remove(digest);
            free();
        }
    }

    /// Runs `free` if nobody needs the blob, while nobody can come to need it.
    pub(crate) fn unless_pinned<T>(&self, digest: &Digest, free: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (!state.pins.contains_key(digest)).then(free)
    }

    /// Blobs that are kept from the sweep.
    pub(crate) fn pinned(&self) -> HashSet<Digest> {
        self.lock().pins.keys().cloned().collect()
    }

    /// A layer that is here, by its diff id.
    pub(crate) fn lease(
        &self,
        diff_id: &Digest,
        layers: &Layers,
        recorded: impl Fn(&Digest) -> Option<Layer>,
    ) -> Option<Arc<Lease>> {
        self.lock().held(diff_id, layers, &recorded)
    }

    /// Takes hold of a layer that was just unpacked, or of its twin that somebody else was faster with.
    pub(crate) fn add(
        &self,
        diff_id: Digest,
        fresh: Layer,
        layers: &Layers,
        recorded: impl Fn(&Digest) -> Option<Layer>,
    ) -> Arc<Lease> {
        let mut state = self.lock();
        let twin = state.held(&diff_id, layers, &recorded);
        let lease = Arc::new(Lease {
            diff_id: diff_id.clone(),
            layer: fresh,
            recorded: Mutex::new(false),
            layers: layers.clone(),
        });
        // Dropping the superfluous lease deletes its directory.
        twin.unwrap_or_else(|| {
            state.leases.insert(diff_id, Arc::downgrade(&lease));
            lease
        })
    }

    /// Remembers that `digest` is the layer `diff_id`, compressed.
    pub(crate) fn alias(&self, digest: Digest, diff_id: Digest) {
        if digest != diff_id {
            self.lock().aliases.insert(digest, diff_id);
        }
    }

    /// Holds the layers of a container. False: one of them is being taken away.
    pub(crate) fn hold(&self, key: &str, layers: &[LayerId]) -> bool {
        let mut state = self.lock();
        if layers.iter().any(|layer| state.marked.contains(layer)) {
            return false;
        }
        state.snapshots.insert(key.to_owned(), layers.into());
        true
    }

    /// Lets go of a container's layers and says which they were.
    pub(crate) fn release(&self, key: &str) -> Option<Arc<[LayerId]>> {
        self.lock().snapshots.remove(key)
    }

    /// The layers below a container, lowest first.
    pub(crate) fn of(&self, key: &str) -> Option<Arc<[LayerId]>> {
        self.lock().snapshots.get(key).cloned()
    }

    /// Keys of the containers' snapshots that have a layer below them.
    pub(crate) fn users(&self, dir: &LayerId) -> Vec<String> {
        let state = self.lock();
        let users = state.snapshots.iter().filter(|(_, layers)| layers.contains(dir));
        users.map(|(key, _)| key.clone()).collect()
    }

    /// All layers that somebody holds, or that are being taken away.
    pub(crate) fn dirs(&self) -> HashSet<LayerId> {
        let state = self.lock();
        let leases = state.leases.values().filter_map(Weak::upgrade).map(|lease| lease.layer.dir.clone());
        let mut dirs: HashSet<LayerId> =
            state.snapshots.values().flat_map(|layers| layers.iter()).cloned().collect();
        dirs.extend(leases);
        dirs.extend(state.marked.iter().cloned());
        dirs
    }

    /// Keys of all containers' snapshots.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.lock().snapshots.keys().cloned().collect()
    }

    /// Those of `candidates` that nobody holds, which nobody can take hold of any more until [`Leases::unmark`].
    pub(crate) fn mark_for_removal(&self, candidates: Vec<(Digest, LayerId)>) -> Vec<(Digest, LayerId)> {
        let mut state = self.lock();
        state.leases.retain(|_, lease| lease.strong_count() > 0);
        let below: HashSet<&LayerId> = state.snapshots.values().flat_map(|layers| layers.iter()).collect();
        let free = |(diff, dir): &(Digest, LayerId)| !below.contains(dir) && !state.leases.contains_key(diff);
        let marked: Vec<_> = candidates.into_iter().filter(free).collect();
        drop(below);
        state.aliases.retain(|_, diff_id| marked.iter().all(|(marked, _)| marked != diff_id));
        state.marked.extend(marked.iter().map(|(_, dir)| dir.clone()));
        marked
    }

    /// Ends what [`Leases::mark_for_removal`] began.
    pub(crate) fn unmark(&self, marked: &[(Digest, LayerId)]) {
        let mut state = self.lock();
        for (_, dir) in marked {
            state.marked.remove(dir);
        }
    }
}

impl State {
    /// A lease on a layer that is on disk.
    fn held(
        &mut self,
        digest: &Digest,
        layers: &Layers,
        recorded: &impl Fn(&Digest) -> Option<Layer>,
    ) -> Option<Arc<Lease>> {
        let digest = self.aliases.get(digest).unwrap_or(digest);
        if let Some(lease) = self.leases.get(digest).and_then(Weak::upgrade) {
            return Some(lease);
        }
        let layer = recorded(digest).filter(|layer| !self.marked.contains(&layer.dir))?;
        let lease = Arc::new(Lease {
            diff_id: digest.clone(),
            layer,
            recorded: Mutex::new(true),
            layers: layers.clone(),
        });
        self.leases.insert(lease.diff_id.clone(), Arc::downgrade(&lease));
        Some(lease)
    }
}

/// Nothing panics with the lock held that would leave the state half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
