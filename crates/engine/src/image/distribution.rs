//! `distribution`: what a registry says of a name, without pulling it.

use crate::Services;
use errors::Result;
use images::Distribution;
use oci::Reference;
use registry::{Credentials, Purpose};
use std::sync::Arc;

/// Asks the registry.
///
/// # Errors
/// `NotFound` for what it does not have; `Unavailable` if it does not answer.
pub async fn distribution(
    services: &Arc<Services>,
    reference: &Reference,
    credentials: Option<Credentials>,
) -> Result<Distribution> {
    let repository = services.registries().repository(reference, credentials, Purpose::Pull)?;
    Ok(images::ask(&repository, reference).await?)
}
