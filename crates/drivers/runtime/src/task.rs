//! One container's shim, and the processes that it holds.

use crate::error::Result;
use ids::{ContainerId, ExecId};
use oci_spec::runtime::{LinuxResources, Process};
use shim_protocol::Exit;
use std::sync::Arc;
use tokio::net::UnixStream;

/// A container's shim; clones are the same one.
#[derive(Debug, Clone)]
pub struct Task {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: ContainerId,
    pid: u32,
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The shim saw the process end.
    Exited(Exit),
    /// The shim died first; what it left was killed.
    ShimLost(Exit),
}

impl WaitOutcome {
    /// The exit, whoever saw it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Exited(exit) | Self::ShimLost(exit) => exit,
        }
    }
}

/// Which streams of an exec can be attached; the others are `/dev/null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExecIo {
    /// Whether it gets a terminal (then there is one output stream).
    pub terminal: bool,
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// A process in the container as the shim lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// On the host.
    pub pid: u32,
    /// Set if it is an exec of ours.
    pub exec: Option<ExecId>,
}

/// Streams of a process. Without a terminal output comes in frames, see `shim_protocol`.
#[derive(Debug)]
pub struct Attachment {
    /// Whether the process has a terminal and output comes without frames.
    pub terminal: bool,
    /// Reading: output until the process has ended. Writing: its input; half-close ends it.
    pub stream: UnixStream,
}

impl Task {
    /// The container.
    pub fn id(&self) -> &ContainerId {
        &self.inner.id
    }

    /// Process id of the init process on the host.
    pub fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// Lets the init process execute its program.
    pub async fn start(&self) -> Result<()> {
        todo!()
    }

    /// Waits for the init process to end. Never hangs: if the shim dies, what it left is killed and the outcome says
    /// so. May be called often and at once: there is one call to the shim.
    pub async fn wait(&self) -> WaitOutcome {
        todo!()
    }

    /// Sends a signal to the init process, or to all processes of the container.
    pub async fn kill(&self, signal: i32, all: bool) -> Result<()> {
        let _ = (signal, all);
        todo!()
    }

    /// Adds a process; it runs from [`ExecTask::start`] on.
    pub async fn exec(&self, exec: &ExecId, process: Process, io: ExecIo) -> Result<ExecTask> {
        let _ = (exec, process, io);
        todo!()
    }

    /// Freezes all processes.
    pub async fn pause(&self) -> Result<()> {
        todo!()
    }

    /// Thaws all processes.
    pub async fn resume(&self) -> Result<()> {
        todo!()
    }

    /// All processes of the container.
    pub async fn pids(&self) -> Result<Vec<ProcessInfo>> {
        todo!()
    }

    /// Changes limits while the container runs.
    pub async fn update(&self, resources: &LinuxResources) -> Result<()> {
        let _ = resources;
        todo!()
    }

    /// Sets the size of the init process's terminal.
    pub async fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        let _ = (rows, columns);
        todo!()
    }

    /// Ends the init process's standard input.
    pub async fn close_stdin(&self) -> Result<()> {
        todo!()
    }

    /// Removes an ended (or never started) container from the shim, which then exits: mounts, cgroups and sockets go.
    pub async fn delete(&self) -> Result<Exit> {
        todo!()
    }

    /// Connects to the streams of the init process, or of an exec.
    pub async fn attach(
        &self,
        exec: Option<&ExecId>,
        stdin: bool,
        stdout: bool,
        stderr: bool,
    ) -> Result<Attachment> {
        let _ = (exec, stdin, stdout, stderr);
        todo!()
    }
}

/// A process that was added to a container; clones are the same one.
#[derive(Debug, Clone)]
pub struct ExecTask {
    task: Task,
    exec: ExecId,
}

impl ExecTask {
    /// Its id.
    pub fn id(&self) -> &ExecId {
        &self.exec
    }

    /// The container it runs in.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Runs its program; answers the process id on the host.
    pub async fn start(&self) -> Result<u32> {
        todo!()
    }

    /// Waits for its end, as [`Task::wait`] does.
    pub async fn wait(&self) -> WaitOutcome {
        todo!()
    }

    /// Sends it a signal.
    pub async fn kill(&self, signal: i32) -> Result<()> {
        let _ = signal;
        todo!()
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        let _ = (rows, columns);
        todo!()
    }

    /// Ends its standard input.
    pub async fn close_stdin(&self) -> Result<()> {
        todo!()
    }

    /// Makes the shim forget it, once it has ended (or never started).
    pub async fn delete(&self) -> Result<Exit> {
        todo!()
    }

    /// Connects to its streams; also before it is started, so that no output is missed.
    pub async fn attach(&self, stdin: bool, stdout: bool, stderr: bool) -> Result<Attachment> {
        self.task.attach(Some(&self.exec), stdin, stdout, stderr).await
    }
}
