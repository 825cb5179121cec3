//! State, Pids, Kill, Wait, Connect and Shutdown.

use super::Shim;
use crate::container::Container;
use crate::error::{Error, Result};
use crate::process::{Phase, Process, ReplyTo};
use containerd_shim_protos::api::{
    ConnectRequest, ConnectResponse, Empty, KillRequest, PidsRequest, PidsResponse, ProcessInfo,
    ShutdownRequest, StateRequest, StateResponse, Status, WaitRequest, WaitResponse,
};
use containerd_shim_protos::protobuf::well_known_types::timestamp::Timestamp;
use protobuf::MessageField;
use shim_protocol::Exit;

const KILL: i32 = 9;

impl Shim {
    /// The container, if that is its id.
    pub(super) fn container_of(&mut self, id: &str) -> Result<&mut Container> {
        let found = self.container.as_mut().filter(|container| container.id == id);
        found.ok_or_else(|| Error::NoContainer { id: id.to_owned() })
    }

    pub(super) fn state(&mut self, request: &StateRequest) -> Result<StateResponse> {
        let container = self.container_of(&request.id)?;
        let (id, bundle) = (container.id.clone(), container.bundle.to_string_lossy().into_owned());
        let paused = container.is_paused();
        let process = container.process(&request.exec_id)?;
        let [stdin, stdout, stderr] = process.endpoints.to_strings();
        let exit = process.exit();
        Ok(StateResponse {
            id,
            bundle,
            pid: process.pid.unwrap_or_default().cast_unsigned(),
            status: status(process, paused).into(),
            stdin,
            stdout,
            stderr,
            terminal: process.terminal,
            exit_status: exit.map_or(0, |exit| exit.status),
            exited_at: exit.map(timestamp).into(),
            exec_id: request.exec_id.clone(),
            ..StateResponse::default()
        })
    }

    pub(super) fn pids(&mut self, request: &PidsRequest) -> Result<PidsResponse> {
        let container = self.container_of(&request.id)?;
        let mut pids = container.cgroup.as_ref().map(|group| group.pids()).unwrap_or_default();
        pids.extend(container.processes.values().filter_map(Process::living));
        let processes =
            pids.into_iter().map(|pid| ProcessInfo { pid: pid.cast_unsigned(), ..ProcessInfo::default() });
        Ok(PidsResponse { processes: processes.collect(), ..PidsResponse::default() })
    }

    pub(super) fn kill(&mut self, request: &KillRequest) -> Result<Empty> {
        let container = self.container_of(&request.id)?;
        let signal = i32::try_from(request.signal).map_err(|_| Error::invalid("no such signal"))?;
        let process = container.process(&request.exec_id)?;
        let pid = living(process)?;
        let doing = "send the signal";
        let everyone = request.all && request.exec_id.is_empty();
        if let Some(group) = container.cgroup.as_ref().filter(|_| everyone) {
            group.signal(signal).map_err(Error::kernel(doing))?;
        }
        sys::signals::send(pid, signal).map_err(Error::kernel(doing))?;
        // With cgroups of version 1, what is frozen dies when it thaws.
        if signal == KILL
            && request.exec_id.is_empty()
            && container.is_paused()
            && let Err(error) = container.pause(false)
            // The cgroup of what is dead may vanish meanwhile.
            && container.is_paused()
        {
            return Err(error);
        }
        Ok(Empty::new())
    }

    /// None: the answer follows when the process has ended.
    pub(super) fn wait_for(&mut self, to: ReplyTo, request: &WaitRequest) -> Result<Option<WaitResponse>> {
        let process = self.container_of(&request.id)?.process(&request.exec_id)?;
        process.forsaken = None;
        if let Phase::Finished(exit) = process.phase {
            return Ok(Some(wait_response(exit)));
        }
        process.waiters.push(to);
        Ok(None)
    }

    pub(super) fn connect(&mut self, request: &ConnectRequest) -> Result<ConnectResponse> {
        let container = self.container.as_ref().filter(|container| container.id == request.id);
        let task = container.and_then(|container| container.init().pid).unwrap_or_default();
        Ok(ConnectResponse {
            shim_pid: std::process::id(),
            task_pid: task.cast_unsigned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ConnectResponse::default()
        })
    }

    pub(super) fn shutdown(&mut self, request: &ShutdownRequest) -> Result<Empty> {
        self.done |= self.container.is_none() || request.now;
        Ok(Empty::new())
    }
}

/// Its number, or why it can't be signalled.
fn living(process: &Process) -> Result<i32> {
    match process.living() {
        Some(pid) => Ok(pid),
        None if process.exit().is_some() => Err(Error::Runtime {
            class: errors::Class::NotFound,
            message: format!("{}: process already finished", process.name()),
        }),
        None => Err(Error::State { verb: "kill", process: process.name(), state: process.state() }),
    }
}

fn status(process: &Process, paused: bool) -> Status {
    match process.phase {
        Phase::Recorded | Phase::Created => Status::CREATED,
        Phase::Running if paused => Status::PAUSED,
        Phase::Running => Status::RUNNING,
        Phase::Ended(..) | Phase::Finished(_) => Status::STOPPED,
    }
}

/// The answer to Wait.
pub(super) fn wait_response(exit: Exit) -> WaitResponse {
    let exited_at = MessageField::some(timestamp(exit));
    WaitResponse { exit_status: exit.status, exited_at, ..WaitResponse::default() }
}

/// When it was.
pub(crate) fn timestamp(exit: Exit) -> Timestamp {
    const NANOS: i64 = 1_000_000_000;
    let nanos = i32::try_from(exit.at.rem_euclid(NANOS)).unwrap_or_default();
    Timestamp { seconds: exit.at.div_euclid(NANOS), nanos, ..Timestamp::default() }
}
