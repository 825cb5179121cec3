//! `login`: trying credentials out.

use crate::Services;
use errors::Result;
use registry::{Credentials, LoggedIn};
use std::sync::Arc;

/// Asks the registry at `host` whether it accepts `credentials`. The engine keeps none.
///
/// # Errors
/// `Denied` if it does not; `Unavailable` if it does not answer.
pub async fn login(services: &Arc<Services>, host: &str, credentials: &Credentials) -> Result<LoggedIn> {
    Ok(services.registries().login(host, credentials).await?)
}
