//! What is done about each disagreement.

use super::Flaw;
use super::compare::compare;
use crate::plugged::pin;
use crate::{Error, Networks, Result};
use net::{Bridge, Socket};
use std::sync::Arc;

impl Networks {
    /// What the records and the kernel say differently now. About a millisecond, and some microseconds a container.
    ///
    /// # Errors
    /// Where the kernel does not say what is there.
    pub async fn audit(self: &Arc<Self>) -> Result<Vec<Flaw>> {
        let this = Arc::clone(self);
        offload::blocking(move || Ok(compare(&this.gather()?))).await
    }

    /// Mends a disagreement; to attach a container again ([`Flaw::DeviceMissing`]) is for who knows its namespace, and nothing is done
    /// about it here. It is looked at again first: what has changed since stays as it is.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn mend(self: &Arc<Self>, flaw: &Flaw) -> Result<()> {
        let (this, flaw) = (Arc::clone(self), flaw.clone());
        offload::blocking(move || {
            if !compare(&this.gather()?).iter().any(|one| is_same(one, &flaw)) {
                return Ok(());
            }
            match &flaw {
                Flaw::BridgeMissing { .. } => this.repair_bridges(),
                Flaw::BridgeStray { device } => {
                    let mut socket = Socket::open()?;
                    Bridge::remove(&mut socket, device, &this.config.table)?;
                }
                Flaw::DeviceStray { device, .. } => net::link::delete(&mut Socket::open()?, device)?,
                Flaw::DeviceMissing(_) => {}
                Flaw::AddressStray { network, address } => {
                    if let Some((addresses, _)) = this.find_live(network)?.carrier() {
                        addresses.lock().free_address(*address);
                    }
                }
                Flaw::FilterOther { .. } | Flaw::PortsMissing { .. } | Flaw::PortsStray { .. } => {
                    let ports = this.ports.lock();
                    this.write_table(&ports).map_err(Error::from)?;
                }
                Flaw::NamespaceStray { path } => pin::unpin(path)?,
            }
            Ok(())
        })
        .await
    }
}

/// How many ports there are, and how rules differ, may change from look to look.
fn is_same(one: &Flaw, other: &Flaw) -> bool {
    match (one, other) {
        (Flaw::FilterOther { .. }, Flaw::FilterOther { .. })
        | (Flaw::PortsMissing { .. }, Flaw::PortsMissing { .. })
        | (Flaw::PortsStray { .. }, Flaw::PortsStray { .. }) => true,
        (Flaw::DeviceMissing(one), Flaw::DeviceMissing(other)) => one.id == other.id,
        _ => one == other,
    }
}
