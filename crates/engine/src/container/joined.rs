//! Containers whose namespaces another one joins.
//!
//! A runtime finds the namespaces by the number of a process. Should that end meanwhile, the number may become a stranger's,
//! of the host even. So the first processes are looked at again once the namespaces are joined, before the program runs:
//! a process that its shim has not seen end has had its number all the time.

use crate::Services;
use containers::Container;
use errors::{Class, Error, Result};
use runtime::Task;
use spec::{ContainerSpec, IpcMode, JoinMode, NetworkMode};
use std::sync::Arc;

/// The containers that are joined, with their runs as they were before it.
#[derive(Debug)]
pub(super) struct Donors(Vec<Donor>);

#[derive(Debug)]
struct Donor {
    /// As the joining container names it.
    reference: String,
    container: Arc<Container>,
    /// None: it does not run.
    task: Option<Arc<Task>>,
}

impl Donors {
    /// Those that a container names; one that does not run is refused where it is to be joined.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` where nobody can say whether one still runs.
    pub(super) fn of(services: &Services, spec: &ContainerSpec) -> Result<Self> {
        let find = |other: &str| {
            let container = services.containers.find(other)?;
            let task = super::stop::live_task(&container)?.filter(|_| container.state().is_live());
            Ok(Donor { reference: other.to_owned(), container, task })
        };
        Ok(Self(joined(spec).into_iter().map(find).collect::<Result<_>>()?))
    }

    /// The init process of one of them, whose namespace is to be joined.
    ///
    /// # Errors
    /// `Conflict` where it does not run.
    pub(super) fn pid_of(&self, other: &str, wish: &str) -> Result<u32> {
        let Some(donor) = self.0.iter().find(|donor| donor.reference == other) else {
            return Err(Error::new(Class::Internal, format!("cannot {wish} {other}: it was not looked up")));
        };
        donor.task.as_ref().map(|task| task.pid()).ok_or_else(|| {
            Error::new(
                Class::Conflict,
                format!("cannot {wish} a non running container: {}", donor.container.id()),
            )
            .hint("Start it first")
        })
    }

    /// Whether they are still the same, now that they have been joined.
    ///
    /// # Errors
    /// `Conflict` where one has ended: whose namespaces were joined is not known.
    pub(super) async fn check(&self) -> Result<()> {
        for Donor { container, task, .. } in &self.0 {
            let Some(task) = task else { continue };
            let same = container.state().pid() == Some(task.pid());
            if !(same && matches!(task.is_alive().await, Ok(true))) {
                let message = format!("container {} ended while its namespaces were joined", container.id());
                return Err(Error::new(Class::Conflict, message).hint("Start both again"));
            }
        }
        Ok(())
    }
}

/// The containers whose namespaces it joins.
pub(super) fn joined(spec: &ContainerSpec) -> Vec<&str> {
    let mut others = Vec::new();
    if let NetworkMode::Container(other) = &spec.network.mode {
        others.push(other.as_str());
    }
    if let IpcMode::Container(other) = &spec.namespaces.ipc {
        others.push(other.as_str());
    }
    for mode in [&spec.namespaces.pid, &spec.namespaces.uts] {
        if let JoinMode::Container(other) = mode {
            others.push(other.as_str());
        }
    }
    others
}
