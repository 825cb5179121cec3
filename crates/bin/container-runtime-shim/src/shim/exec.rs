//! Exec and Start.

use super::Shim;
use super::create::connect;
use crate::bundle::{self, parse};
use crate::container::Container;
use crate::error::{Error, Result};
use crate::poll::Poll;
use crate::process::{INIT, Phase, Process};
use crate::streams::{self, Endpoints};
use crate::trace::Steps;
use containerd_shim_protos::api::{Empty, ExecProcessRequest, StartRequest, StartResponse};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a daemon may take to connect again.
const RETURN: Duration = Duration::from_secs(10);

impl Shim {
    pub(super) fn exec(&mut self, request: &ExecProcessRequest) -> Result<Empty> {
        let number = self.next_number();
        let container = self.container_of(&request.id)?;
        if request.exec_id.is_empty() {
            return Err(Error::invalid("an exec without an id"));
        }
        if container.find(&request.exec_id).is_ok() {
            return Err(Error::Exists { what: "exec", id: request.exec_id.clone() });
        }
        let endpoints = Endpoints::parse(&request.stdin, &request.stdout, &request.stderr)?;
        let document = request.spec.as_ref().map(|spec| spec.value.clone()).unwrap_or_default();
        describe(&document)?;
        let process = Process::recorded(request.exec_id.clone(), request.terminal, endpoints, document);
        container.processes.insert(number, process);
        Ok(Empty::new())
    }

    /// Our daemon is gone, or lost its connection. It comes back at once for its execs if it lives; the next one knows
    /// nothing of them, and each goes when it has ended. A containerd comes back for them.
    pub(super) fn forsake_execs(&mut self) {
        let Some(container) = self.container.as_mut().filter(|_| self.containerd.is_none()) else { return };
        let until = Instant::now() + RETURN;
        for (_, exec) in container.processes.iter_mut().filter(|(number, _)| **number != INIT) {
            exec.forsaken.get_or_insert(until);
        }
    }

    pub(super) fn start(&mut self, request: &StartRequest) -> Result<StartResponse> {
        self.container_of(&request.id)?;
        let Self { container: Some(container), poll, .. } = self else {
            return Err(Error::NoContainer { id: request.id.clone() });
        };
        let pid = match request.exec_id.as_str() {
            "" => start_init(container)?,
            exec => start_exec(container, exec, poll).map_err(|error| unless_ending(container, error))?,
        };
        self.untrimmed = true;
        Ok(StartResponse { pid: pid.cast_unsigned(), ..StartResponse::default() })
    }
}

fn start_init(container: &mut Container) -> Result<i32> {
    let mut steps = Steps::of("start");
    let init = container.init();
    if !matches!(init.phase, Phase::Created) {
        return Err(cannot_start(init));
    }
    container.backend.start()?;
    steps.done("runtime");
    let init = container.init_mut();
    init.phase = Phase::Running;
    Ok(init.pid.unwrap_or_default())
}

fn start_exec(container: &mut Container, exec: &str, poll: &Poll) -> Result<i32> {
    let mut steps = Steps::of("exec");
    let number = container.find(exec)?;
    let (init, paused) = (container.init(), container.is_paused());
    if !matches!(init.phase, Phase::Running) || paused {
        let state = if paused { "paused" } else { init.state() };
        return Err(Error::State { verb: "exec in", process: init.name(), state });
    }
    let process = container.process(exec)?;
    process.forsaken = None;
    if !matches!(process.phase, Phase::Recorded) {
        return Err(cannot_start(process));
    }
    let description = describe(&process.document)?;
    if description.terminal != process.terminal {
        return Err(Error::invalid("the request and the process's description disagree about the terminal"));
    }
    let (endpoints, document) = (process.endpoints.clone(), std::mem::take(&mut process.document));
    let owner = container.linux.host_uid(description.user.uid);
    let (theirs, ours) = streams::open(&endpoints, description.terminal, &container.bundle, owner)?;
    steps.done("prepare");
    let made = container.backend.exec(&document, theirs)?;
    steps.done("runtime");
    let pid = made.pid;
    let ours = connect(made, ours, &endpoints, owner, description.console_size)?;
    let process = container.process(exec)?;
    (process.phase, process.pid) = (Phase::Running, Some(pid));
    process.connect(number, ours, poll);
    steps.done("connect");
    Ok(pid)
}

/// Nothing can be started in a container that is ending: the kernel kills what tries, and the runtime finds that odd.
fn unless_ending(container: &Container, error: Error) -> Error {
    let init = container.init();
    match init.living() {
        Some(pid) if u32::try_from(pid).is_ok_and(sys::process::is_ending) => {
            Error::State { verb: "exec in", process: init.name(), state: "stopped" }
        }
        _ => error,
    }
}

fn describe(document: &[u8]) -> Result<bundle::Process> {
    parse(Path::new("the exec's process"), document)
}

fn cannot_start(process: &Process) -> Error {
    Error::State { verb: "start", process: process.name(), state: process.state() }
}

const _: () = assert!(INIT == 0, "numbers of execs come from a counter that begins at one");
