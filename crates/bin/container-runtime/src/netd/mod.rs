//! `container-runtime netd`: answers containers' questions for names, carries what the kernel can't, and goes on when the daemon dies.
//!
//! It reads the records that are there, listens, says `ready` on its standard output, and then does what comes by its
//! socket, one thing at a time. See `netd-protocol` for what that is.

mod control;
mod host_servers;
mod process;
mod records;
mod state;
mod table;

use crate::lock;
use crate::log::{Level, LogFormat};
use anyhow::{Context, Result};
use clap::Parser;
use docker_cli::Invocation;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use state::State;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Answer containers' questions for names, and carry what comes to their ports at ::1.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// The state directory, with the records in netd/
    #[arg(long)]
    state: PathBuf,
    /// The port to listen on
    #[arg(long, default_value_t = 53)]
    port: u16,
    /// The file that lists the servers for other names
    #[arg(long, default_value = "/etc/resolv.conf")]
    resolv_conf: PathBuf,
    /// Threads that answer datagrams
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The least level that is logged
    #[arg(long, default_value = "warn")]
    log_level: Level,
}

/// How long it waits before it tries again to listen where something else did.
const AGAIN: Duration = Duration::from_secs(2);

/// Runs until it is asked to end.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "netd", |flags: &Flags| {
        crate::log::start(flags.log_level, LogFormat::Text);
        sys::heap::keep_small();
        allow_all_descriptors();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(flags))
    })
}

/// Three for each container: a soft limit of 1024 is soon reached.
fn allow_all_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the number of open files stays limited");
    }
}

async fn serve(flags: &Flags) -> Result<()> {
    let _lock = lock::acquire(
        &flags.state,
        netd_protocol::file::LOCK,
        "only one netd can work on a state directory at a time",
    )?;
    let mut terminated = signal(SignalKind::terminate()).context("wait for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("wait for signals")?;
    // Who connects before the records are read waits for them.
    let listener = control::listen(&flags.state)?;
    let (sender, mut tasks) = mpsc::channel(64);
    let mut state = State::new(dns::Server::start(flags.port, flags.threads)?, sender.clone());
    state.load(records::read(&flags.state)).await;
    tokio::spawn(host_servers::follow(flags.resolv_conf.clone(), sender.clone()));
    tokio::spawn(control::accept(listener, sender));
    sys::heap::trim();
    say_ready();
    let mut again = tokio::time::interval(AGAIN);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            task = tasks.recv() => match task {
                Some(task) => if state.work(task).await.is_break() { return Ok(()) },
                None => return Ok(()),
            },
            _ = terminated.recv() => return Ok(()),
            _ = interrupted.recv() => return Ok(()),
            _ = again.tick(), if state.is_incomplete() => state.retry(),
        }
    }
}

/// Whoever started it may be gone, or want to know nothing.
fn say_ready() {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(b"ready\n").and_then(|()| out.flush());
}
