//! A process that was added to a running container.

use crate::attach::Attachment;
use crate::error::{Error, Result};
use crate::fifo::Fifos;
use crate::task::{Task, is_not_found};
use crate::wait::{self, WaitOutcome, Waiting};
use containerd_shim_protos::api::{StartRequest, StartResponse};
use ids::ExecId;
use shim_protocol::Exit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const KILL: i32 = 9;

/// Before a shim that does not answer is asked again to end what nobody waits for.
const PAUSE: Duration = Duration::from_secs(5);

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

/// A process that was added to a container; clones are the same one.
#[derive(Debug, Clone)]
pub struct ExecTask {
    task: Task,
    exec: ExecId,
    waiting: Arc<Waiting>,
    /// Its streams, in a foreign shim.
    fifos: Option<Arc<Mutex<Fifos>>>,
}

impl ExecTask {
    pub(crate) fn new(task: Task, exec: ExecId, fifos: Option<Fifos>) -> Self {
        let fifos = fifos.map(|fifos| Arc::new(Mutex::new(fifos)));
        Self { task, exec, waiting: Arc::default(), fifos }
    }

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
        // Who reads its last output asks at once how it ended: with many others in line before it, a wait that began
        // only now would be heard long after the end.
        self.waiting.ahead(|| self.end());
        let request = StartRequest {
            id: self.task.id().to_string(),
            exec_id: self.exec.to_string(),
            ..StartRequest::default()
        };
        let answer = self.task.shared.rpc.ask::<StartResponse>("Start", &request).await;
        match &answer {
            Ok(_) => {}
            Err(Error::Refused { .. }) => self.waiting.give_up(),
            // It may run all the same, with nobody who knows of it.
            Err(_) => drop(tokio::spawn(self.clone().abandon())),
        }
        if let Some(fifos) = &self.fifos {
            lock(fifos).let_go();
        }
        Ok(answer?.pid)
    }

    /// Ends it, as soon as the shim listens, and makes it forgotten.
    async fn abandon(self) {
        loop {
            match self.kill(KILL).await {
                Ok(()) => {
                    self.wait().await;
                    break;
                }
                // It has not been started, or has ended.
                Err(Error::Refused { .. }) => break,
                // It ended with the shim.
                Err(Error::ShimGone { .. }) => return,
                Err(error) => {
                    tracing::warn!(exec = %self.exec, error = errors::chain(&error), "kill an exec that may run");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        if let Err(error) = self.delete().await {
            tracing::debug!(exec = %self.exec, error = errors::chain(&error), "remove an exec that may have run");
        }
        self.waiting.give_up();
    }

    /// Waits for its end, as [`Task::wait`] does.
    pub async fn wait(&self) -> WaitOutcome {
        self.waiting.outcome(|| self.end()).await
    }

    fn end(&self) -> impl Future<Output = WaitOutcome> + Send + use<> {
        let (task, exec) = (self.task.clone(), self.exec.clone());
        async move { wait_for(&task, &exec).await }
    }

    /// Sends it a signal.
    pub async fn kill(&self, signal: i32) -> Result<()> {
        self.task.send_signal(self.exec.as_str(), signal, false).await
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.task.resize_terminal(self.exec.as_str(), rows, columns).await
    }

    /// Makes the shim forget it, once it has ended (or never started). One that the shim has forgotten already ended
    /// as it was seen to end.
    pub async fn delete(&self) -> Result<Exit> {
        match self.task.delete_process(self.exec.as_str()).await {
            Err(error) if is_not_found(&error) => match self.waiting.known() {
                Some(outcome) => Ok(outcome.exit()),
                None => Err(error),
            },
            result => result,
        }
    }

    /// Connects to its streams; also before it is started, so that no output is missed.
    pub async fn attach(&self, stdin: bool, stdout: bool, stderr: bool) -> Result<Attachment> {
        match &self.fifos {
            Some(fifos) => lock(fifos).attach(self.task.clone(), self.exec.clone()),
            None => self.task.attach(Some(&self.exec), stdin, stdout, stderr).await,
        }
    }
}

fn lock(fifos: &Mutex<Fifos>) -> MutexGuard<'_, Fifos> {
    fifos.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An exec whose shim died ended with the container.
async fn wait_for(task: &Task, exec: &ExecId) -> WaitOutcome {
    match wait::insist(&task.shared.rpc, task.id().as_str(), exec.as_str()).await {
        Ok(exit) => WaitOutcome::Exited(exit),
        Err(error) => {
            tracing::debug!(container = %task.id(), %exec, error = errors::chain(&error), "wait for an exec");
            if !is_not_found(&error) {
                task.wait().await;
            }
            WaitOutcome::ShimLost(wait::killed(false))
        }
    }
}
