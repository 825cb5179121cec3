//! `exec resize`: the size of its terminal.

use super::table::ExecState;
use crate::Services;
use errors::{Class, Error, Result};
use std::sync::Arc;

/// Sets the terminal's size.
///
/// # Errors
/// `Conflict` when it does not run.
pub async fn resize(services: &Arc<Services>, reference: &str, rows: u16, columns: u16) -> Result<()> {
    let exec = services.execs.find(reference)?;
    let state = exec.state.lock().clone();
    match state {
        ExecState::Running(task, _) => Ok(task.resize(rows, columns).await?),
        _ => Err(Error::new(Class::Conflict, format!("exec {} is not running", exec.id))),
    }
}
