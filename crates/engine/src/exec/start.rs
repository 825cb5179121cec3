//! `exec start`: run it, and give the client its streams.

use super::table::{Exec, ExecState};
use crate::Services;
use ::containers::Container;
use errors::{Class, Error, Result};
use events::ContainerAction;
use runtime::{Attachment, ExecIo, ExecTask};
use std::sync::Arc;

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Leave it to itself.
    pub detach: bool,
    /// Rows and columns of the client's terminal.
    pub console_size: Option<(u16, u16)>,
}

/// Starts an exec; answers its streams unless it is detached.
///
/// # Errors
/// `Conflict` when it was started before or the container does not run; and what the program can't be started with.
pub async fn start(services: &Arc<Services>, reference: &str, how: Start) -> Result<Option<Attachment>> {
    services.warmth.expect_work();
    let exec = services.execs.find(reference)?;
    let container = services
        .containers
        .get(&exec.container)
        .ok_or_else(|| Error::new(Class::NotFound, format!("No such container: {}", exec.container)))?;
    {
        let mut state = exec.state.lock();
        match *state {
            ExecState::Created => *state = ExecState::Starting,
            ExecState::Ended { .. } => {
                return Err(Error::new(Class::Conflict, format!("exec {} has already run", exec.id)));
            }
            ExecState::Starting | ExecState::Running(..) => {
                return Err(Error::new(Class::Conflict, format!("exec {} is already running", exec.id)));
            }
        }
    }
    match run(services, &container, &exec, &how).await {
        Ok((task, pid, attachment)) => {
            *exec.state.lock() = ExecState::Running(task.clone(), pid);
            let action =
                ContainerAction::ExecStart { exec: exec.id.to_string(), command: exec.spec.args.join(" ") };
            services.events.publish(crate::container::event(&action, &container.record()));
            supervise(services, &container, &exec, task, pid);
            Ok(attachment)
        }
        Err(error) => {
            let code = crate::container::start_failure_code(&error.to_string());
            services.execs.ended(&exec, code.into(), None);
            Err(as_docker_says(error, code))
        }
    }
}

/// Why a program can't be started, in the form that scripts know from docker.
fn as_docker_says(error: Error, code: u8) -> Error {
    if code == 128 {
        return error;
    }
    let form = "OCI runtime exec failed: exec failed: unable to start container process";
    Error::new(Class::Invalid, format!("{form}: {error}: unknown"))
}

async fn run(
    services: &Arc<Services>,
    container: &Container,
    exec: &Exec,
    how: &Start,
) -> Result<(ExecTask, u32, Option<Attachment>)> {
    let Some(task) = container.task().filter(|_| container.state().is_live()) else {
        return Err(Error::new(Class::Conflict, format!("container {} is not running", container.id())));
    };
    let record = container.record();
    if exec.spec.args.first().is_some_and(String::is_empty) {
        return Err(Error::new(Class::Invalid, "exec: \"\": executable file not found in $PATH"));
    }
    if !exec.spec.working_dir.is_empty() && !exec.spec.working_dir.starts_with('/') {
        return Err(Error::new(
            Class::Invalid,
            "OCI runtime exec failed: exec failed: Cwd must be an absolute path",
        ));
    }
    let oci = crate::container::bundle_spec(services, &record.id)?;
    let process =
        runtime::bundle::exec_process(&oci, &exec.spec, exec.user.as_ref(), &record.spec.process.env)?;
    let spec = &exec.spec;
    let io = ExecIo {
        terminal: spec.tty,
        stdin: spec.attach_stdin && !how.detach,
        stdout: spec.attach_stdout && !how.detach,
        stderr: spec.attach_stderr && !how.detach,
    };
    let failed = |error| crate::container::failed_call(container, error);
    let added = task.exec(&exec.id, process, io).await.map_err(failed)?;
    let started = async {
        // Attached before it runs, so that no output is missed.
        let attachment =
            if how.detach { None } else { Some(added.attach(io.stdin, io.stdout, io.stderr).await?) };
        let pid = added.start().await.map_err(failed)?;
        if let Some((rows, columns)) = how.console_size.or(spec.console_size).filter(|_| spec.tty) {
            // The process may be gone already.
            let _ = added.resize(rows, columns).await;
        }
        Ok::<_, Error>((pid, attachment))
    };
    match started.await {
        Ok((pid, attachment)) => Ok((added, pid, attachment)),
        Err(error) => {
            if let Err(error) = added.delete().await {
                tracing::debug!(exec = %exec.id, %error, "remove an exec that did not start");
            }
            Err(error)
        }
    }
}

/// Waits in the background for its end.
fn supervise(
    services: &Arc<Services>,
    container: &Arc<Container>,
    exec: &Arc<Exec>,
    task: ExecTask,
    pid: u32,
) {
    let (services, container, exec) = (Arc::clone(services), Arc::clone(container), Arc::clone(exec));
    tokio::spawn(async move {
        let exit = task.wait().await.exit();
        services.execs.ended(&exec, exit.status, Some(pid));
        let exit_code = i32::try_from(exit.status).unwrap_or(255);
        let action = ContainerAction::ExecDie { exec: exec.id.to_string(), exit_code };
        services.events.publish(crate::container::event(&action, &container.record()));
        // Gone with its container, mostly.
        if let Err(error) = task.delete().await {
            tracing::debug!(exec = %exec.id, %error, "remove an ended exec from its shim");
        }
    });
}
