//! `network rm`.

use crate::Services;
use errors::{Class, Error, Result};
use std::sync::Arc;

/// Removes a network.
///
/// # Errors
/// `Denied` for a predefined one.
pub async fn remove(services: &Arc<Services>, name: &str) -> Result<()> {
    let network = services.networks.find(name)?;
    Err(Error::new(Class::Denied, format!("{} is a pre-defined network and cannot be removed", network.name)))
}
