//! Networks: what their service finds, by the table's names.

use super::disagreement::{Disagreement, Subject};
use super::table::Kind;
use crate::Services;
use errors::Result;
use networks::Flaw;
use std::sync::Arc;

/// Every disagreement about networks. Endpoints of containers that `name_of` does not name are left out: somebody is at work on them.
pub(super) fn compare(
    flaws: Vec<Flaw>,
    name_of: impl Fn(&networks::Endpoint) -> Option<String>,
) -> Vec<Disagreement> {
    let told = flaws.into_iter().filter_map(|flaw| {
        let (kind, thing, detail) = match &flaw {
            Flaw::BridgeMissing { network, bridge } => {
                (Kind::BridgeMissing, network.clone(), Some(bridge.clone()))
            }
            Flaw::BridgeStray { device } => (Kind::BridgeWithoutNetwork, device.clone(), None),
            Flaw::DeviceStray { device, bridge } => {
                (Kind::DeviceWithoutEndpoint, device.clone(), Some(format!("on {bridge}")))
            }
            Flaw::DeviceMissing(endpoint) => {
                let thing = format!("{} on {}", name_of(endpoint)?, endpoint.network);
                (Kind::EndpointWithoutDevice, thing, endpoint.host_device.clone())
            }
            Flaw::AddressStray { network, address } => {
                (Kind::AddressWithoutEndpoint, address.to_string(), Some(format!("of {network}")))
            }
            Flaw::FilterOther { how } => (Kind::PacketFilterChanged, TABLE.to_owned(), Some(how.clone())),
            Flaw::PortsMissing { count } => (Kind::PortMissing, TABLE.to_owned(), Some(count.to_string())),
            Flaw::PortsStray { count } => (Kind::PortWithoutOwner, TABLE.to_owned(), Some(count.to_string())),
            Flaw::NamespaceStray { path } => (Kind::NamespaceWithoutOwner, path.display().to_string(), None),
        };
        let mut told = Disagreement::new(kind, thing, Subject::Network(Box::new(flaw)));
        told.detail = detail;
        Some(told)
    });
    told.collect()
}

const TABLE: &str = "packet filter";

/// Mends one.
///
/// # Errors
/// What the kernel refuses.
pub(super) async fn repair(services: &Arc<Services>, flaw: &Flaw) -> Result<()> {
    match flaw {
        Flaw::DeviceMissing(endpoint) => crate::network::reattach(services, endpoint).await,
        flaw => Ok(services.networks.mend(flaw).await?),
    }
}
