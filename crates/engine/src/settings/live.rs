//! The settings that an engine works with now.

use super::{Sources, Subscriber};
use crate::Services;
use arc_swap::ArcSwap;
use config::{Effective, Settings};
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::watch;

/// The settings that an engine works with, and what changes them.
#[derive(Debug)]
pub struct Live {
    /// Where they come from.
    pub(super) sources: Sources,
    current: ArcSwap<Effective>,
    /// As last read, with what waits for a restart.
    read: ArcSwap<Effective>,
    pub(super) subscribers: Vec<Arc<dyn Subscriber<Services>>>,
    /// Held by whoever changes them.
    pub(super) changing: tokio::sync::Mutex<()>,
    changed: watch::Sender<()>,
}

/// The settings at one moment; they stay so for who holds this.
#[derive(Debug, Clone)]
pub struct SettingsRef(Arc<Effective>);

impl Deref for SettingsRef {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0.settings
    }
}

impl Live {
    /// Settings as read at start. Changes are offered to the subscribers in their order.
    pub fn new(
        sources: Sources,
        effective: Effective,
        subscribers: Vec<Arc<dyn Subscriber<Services>>>,
    ) -> Self {
        let effective = Arc::new(effective);
        Self {
            sources,
            current: ArcSwap::new(Arc::clone(&effective)),
            read: ArcSwap::new(effective),
            subscribers,
            changing: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// The settings now.
    pub fn now(&self) -> SettingsRef {
        SettingsRef(self.effective())
    }

    /// The same with what each comes from.
    pub fn effective(&self) -> Arc<Effective> {
        self.current.load_full()
    }

    /// As the sources last said, what waits for a restart included.
    pub fn read(&self) -> Arc<Effective> {
        self.read.load_full()
    }

    /// Where they come from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Told after each change.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn replace(&self, current: Effective, read: Effective) {
        self.current.store(Arc::new(current));
        self.read.store(Arc::new(read));
        self.changed.send_replace(());
    }
}
