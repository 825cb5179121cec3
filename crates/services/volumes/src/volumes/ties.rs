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

    /// Somebody else wants what was made for a container: it stays, whatever becomes of that one.
    pub(super) async fn untie(&self, volume: Volume) -> Result<Volume> {
        let name = volume.name.clone();
        self.store.commit(self.tie([name.as_str()], None, Transaction::new())?).await?;
        self.tied([name.as_str()], None);
        Ok(Volume { goes_with: None, ..volume })
    }

    /// Removes the volumes whose container is not there, once at start after [`Volumes::restore`]; those that another one has stay.
    ///
    /// # Errors
    /// The store's.
    pub async fn finish(&self, is_there: impl Fn(&str) -> bool) -> Result<()> {
        let ended =
            |volume: &Volume| volume.goes_with.as_deref().is_some_and(|container| !is_there(container));
        let tied: Vec<Volume> =
            self.known().values().map(|known| known.volume.clone()).filter(ended).collect();
        for volume in tied {
            match self.remove(&volume.name, true).await {
                Ok(_) => {
                    tracing::info!(volume = volume.name, "a volume goes with a container that is not there");
                }
                Err(VolumeError::InUse { .. }) => {
                    self.untie(volume).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
