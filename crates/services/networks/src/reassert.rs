//! The table comes back when somebody has deleted it.

use crate::ports::Ports;
use crate::{Networks, Result, audit, forwarding};
use net::Stop;
use net::firewall::{Change, Watch};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

impl Networks {
    /// Starts the thread that writes the table again, with everything that is in it now, as soon as it is gone, and lets packets pass
    /// what others do. Connections that were there go on: the kernel keeps what it translates them to. The thread ends with the answer's drop.
    pub(crate) fn keep_table(self: &Arc<Self>) -> Result<Stop> {
        let networks = Arc::downgrade(self);
        Ok(Watch::keep(&self.config.table, move |change| match change {
            Change::Gone => write_again(&networks),
            Change::Others { tables, rules, chains } => look_at_others(&networks, &tables, rules, chains),
        })?)
    }

    /// From now on it may be deleted for good: whoever was about to write it again has done so.
    pub(crate) fn let_table_go(&self) {
        let _ports = self.ports.lock();
        *self.table_kept.lock() = None;
    }

    /// Chains of other programs (`family table chain`) that drop containers' packets now.
    ///
    /// # Errors
    /// Where `nft` does not list them.
    pub async fn shut_chains(self: &Arc<Self>) -> Result<Vec<String>> {
        let this = Arc::clone(self);
        offload::blocking(move || {
            let _ports = this.ports.lock();
            Ok(this.others.lock().look(false)?.shut)
        })
        .await
    }

    /// How often the table was written, or has just begun to be: each time with the networks that were known then.
    pub(crate) fn table_writings(&self) -> u64 {
        self.table_writings.load(Ordering::SeqCst)
    }

    /// Writes the table as it should be now. Who holds the ports knows that nobody publishes meanwhile what it then lacks. What works
    /// then is for `info`.
    pub(crate) fn write_table(&self, _held: &Ports) -> net::Result<()> {
        self.table_writings.fetch_add(1, Ordering::SeqCst);
        let live: Vec<_> = self.live.read().values().cloned().collect();
        let (works, written) =
            forwarding::set_up(&self.config, &live, self.port_rules(), &mut self.others.lock());
        works.replace(&mut self.works.lock());
        written
    }

    /// Writes the table where it could not be written before: somebody may have installed `nft` meanwhile.
    pub(crate) async fn write_missing_table(self: &Arc<Self>) {
        if self.works.lock().lacks_table {
            self.write_table_now().await;
        }
    }

    /// Writes the table on behalf of a network that is made either way.
    pub(crate) async fn write_table_now(self: &Arc<Self>) {
        let this = Arc::clone(self);
        // What comes of it is for `info`.
        let _ = offload::blocking(move || this.write_table(&this.ports.lock())).await;
    }
}

fn write_again(networks: &Weak<Networks>) {
    let Some(networks) = networks.upgrade() else { return };
    let ports = networks.ports.lock();
    if networks.table_kept.lock().is_none() {
        return;
    }
    tracing::warn!(
        disagreement = audit::flaws::FILTER_OTHER,
        table = networks.config.table,
        "the packet filter was flushed, its table is written again"
    );
    // It is said in `info`, and logged.
    let _ = networks.write_table(&ports);
}

fn look_at_others(networks: &Weak<Networks>, tables: &BTreeSet<String>, rules: bool, chains: bool) {
    let Some(networks) = networks.upgrade() else { return };
    let _ports = networks.ports.lock();
    let mut others = networks.others.lock();
    if networks.table_kept.lock().is_none() || !(chains || others.cares_about(tables, rules)) {
        return;
    }
    if let Err(error) = others.look(false) {
        tracing::warn!(error = %errors::chain(&error), "what others do to containers' packets is not known");
    }
}
