//! `start`: network, files, bundle, process.

mod failure;
mod files;
pub(super) mod mounts;
mod namespaces;
mod propagation;
mod resolve;
mod shim_options;
mod targets;

pub(crate) use failure::exit_code as start_failure_code;
pub use files::Files;
pub(crate) use files::{host_resolv_conf, refresh_hosts};
pub(super) use files::{hostname, relink_hosts};

use super::joined::Donors;
use super::{cleanup, exit, network, user_namespace};
use crate::{Services, names};
use ::events::ContainerAction;
use containers::{Container, Event, Record, State};
use errors::{Class, Error, Result};
use runtime::{CreateTask, RootMount, Task};
use std::sync::Arc;
use undo::Undo;

/// Starts a container that does not run.
///
/// # Errors
/// `AlreadyDone` when it runs, `Conflict` when it is paused or being removed, and whatever a step fails with: then
/// nothing of the attempt is left, and the container remembers why.
pub async fn start(services: &Arc<Services>, reference: &str) -> Result<()> {
    let container = services.containers.find(reference)?;
    let verb = container.verb_lock.lock().await;
    let started = start_locked(services, &container, true).await;
    drop(verb);
    if let Err(error) = &started {
        remove_unstarted(services, &container, error).await;
    }
    started
}

/// Removes a container with `--rm` that could not be started: nobody will come back for it. Without the verb lock.
pub(super) async fn remove_unstarted(services: &Arc<Services>, container: &Arc<Container>, why: &Error) {
    if why.class() == Class::AlreadyDone
        || !container.record().spec.auto_remove
        || container.state().is_live()
    {
        return;
    }
    let remove = super::Remove { force: false, volumes: true, link: false };
    if let Err(error) = super::remove::remove_container(services, container, remove).await {
        tracing::warn!(container = %container.id(), %error, "remove after the failed start");
    }
}

/// Starts with the container's verb lock already held. `by_user` says whether a person asked, not a restart policy.
pub(crate) async fn start_locked(
    services: &Arc<Services>,
    container: &Arc<Container>,
    by_user: bool,
) -> Result<()> {
    services.warmth.expect_work();
    if container.is_removing() {
        return Err(Error::new(Class::Conflict, "container is marked for removal and cannot be started"));
    }
    match container.state() {
        State::Running { .. } => {
            return Err(Error::new(
                Class::AlreadyDone,
                format!("container {} is already running", container.id()),
            ));
        }
        State::Paused { .. } => {
            return Err(Error::new(Class::Conflict, "cannot start a paused container, try unpause instead"));
        }
        State::Created { .. } | State::Restarting { .. } | State::Exited { .. } => {}
    }
    // What the previous run left is cleared away before the next one begins.
    let _cleanup = container.cleanup_lock.lock().await;
    let cleared = cleanup::clear_leftovers(services, container).await;
    // Whoever copies into it finishes first.
    let _root = container.root_lock.write().await;

    let mut undo = Undo::new("container.start");
    let outcome = match cleared {
        Ok(()) => run(services, container, by_user, &mut undo).await,
        Err(error) => Err(error),
    };
    match undo.settle(outcome).await {
        Ok((record, task)) => {
            services.events.publish(super::event(&ContainerAction::Start, &record));
            exit::await_exit(services, container, task);
            Ok(())
        }
        Err(error) => {
            drop(container.take_attaches());
            Err(failure::remember(services, container, error).await)
        }
    }
}

async fn run(
    services: &Arc<Services>,
    container: &Arc<Container>,
    by_user: bool,
    undo: &mut Undo,
) -> Result<(Arc<Record>, Task)> {
    let record = container.record();
    if record.spec.process.args().first().is_some_and(String::is_empty) {
        return Err(Error::new(Class::Invalid, "exec: \"\": executable file not found in $PATH"));
    }
    let donors = Donors::of(services, &record.spec)?;
    let mapped = user_namespace::prepare(services, &record, &donors, undo).await?;
    let mapped = mapped.as_ref();
    let network = network::connect(services, &record, mapped, &donors, undo).await?;
    let resolved = resolve::resolve(services, &record, &network, mapped, &donors, undo).await?;

    undo.step("write the bundle")?;
    let bundle = services.bundle_dir(container.id());
    durable::create_dir_all(&bundle, 0o700)?;
    undo.push("remove the bundle", {
        let (services, id) = (Arc::clone(services), record.id.clone());
        move || {
            Box::pin(async move {
                cleanup::end_by_bundle(&services, &id).await?;
                Ok(services.state_trash.discard(&services.bundle_dir(&id))?)
            })
        }
    });
    user_namespace::allow_traversal(&bundle, mapped.map(|mapped| &mapped.ids))?;
    let spec = runtime::bundle::oci_spec(&record.spec, &resolved)?;
    let mounts = services.images.rootfs(container.id().as_str())?.into_iter();
    let rootfs =
        mounts.map(|m| RootMount { fstype: m.fstype, source: m.source, options: m.options }).collect();

    undo.step("create the process")?;
    let task = services
        .runtimes
        .create(CreateTask {
            id: container.id().clone(),
            runtime: Some(record.runtime.clone()),
            bundle,
            spec,
            rootfs,
            options: shim_options::shim_options(services, &record)?,
            terminal: record.spec.process.tty,
            open_stdin: record.spec.process.open_stdin,
        })
        .await?;
    undo.push("remove the process", {
        let task = task.clone();
        move || {
            Box::pin(async move {
                // Not started, or just so: kill it, then the shim can forget it.
                cleanup::kill_and_wait(&task).await?;
                Ok(task.delete().await.map(|_| ())?)
            })
        }
    });

    donors.check().await?;
    undo.step("announce the names")?;
    undo.push("forget the names", {
        let (services, record) = (Arc::clone(services), Arc::clone(&record));
        let endpoints = network.endpoints.clone();
        move || {
            Box::pin(async move {
                names::forget(&services, &record, &endpoints).await;
                Ok(())
            })
        }
    });
    names::announce(services, &record, &network.endpoints, task.pid()).await;

    undo.step("attach the waiting clients")?;
    super::attach::serve_waiting(container, &task).await;

    undo.step("start the process")?;
    task.start().await?;

    undo.step("store the state")?;
    let at = crate::now();
    let record = services
        .containers
        .advance(container, Event::Started { pid: task.pid(), at }, |record| {
            record.endpoints = network.endpoints.clone();
            if by_user {
                record.stopped_by_user = false;
                record.restart_count = 0;
            } else {
                record.restart_count += 1;
            }
        })
        .await?;
    container.set_task(Some(task.clone()));
    super::links::follow(services, &record);
    Ok((record, task))
}
