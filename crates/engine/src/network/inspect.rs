//! `network inspect`.

use super::{NetworkInspection, with_endpoints};
use crate::Services;
use errors::Result;
use std::sync::Arc;

/// Inspects a network by name or id.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, name: &str) -> Result<NetworkInspection> {
    let network = services.networks.find(name)?;
    Ok(with_endpoints(services, network))
}
