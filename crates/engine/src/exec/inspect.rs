//! `exec inspect`.

use super::table::ExecState;
use crate::Services;
use errors::Result;
use ids::{ContainerId, ExecId};
use spec::ExecSpec;
use std::sync::Arc;

/// Everything about an exec.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its id.
    pub id: ExecId,
    /// The container it runs in.
    pub container: ContainerId,
    /// What it was asked to be.
    pub spec: ExecSpec,
    /// Whether it runs.
    pub running: bool,
    /// Exit code once it ended.
    pub exit_code: Option<i64>,
    /// Process id on the host, if it ran.
    pub pid: Option<u32>,
}

/// Inspects an exec.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, reference: &str) -> Result<Inspection> {
    let exec = services.execs.find(reference)?;
    let (running, exit_code, pid) = match &*exec.state.lock() {
        ExecState::Created => (false, None, None),
        ExecState::Starting => (true, None, None),
        ExecState::Running(_, pid) => (true, None, Some(*pid)),
        ExecState::Ended { code, pid } => (false, Some(i64::from(*code)), *pid),
    };
    Ok(Inspection {
        id: exec.id.clone(),
        container: exec.container.clone(),
        spec: exec.spec.clone(),
        running,
        exit_code,
        pid,
    })
}
