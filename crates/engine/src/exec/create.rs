//! `exec create`: say what shall run.

use super::table::{Exec, ExecState};
use crate::{Services, random};
use ::containers::{Container, State};
use errors::{Class, Error, Result};
use events::ContainerAction;
use ids::ExecId;
use parking_lot::Mutex;
use runtime::user::User;
use spec::ExecSpec;
use std::sync::Arc;

/// Prepares a process in a running container; it runs from [`super::start`] on.
///
/// # Errors
/// `Conflict` when the container does not run or is paused, `Invalid` without a command.
pub async fn create(services: &Arc<Services>, reference: &str, spec: ExecSpec) -> Result<ExecId> {
    services.warmth.expect_work();
    let container = services.containers.find(reference)?;
    if spec.args.is_empty() {
        return Err(Error::new(Class::Invalid, "No exec command specified"));
    }
    let refuse = |why: String| Err(Error::new(Class::Conflict, why));
    match container.state() {
        State::Running { .. } => {}
        State::Paused { .. } => {
            return refuse(format!("Container {reference} is paused, unpause the container before exec"));
        }
        State::Restarting { .. } => {
            return refuse(format!(
                "Container {} is restarting, wait until the container is running",
                container.id()
            ));
        }
        _ => return refuse(format!("container {} is not running", container.id())),
    }
    let user = user(services, &container, &spec.user).await?;
    let id = ExecId::from_bytes(random::bytes()?);
    let action = ContainerAction::ExecCreate { exec: id.to_string(), command: spec.args.join(" ") };
    services.events.publish(crate::container::event(&action, &container.record()));
    services.execs.insert(Exec {
        id: id.clone(),
        container: container.id().clone(),
        spec,
        user,
        state: Mutex::new(ExecState::Created),
        end: tokio::sync::Notify::new(),
    });
    Ok(id)
}

/// Whom it shall run as, unless as the container's own process: told now, while the client still hears errors as such.
async fn user(services: &Arc<Services>, container: &Arc<Container>, name: &str) -> Result<Option<User>> {
    if name.is_empty() {
        return Ok(None);
    }
    let Some(task) = container.task() else {
        return Err(Error::new(Class::Conflict, format!("container {} is not running", container.id())));
    };
    let (services, id, name) = (Arc::clone(services), container.id().clone(), name.to_owned());
    let lookup = move || crate::container::lookup_user(&services, &id, Some(task.pid()), &name, &[]);
    offload::blocking(lookup).await.map(Some)
}
