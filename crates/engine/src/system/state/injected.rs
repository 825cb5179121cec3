//! A store whose transactions are steps: a test may end the process before any of them and after it.

use futures_util::future::{self, BoxFuture};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Entry, Listing, Result, Revision, StateStore, StoreError, Transaction, Watch};
use undo::inject;

#[derive(Debug)]
pub(super) struct Injected {
    store: Arc<dyn StateStore>,
    place: PathBuf,
}

/// The same store, if failures are injected at all with such steps.
pub(super) fn injected(store: Arc<dyn StateStore>, place: PathBuf) -> Arc<dyn StateStore> {
    if inject::is_on() { Arc::new(Injected { store, place }) } else { store }
}

impl StateStore for Injected {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing>> {
        self.store.list(prefix)
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision>> {
        if let Err(injected) = inject::pass("store.commit", "before the transaction") {
            let (action, path) = ("commit", self.place.clone());
            return Box::pin(future::err(StoreError::Io {
                action,
                path,
                source: Arc::new(injected),
                full: false,
            }));
        }
        let committed = self.store.commit(transaction);
        Box::pin(async move {
            let revision = committed.await?;
            // What is done can't fail any more, but nobody may hear of it.
            inject::passed("store.committed");
            Ok(revision)
        })
    }

    fn watch<'a>(&'a self, prefix: &'a str, from: Revision) -> BoxFuture<'a, Result<Watch>> {
        self.store.watch(prefix, from)
    }
}
