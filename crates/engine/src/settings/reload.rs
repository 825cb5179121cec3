//! `config reload`: everything is read again.

use super::change::take_over;
use super::{Outcome, Sources};
use crate::Services;
use errors::Result;
use std::sync::Arc;

/// Reads all sources again and takes over what differs.
///
/// # Errors
/// Mistakes in a source; a part of the engine that refuses. The old settings stay then.
pub async fn reload(services: &Arc<Services>) -> Result<Outcome> {
    let _changing = services.settings.changing.lock().await;
    let sources: Sources = services.settings.sources().clone();
    let read = offload::blocking(move || sources.load()).await?;
    take_over(services, read, std::future::ready(Ok(()))).await
}
