//! Networks of the driver `cni`: plugins of others attach their containers.
//!
//! To follow a container's way: `attach.rs` (with `wish.rs` and `pin.rs`), then [`Plugins::leave`]. The store has a record of each
//! attachment from before the plugins are asked until they have taken it back: what a daemon that was killed left is taken back
//! at the next start, with the configuration as it was.

mod attach;
mod error;
mod options;
mod orphans;
pub(crate) mod pin;
mod record;
mod wish;

pub use error::PluggedError;
pub(crate) use options::{check, configuration_of};

use crate::{Config, Result};
use ids::{ContainerId, EndpointId};
use parking_lot::Mutex;
use record::Record;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::StateStore;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// For each plugin's call. An address that some DHCP server has to give takes its time.
const LIMIT: Duration = Duration::from_secs(60);

/// The attachments that plugins make.
#[derive(Debug)]
pub(crate) struct Plugins {
    places: cni::Places,
    configurations: Vec<PathBuf>,
    /// Where files keep namespaces.
    pins: PathBuf,
    store: Arc<dyn StateStore>,
    held: Mutex<HashMap<EndpointId, Held>>,
    /// Tells that an attachment was taken back, or could not be.
    left: Notify,
    /// Whoever gives up an attachment may be on no thread of the runtime's.
    runtime: Handle,
}

#[derive(Debug)]
struct Held {
    record: Arc<Record>,
    phase: Phase,
}

/// Where an attachment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is being made, or is there.
    There,
    /// It is being taken back.
    Leaving,
    /// Nobody wants it any more, and the plugins could not take it back. It is tried again when there is an occasion.
    Stuck,
}

impl Plugins {
    /// Reads the records. Which of them are of running containers is to be said by [`Plugins::adopt`].
    pub(crate) async fn open(config: &Config, store: Arc<dyn StateStore>) -> Result<Arc<Self>> {
        let records = record::load(&*store).await?.into_iter();
        let held = records.map(|record| {
            let id = record.id.clone();
            (id, Held { record: Arc::new(record), phase: Phase::There })
        });
        Ok(Arc::new(Self {
            places: cni::Places { plugins: config.plugins.clone(), limit: LIMIT },
            configurations: vec![config.plugin_networks.clone()],
            pins: config.namespaces.clone(),
            store,
            held: Mutex::new(held.collect()),
            left: Notify::new(),
            runtime: Handle::current(),
        }))
    }

    /// The configuration of this name, as it is now. Blocking.
    pub(crate) fn find(&self, name: &str) -> Result<cni::Configuration> {
        let found = cni::find(&self.configurations, name).map_err(PluggedError::from)?;
        cni::check_installed(&self.places, &found).map_err(PluggedError::from)?;
        Ok(found)
    }

    /// Begins to take back what belongs to none of these endpoints.
    pub(crate) fn adopt(self: &Arc<Self>, running: &HashSet<EndpointId>) {
        let held = self.held.lock();
        let strays: Vec<_> = held.keys().filter(|id| !running.contains(*id)).cloned().collect();
        drop(held);
        let strays: Vec<_> = strays.iter().filter_map(|stray| self.begin_leaving(stray)).collect();
        if strays.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        self.runtime.spawn(async move {
            let namespaces: Vec<PathBuf> = strays.iter().map(|record| record.namespace.clone()).collect();
            offload::blocking(move || orphans::end(&namespaces)).await;
            for stray in strays {
                tracing::info!(endpoint = %stray.id, "an attachment of no running container is taken back");
                this.give_up(stray);
            }
        });
    }

    /// Keeps the namespaces again that were kept by mounts which this daemon does not see: it may have other ones than the last.
    pub(crate) async fn keep(&self, container: &ContainerId, namespace: PathBuf) -> Result<()> {
        let pins: Vec<PathBuf> = {
            let held = self.held.lock();
            let there = held.values().filter(|held| held.phase == Phase::There).map(|held| &held.record);
            let own = there.filter(|record| record.container == *container);
            own.map(|record| record.namespace.clone()).collect()
        };
        if pins.is_empty() {
            return Ok(());
        }
        offload::blocking(move || {
            pins.iter().filter(|at| !pin::is_pinned(at)).try_for_each(|at| pin::pin(&namespace, at))
        })
        .await
    }

    /// Begins to take an attachment back; never blocks. Harmless when it was begun before.
    pub(crate) fn leave(self: &Arc<Self>, id: &EndpointId) {
        if let Some(record) = self.begin_leaving(id) {
            self.give_up(record);
        }
    }

    fn give_up(self: &Arc<Self>, record: Arc<Record>) {
        let this = Arc::clone(self);
        self.runtime.spawn(async move {
            if let Err(error) = this.take_back(&record, Phase::Stuck).await {
                let container = record.container.short();
                tracing::error!(container, error = %errors::chain(&error), "an attachment by plugins is left over");
            }
        });
    }

    /// Takes an attachment back from a container that goes on.
    ///
    /// # Errors
    /// The plugins'; the attachment is as it was then, as far as they are concerned.
    pub(crate) async fn detach(self: &Arc<Self>, id: &EndpointId) -> Result<()> {
        let Some(record) = self.begin_leaving(id) else {
            self.settle(|record| record.id == *id).await;
            return Ok(());
        };
        let this = Arc::clone(self);
        // It is done to its end, whether or not anybody waits for it.
        let leaving = self.runtime.spawn(async move { this.take_back(&record, Phase::There).await });
        match leaving.await {
            Ok(outcome) => outcome,
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until none of these attachments is being taken back any more. What could not be taken back before is tried again.
    pub(crate) async fn settle(self: &Arc<Self>, concerned: impl Fn(&Record) -> bool) {
        let of_phase = |phase: Phase| -> Vec<EndpointId> {
            let held = self.held.lock();
            let found = held.iter().filter(|(_, held)| held.phase == phase && concerned(&held.record));
            found.map(|(id, _)| id.clone()).collect()
        };
        for stuck in of_phase(Phase::Stuck) {
            self.leave(&stuck);
        }
        loop {
            let told = self.left.notified();
            if of_phase(Phase::Leaving).is_empty() {
                return;
            }
            told.await;
        }
    }

    /// Takes all attachments back, whatever becomes of it.
    pub(crate) async fn purge(self: &Arc<Self>) -> Result<()> {
        let all: Vec<EndpointId> = self.held.lock().keys().cloned().collect();
        for id in all {
            self.leave(&id);
        }
        self.settle(|_| true).await;
        let left: Vec<_> = self.held.lock().values().map(|held| Arc::clone(&held.record)).collect();
        let pins = self.pins.clone();
        offload::blocking(move || {
            let unpinned = left.iter().map(|record| pin::unpin(&record.namespace)).fold(Ok(()), Result::and);
            // Not there, if no network was of plugins.
            let _ = std::fs::remove_dir(pins);
            unpinned
        })
        .await
    }

    /// The files that keep namespaces, and those of them that attachments have.
    pub(crate) fn pins(&self) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
        // In this order: whoever makes a file has made its record before.
        let entries = std::fs::read_dir(&self.pins).into_iter().flatten().flatten();
        let there = entries.map(|entry| entry.path()).collect();
        let held = self.held.lock();
        (there, held.values().map(|held| held.record.namespace.clone()).collect())
    }

    fn begin_leaving(&self, id: &EndpointId) -> Option<Arc<Record>> {
        let mut held = self.held.lock();
        let held = held.get_mut(id).filter(|held| held.phase != Phase::Leaving)?;
        held.phase = Phase::Leaving;
        Some(Arc::clone(&held.record))
    }

    async fn take_back(&self, record: &Arc<Record>, otherwise: Phase) -> Result<()> {
        let (places, asked) = (self.places.clone(), Arc::clone(record));
        let asked = offload::lasting("cni-del", move || -> Result<()> {
            let pinned = pin::is_pinned(&asked.namespace);
            let attachment = cni::Attachment {
                namespace: Some(asked.namespace.as_path()).filter(|_| pinned),
                ..asked.attachment()
            };
            cni::detach(&places, &asked.configuration, &attachment, asked.result.as_ref())
                .map_err(PluggedError::from)?;
            pin::unpin(&asked.namespace)
        });
        let asked = asked.await.unwrap_or_else(|error| Err(PluggedError::Thread(error).into()));
        let outcome = match asked {
            Ok(()) => record::delete(&*self.store, record).await,
            Err(error) => Err(error),
        };
        let mut held = self.held.lock();
        match &outcome {
            Ok(()) => drop(held.remove(&record.id)),
            Err(_) => {
                if let Some(held) = held.get_mut(&record.id) {
                    held.phase = otherwise;
                }
            }
        }
        drop(held);
        self.left.notify_waiters();
        outcome
    }
}
