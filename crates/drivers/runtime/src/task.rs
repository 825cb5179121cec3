//! One container's shim.

use crate::attach::{Attachment, attach};
use crate::error::{Error, Result};
use crate::events::EventHub;
use crate::exec::{ExecIo, ExecTask};
use crate::fifo::{Fifos, Paths};
use crate::rpc::Rpc;
use crate::shim::log::LogCopier;
use crate::shim::lost::Cleanup;
use crate::shim::record::read_exit;
use crate::socket;
use crate::wait::{self, WaitOutcome, Waiting, nanoseconds};
use containerd_shim_protos::api::{
    CloseIORequest, DeleteRequest, DeleteResponse, Empty, ExecProcessRequest, KillRequest, PauseRequest,
    PidsRequest, PidsResponse, ResizePtyRequest, ResumeRequest, ShutdownRequest, StartRequest, StartResponse,
    StateRequest, StateResponse, Status, UpdateTaskRequest,
};
use containerd_shim_protos::shim::oci::ProcessDetails;
use errors::Class;
use ids::{ContainerId, ExecId};
use oci_spec::runtime::{LinuxResources, Process};
use protobuf::Message;
use protobuf::well_known_types::any::Any;
use serde::Serialize;
use shim_protocol::{ATTACH_STREAM, Exit, Hello};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// For a shim to end itself after its container is gone.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// A container's shim; clones are the same one.
#[derive(Debug, Clone)]
pub struct Task {
    pub(crate) shared: Arc<Shared>,
}

/// What clones of a task share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cleanup: Cleanup,
    pub(crate) rpc: Rpc,
    pub(crate) pid: u32,
    pub(crate) hub: EventHub,
    waiting: Waiting,
    /// The reader of a foreign shim's log.
    _log: Option<LogCopier>,
    /// Whether nothing is left of a lost shim's container.
    cleaned: AtomicBool,
    /// Held while the shim deletes the container; set once it has.
    deleted: tokio::sync::Mutex<Option<Exit>>,
}

/// A process in the container as the shim lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// On the host.
    pub pid: u32,
    /// Set if it is an exec of ours.
    pub exec: Option<ExecId>,
}

impl Task {
    pub(crate) fn new(cleanup: Cleanup, rpc: Rpc, pid: u32, hub: EventHub, log: Option<LogCopier>) -> Self {
        let (waiting, deleted) = (Waiting::default(), tokio::sync::Mutex::default());
        let cleaned = AtomicBool::new(false);
        Self { shared: Arc::new(Shared { cleanup, rpc, pid, hub, waiting, _log: log, cleaned, deleted }) }
    }

    /// The container.
    pub fn id(&self) -> &ContainerId {
        &self.shared.cleanup.id
    }

    /// Process id of the init process on the host.
    pub fn pid(&self) -> u32 {
        self.shared.pid
    }

    fn id_string(&self) -> String {
        self.id().to_string()
    }

    /// Whether the shim has not seen the init process end yet: as long as it has not, its process id is nobody else's.
    pub async fn is_alive(&self) -> Result<bool> {
        let request = StateRequest { id: self.id_string(), ..StateRequest::default() };
        let state = self.shared.rpc.ask::<StateResponse>("State", &request).await?;
        Ok(state.status.enum_value() != Ok(Status::STOPPED))
    }

    /// Whether the shim's process has ended. One whose process is not known counts as alive.
    pub async fn is_orphaned(&self) -> bool {
        self.shared.rpc.link.has_ended(Duration::ZERO).await
    }

    /// Ends a shim that is of no use any more, such as one that is stopped while its container has ended: [`Task::wait`] then tells of
    /// its loss. Answers whether its process is known.
    pub fn end_shim(&self) -> bool {
        self.shared.rpc.link.process().map(crate::shim::ShimProcess::kill).is_some()
    }

    /// Lets the init process execute its program.
    pub async fn start(&self) -> Result<()> {
        let request = StartRequest { id: self.id_string(), ..StartRequest::default() };
        self.shared.rpc.ask::<StartResponse>("Start", &request).await.map(drop)
    }

    /// Waits for the init process to end. If the shim's process ends first, what it left is killed and the outcome says
    /// so; a shim that is slow, stopped or out of reach for a while is waited for, and nothing is touched. May be called often and at once: there is one call to the shim.
    pub async fn wait(&self) -> WaitOutcome {
        let shared = Arc::clone(&self.shared);
        self.shared.waiting.outcome(|| async move { shared.wait_for_init().await }).await
    }

    /// Sends a signal to the init process, or to all processes of the container. `NotFound` if it has ended.
    pub async fn kill(&self, signal: i32, all: bool) -> Result<()> {
        self.send_signal("", signal, all).await
    }

    pub(crate) async fn send_signal(&self, exec: &str, signal: i32, all: bool) -> Result<()> {
        let request = KillRequest {
            id: self.id_string(),
            exec_id: exec.to_owned(),
            signal: signal.unsigned_abs(),
            all,
            ..KillRequest::default()
        };
        self.call_empty("Kill", &request).await
    }

    /// Adds a process; it runs from [`ExecTask::start`] on.
    pub async fn exec(&self, exec: &ExecId, process: Process, io: ExecIo) -> Result<ExecTask> {
        let (fifos, paths) = if self.shared.cleanup.record.own {
            let stream = |wanted: bool| if wanted { ATTACH_STREAM.to_owned() } else { String::new() };
            let stderr = stream(io.stderr && !io.terminal);
            (None, Paths { stdin: stream(io.stdin), stdout: stream(io.stdout), stderr })
        } else {
            let (fifos, paths) = Fifos::make(&self.shared.cleanup.bundle, exec, io)?;
            (Some(fifos), paths)
        };
        let request = ExecProcessRequest {
            id: self.id_string(),
            exec_id: exec.to_string(),
            terminal: io.terminal,
            stdin: paths.stdin,
            stdout: paths.stdout,
            stderr: paths.stderr,
            spec: Some(oci_any("Process", &process)).into(),
            ..ExecProcessRequest::default()
        };
        self.call_empty("Exec", &request).await?;
        Ok(ExecTask::new(self.clone(), exec.clone(), fifos))
    }

    /// Freezes all processes.
    pub async fn pause(&self) -> Result<()> {
        let request = PauseRequest { id: self.id_string(), ..PauseRequest::default() };
        self.call_empty("Pause", &request).await
    }

    /// Thaws all processes.
    pub async fn resume(&self) -> Result<()> {
        let request = ResumeRequest { id: self.id_string(), ..ResumeRequest::default() };
        self.call_empty("Resume", &request).await
    }

    /// All processes of the container.
    pub async fn pids(&self) -> Result<Vec<ProcessInfo>> {
        let request = PidsRequest { id: self.id_string(), ..PidsRequest::default() };
        let response: PidsResponse = self.shared.rpc.ask("Pids", &request).await?;
        let exec = |info: &Any| ProcessDetails::parse_from_bytes(&info.value).ok()?.exec_id.parse().ok();
        let processes = response.processes.iter();
        Ok(processes
            .map(|process| ProcessInfo { pid: process.pid, exec: process.info.as_ref().and_then(exec) })
            .collect())
    }

    /// Changes limits while the container runs.
    pub async fn update(&self, resources: &LinuxResources) -> Result<()> {
        let request = UpdateTaskRequest {
            id: self.id_string(),
            resources: Some(oci_any("LinuxResources", resources)).into(),
            ..UpdateTaskRequest::default()
        };
        self.call_empty("Update", &request).await
    }

    /// Sets the size of the init process's terminal.
    pub async fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.resize_terminal("", rows, columns).await
    }

    pub(crate) async fn resize_terminal(&self, exec: &str, rows: u16, columns: u16) -> Result<()> {
        let request = ResizePtyRequest {
            id: self.id_string(),
            exec_id: exec.to_owned(),
            width: u32::from(columns),
            height: u32::from(rows),
            ..ResizePtyRequest::default()
        };
        self.call_empty("ResizePty", &request).await
    }

    pub(crate) async fn close_input(&self, exec: &str) -> Result<()> {
        let request = CloseIORequest {
            id: self.id_string(),
            exec_id: exec.to_owned(),
            stdin: true,
            ..CloseIORequest::default()
        };
        self.call_empty("CloseIO", &request).await
    }

    /// Removes an ended (or never started) container from the shim, which then exits: mounts, cgroups and sockets go.
    /// After the shim's death there is nothing to do, and that is success. A shim that refuses or does not answer is
    /// ended with all that it holds.
    ///
    /// # Errors
    /// [`Error::LeftRunning`] when that failed: then the bundle is needed to try it again.
    pub async fn delete(&self) -> Result<Exit> {
        let mut deleted = self.shared.deleted.lock().await;
        if let Some(exit) = *deleted {
            return Ok(exit);
        }
        if let Some(WaitOutcome::ShimLost(exit)) = self.shared.waiting.known() {
            self.shared.finish_cleaning().await?;
            *deleted = Some(exit);
            return Ok(exit);
        }
        match self.delete_process("").await {
            Ok(seen) => {
                let exit = self.shared.exit_of(seen);
                *deleted = Some(exit);
                drop(deleted);
                self.shut_down().await;
                Ok(exit)
            }
            Err(Error::ShimGone { .. }) => {
                drop(deleted);
                let exit = self.wait().await.exit();
                self.shared.finish_cleaning().await?;
                Ok(exit)
            }
            Err(error) => {
                tracing::warn!(
                    container = %self.id(),
                    error = errors::chain(&error),
                    "a shim does not delete its container; ending both"
                );
                let seen = self.shared.end().await?;
                *deleted = Some(seen);
                Ok(seen)
            }
        }
    }

    /// Deletes the init process (empty `exec`) or an exec.
    pub(crate) async fn delete_process(&self, exec: &str) -> Result<Exit> {
        let request =
            DeleteRequest { id: self.id_string(), exec_id: exec.to_owned(), ..DeleteRequest::default() };
        let response: DeleteResponse = self.shared.rpc.ask("Delete", &request).await?;
        let at = nanoseconds(response.exited_at.as_ref());
        Ok(Exit { status: response.exit_status, at, oom_killed: false })
    }

    /// Lets a shim without a container end. Of our own nothing is left by then, so that need not be waited for; a
    /// foreign one has its socket somewhere else.
    async fn shut_down(&self) {
        let shared = Arc::clone(&self.shared);
        let own = shared.cleanup.record.own;
        let shutdown = tokio::spawn(async move {
            let request = ShutdownRequest { id: shared.cleanup.id.to_string(), ..ShutdownRequest::default() };
            let answer = shared.rpc.call::<Empty>("Shutdown", &request, SHUTDOWN).await;
            if let (Err(Error::Deadline { .. }), Some(process)) = (answer, shared.rpc.link.process()) {
                process.kill();
            }
        });
        if !own {
            if let Err(error) = shutdown.await {
                tracing::warn!(container = %self.id(), %error, "shut a shim down");
            }
            // Some end before they have done so themselves.
            let _ = std::fs::remove_file(&self.shared.cleanup.record.socket);
        }
    }

    /// Connects to the streams of the init process, or of an exec of our own shim. Containers of foreign shims have
    /// our logger for that; some keep it waiting for the end until the container is deleted.
    pub async fn attach(
        &self,
        exec: Option<&ExecId>,
        stdin: bool,
        stdout: bool,
        stderr: bool,
    ) -> Result<Attachment> {
        if exec.is_some() && !self.shared.cleanup.record.own {
            // Its streams went to the engine that created it; see `ExecTask::attach`.
            return Err(self.not_with_runtime("attaching again to an exec"));
        }
        let hello = Hello { exec: exec.map(ToString::to_string), stdin, stdout, stderr };
        attach(&self.shared.rpc, &self.shared.cleanup.bundle, &hello).await
    }

    pub(crate) async fn call_empty(&self, method: &'static str, request: &impl Message) -> Result<()> {
        self.shared.rpc.ask::<Empty>(method, request).await.map(drop)
    }

    fn not_with_runtime(&self, operation: &'static str) -> Error {
        let (container, runtime) = (self.id_string(), self.shared.cleanup.record.runtime.clone());
        Error::NotWithRuntime { container, operation, runtime }
    }
}

impl Shared {
    async fn wait_for_init(&self) -> WaitOutcome {
        match wait::insist(&self.rpc, self.cleanup.id.as_str(), "").await {
            Ok(seen) => WaitOutcome::Exited(self.exit_of(seen)),
            // In a box: each container has this future for all its life.
            Err(unknown) => Box::pin(self.lost(&unknown)).await,
        }
    }

    /// What the shim said, with what it wrote down about memory.
    fn exit_of(&self, seen: Exit) -> Exit {
        // Forgotten in any case: nobody asks again.
        let oom_killed = self.hub.take_out_of_memory(&self.cleanup.id);
        if self.cleanup.record.own
            && let Some(written) = read_exit(&self.cleanup.bundle)
        {
            return written;
        }
        Exit { oom_killed, ..seen }
    }

    /// Ends what a dead shim left, unless that is done.
    async fn finish_cleaning(&self) -> Result<()> {
        if !self.cleaned.load(Ordering::Acquire) {
            self.cleanup.run().await?;
            self.cleaned.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Ends a living shim and all that it holds.
    async fn end(&self) -> Result<Exit> {
        let left = || Error::LeftRunning { container: self.cleanup.id.to_string() };
        let known = self.waiting.known();
        let killed = self.cleanup.kill().await;
        match self.rpc.link.process() {
            Some(process) => {
                process.kill();
                if !process.ended(SHUTDOWN).await {
                    return Err(left());
                }
            }
            None if socket::connect(&self.cleanup.record.socket).is_ok() => return Err(left()),
            None => {}
        }
        killed?;
        self.cleanup.run().await?;
        let written = read_exit(&self.cleanup.bundle).filter(|_| self.cleanup.record.own);
        let out_of_memory = self.hub.take_out_of_memory(&self.cleanup.id);
        Ok(written.or_else(|| known.map(WaitOutcome::exit)).unwrap_or_else(|| wait::killed(out_of_memory)))
    }

    /// The shim's process has ended, or it lives and has no such container (any more).
    async fn lost(&self, error: &Error) -> WaitOutcome {
        if let Some(exit) = *self.deleted.lock().await {
            return WaitOutcome::Exited(exit);
        }
        tracing::warn!(
            container = %self.cleanup.id,
            error = errors::chain(error),
            "a shim was lost; ending what it left"
        );
        // Who deletes the task hears of what is left.
        self.cleaned.store(self.cleanup.run().await.is_ok(), Ordering::Release);
        match read_exit(&self.cleanup.bundle).filter(|_| self.cleanup.record.own) {
            Some(exit) => WaitOutcome::Exited(exit),
            None => WaitOutcome::ShimLost(wait::killed(self.hub.take_out_of_memory(&self.cleanup.id))),
        }
    }
}

/// Whether the shim says that there is no such process (any more).
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Refused { class: Class::NotFound, .. })
}

/// A part of the OCI runtime document, as containerd wraps it.
fn oci_any(name: &str, document: &impl Serialize) -> Any {
    Any {
        type_url: format!("types.containerd.io/opencontainers/runtime-spec/1/{name}"),
        value: serde_json::to_vec(document).expect("OCI documents have no map keys but strings"),
        ..Any::default()
    }
}
