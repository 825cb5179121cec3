//! Volumes that go with a container's record: those made for one that is not stored yet, and those that are to go with one that is removed.
//! A tie is made and undone in the transaction of that record, so that whatever ends the process leaves both or none.

use super::{Volumes, key};
use crate::{Result, Volume, VolumeError};
use store::Transaction;

impl Volumes {
    /// Adds to the transaction that stores or removes a container's record that these volumes go with that container, or with none any more.
    ///
    /// # Errors
    /// Where a record can't be written as JSON.
    pub fn tie<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        container: Option<&str>,
        transaction: Transaction,
    ) -> Result<Transaction> {
        let changed = names.into_iter().filter_map(|name| {
            let tied = Volume { goes_with: container.map(str::to_owned), ..self.existing(name)? };
            (self.existing(name)?.goes_with != tied.goes_with).then_some(tied)
        });
        changed.into_iter().try_fold(transaction, |transaction, volume| {
            Ok(store::put_as(transaction, &key(&volume.name), &volume)?)
        })
    }

    /// Notes that such a transaction was committed.
    pub fn tied<'a>(&self, names: impl IntoIterator<Item = &'a str>, container: Option<&str>) {
        let mut known = self.known();
        for name in names {
            if let Some(known) = known.get_mut(name) {
                known.volume.goes_with = container.map(str::to_owned);
            }
        }
    }

    /// The volumes that go with a container.
    pub fn tied_to(&self, container: &str) -> Vec<String> {
        let known = self.known();
        let tied = known.values().filter(|known| known.volume.goes_with.as_deref() == Some(container));
        tied.map(|known| known.volume.name.clone()).collect()
    }

    /// Lets a volume stay, whatever becomes of the container that it goes with.
    ///
    /// # Errors
    /// The store's.
    pub async fn untie(&self, name: &str) -> Result<()> {
        let transaction = self.tie([name], None, Transaction::new())?;
        if !transaction.operations.is_empty() {
            self.store.commit(transaction).await?;
            self.tied([name], None);
        }
        Ok(())
    }

    /// Removes the volumes that go with a container which is not there, once at start after [`Volumes::restore`]; those that another one has
    /// stay. `keep`: all of them stay, since it is not known which containers there are. Where it fails it is logged, so that the engine
    /// starts, and tried again at the next start.
    pub async fn finish(&self, is_there: impl Fn(&str) -> bool, keep: bool) {
        let ended =
            |volume: &Volume| volume.goes_with.as_deref().is_some_and(|container| !is_there(container));
        let known = self.known().values().map(|known| known.volume.clone()).filter(ended).collect::<Vec<_>>();
        for Volume { name, .. } in known {
            let finished = match keep {
                true => self.untie(&name).await,
                false => match self.remove(&name, true).await {
                    Err(VolumeError::InUse { .. }) => self.untie(&name).await,
                    removed => removed.map(drop),
                },
            };
            match finished {
                Ok(()) => tracing::info!(volume = name, keep, "a volume of a container that is not there"),
                Err(error) => {
                    tracing::warn!(
                        volume = name,
                        error = errors::chain(&error),
                        "a volume of a container that is not there"
                    );
                }
            }
        }
    }
}
