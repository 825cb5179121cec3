//! A network goes: record, rules, bridge.

use crate::live::Live;
use crate::{Endpoint, Error, Network, Networks, Result, predefined};
use ids::NetworkId;
use std::sync::Arc;
use store::Transaction;

impl Networks {
    /// Removes a network that nobody is attached to, by name or id. `name_of` says what containers are called, for the error.
    ///
    /// # Errors
    /// `NotFound`; `Denied` for a predefined one, and while containers are attached.
    pub async fn remove(
        self: &Arc<Self>,
        network: &str,
        name_of: impl Fn(&Endpoint) -> String,
    ) -> Result<Network> {
        let _changing = self.changing.lock().await;
        let live = self.find_live(network)?;
        let name = live.record.name.clone();
        if live.record.is_predefined() {
            return Err(Error::Predefined { network: name });
        }
        live.retire(|| self.check_unused(&live.record, &name_of)).await?;
        // Not cut in half when the client goes away.
        let this = Arc::clone(self);
        let removed = tokio::spawn(async move { this.remove_retired(&live).await });
        removed.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    async fn remove_retired(&self, live: &Arc<Live>) -> Result<Network> {
        let record = live.record.clone();
        let forget = Transaction::new().delete(predefined::key(&record.id));
        if let Err(error) = self.store.commit(forget).await {
            live.revive().await;
            return Err(error.into());
        }
        self.live.write().remove(&record.name);
        let (live, config) = (Arc::clone(live), self.config.clone());
        offload::blocking(move || live.unmake(&config)).await;
        Ok(record)
    }

    fn check_unused(&self, network: &Network, name_of: &dyn Fn(&Endpoint) -> String) -> Result<()> {
        let attached = self.endpoints(&network.id);
        if attached.is_empty() {
            return Ok(());
        }
        let shown = attached.iter().map(|one| format!("name:\"{}\" id:\"{}\"", name_of(one), one.id.short()));
        let endpoints = shown.collect::<Vec<_>>().join(", ");
        Err(Error::InUse { network: network.name.clone(), endpoints })
    }

    /// Whether nobody is attached to the network.
    pub fn is_unused(&self, network: &NetworkId) -> bool {
        self.attached.lock().values().all(|endpoint| endpoint.network_id != *network)
    }
}
