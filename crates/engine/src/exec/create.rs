//! `exec create`: say what shall run.

use super::table::{Exec, ExecState};
use crate::{Services, random};
use ::containers::State;
use errors::{Class, Error, Result};
use events::ContainerAction;
use ids::ExecId;
use parking_lot::Mutex;
use spec::ExecSpec;
use std::sync::Arc;

/// Prepares a process in a running container; it runs from [`super::start`] on.
///
/// # Errors
/// `Conflict` when the container does not run or is paused, `Invalid` without a command.
pub async fn create(services: &Arc<Services>, reference: &str, spec: ExecSpec) -> Result<ExecId> {
    services.warmth.expect_work();
    let container = services.containers.find(reference)?;
    if spec.args.is_empty() || spec.args[0].is_empty() {
        return Err(Error::new(Class::Invalid, "No exec command specified"));
    }
    let refuse = |why: String| Err(Error::new(Class::Conflict, why));
    match container.state() {
        State::Running { .. } => {}
        State::Paused { .. } => {
            return refuse(format!(
                "Container {} is paused, unpause the container before exec",
                container.id()
            ));
        }
        State::Restarting { .. } => {
            return refuse(format!(
                "Container {} is restarting, wait until the container is running",
                container.id()
            ));
        }
        _ => return refuse(format!("container {} is not running", container.id())),
    }
    let id = ExecId::from_bytes(random::bytes()?);
    let action = ContainerAction::ExecCreate { exec: id.to_string(), command: spec.args.join(" ") };
    services.events.publish(crate::container::event(&action, &container.record()));
    services.execs.insert(Exec {
        id: id.clone(),
        container: container.id().clone(),
        spec,
        state: Mutex::new(ExecState::Created),
        bell: tokio::sync::Notify::new(),
    });
    Ok(id)
}
