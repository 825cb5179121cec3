//! `resize`: the size of the init process's terminal.

use crate::Services;
use errors::{Class, Error, Result};
use std::sync::Arc;

/// Sets the terminal's size.
///
/// # Errors
/// `Conflict` when the container does not run.
pub async fn resize(services: &Arc<Services>, reference: &str, rows: u16, columns: u16) -> Result<()> {
    let container = services.containers.find(reference)?;
    let task = container
        .task()
        .ok_or_else(|| Error::new(Class::Conflict, format!("Container {} is not running", container.id())))?;
    Ok(task.resize(rows, columns).await?)
}
