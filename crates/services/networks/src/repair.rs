//! Bridges come back when somebody has deleted them or taken their addresses, and containers' devices to them.

use crate::live::Live;
use crate::{Networks, Result, audit};
use net::{Lost, Stop};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Whoever takes one address away takes others: they are waited for.
const MORE: Duration = Duration::from_millis(5);

impl Networks {
    /// Starts the thread that repairs bridges as soon as they have lost an address, which they do with their end too. It ends
    /// with the answer's drop.
    pub(crate) fn keep_bridges(self: &Arc<Self>) -> Result<Stop> {
        let networks = Arc::downgrade(self);
        Ok(Lost::keep(move || {
            thread::sleep(MORE);
            if let Some(networks) = networks.upgrade() {
                networks.repair_bridges();
            }
        })?)
    }

    /// Makes every bridge what it should be, with the devices on it that are its containers'. Whoever takes all bridges away waits
    /// for this, and then nothing is repaired any more.
    pub(crate) fn repair_bridges(&self) {
        let kept = self.bridges_kept.lock();
        if kept.is_none() {
            return;
        }
        let live: Vec<_> = self.live.read().values().cloned().collect();
        for live in live {
            self.repair(&live);
        }
    }

    fn repair(&self, live: &Live) {
        // One that is just being removed loses its addresses rightly.
        let (Some(bridged), Some(_held)) = (&live.bridged, live.try_hold()) else { return };
        let endpoints = self.endpoints(&live.record.id);
        let devices: Vec<_> = endpoints.iter().filter_map(|endpoint| endpoint.host_device.clone()).collect();
        match bridged.host.repair(&devices) {
            Ok(false) => {}
            Ok(true) => {
                tracing::warn!(
                    disagreement = audit::flaws::BRIDGE_MISSING,
                    network = live.record.name,
                    "containers were off their bridge, and are back"
                );
                bridged.host.allow_loopback();
                for endpoint in endpoints.iter().filter(|endpoint| !endpoint.ports.is_empty()) {
                    if let Some(device) = &endpoint.host_device
                        && let Err(error) = bridged.host.reflect(device)
                    {
                        tracing::debug!(device, error = %errors::chain(&error), "reflect packets");
                    }
                }
            }
            Err(error) => {
                let network = &live.record.name;
                tracing::error!(network, error = %errors::chain(&error), "a bridge can't be repaired");
            }
        }
    }
}
