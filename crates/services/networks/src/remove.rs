//! A network goes: record, rules, bridge.

use crate::{Driver, Endpoint, Error, Network, Networks, Result, configuration, predefined};
use store::Transaction;

impl Networks {
    /// Removes a network that nobody is attached to, by name or id. `name_of` says what containers are called, for the error.
    ///
    /// # Errors
    /// `NotFound`; `Denied` for a predefined one, and while containers are attached.
    pub async fn remove(&self, network: &str, name_of: impl Fn(&Endpoint) -> String) -> Result<Network> {
        self.let_plugins_end(network, &name_of).await?;
        let removed = self.remove_unused(network, &name_of).await?;
        self.plugins.settle(|one| one.network == removed.id).await;
        Ok(removed)
    }

    /// Waits for those who attach to a network of plugins just now, which may take long: other networks come and go meanwhile.
    async fn let_plugins_end(&self, network: &str, name_of: &impl Fn(&Endpoint) -> String) -> Result<()> {
        let live = self.find_live(network)?;
        if live.record.driver == Driver::Cni {
            self.check_unused(&live.record, name_of)?;
            live.quiet().await;
        }
        Ok(())
    }

    async fn remove_unused(&self, network: &str, name_of: &impl Fn(&Endpoint) -> String) -> Result<Network> {
        let _changing = self.changing.lock().await;
        let live = self.find_live(network)?;
        let record = live.record.clone();
        if record.is_predefined() {
            return Err(Error::Permanent { network: record.name });
        }
        configuration::check_unused(&record, &self.list())?;
        live.retire(|| self.check_unused(&record, name_of)).await?;
        let forget = Transaction::new().delete(predefined::key(&record.id));
        if let Err(error) = self.store.commit(forget).await {
            live.revive().await;
            return Err(error.into());
        }
        self.live.write().remove(&record.name);
        let (config, shared) = (self.config.clone(), self.shares_parent(&live));
        offload::blocking(move || live.unmake(&config, shared)).await;
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
}
