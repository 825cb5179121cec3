//! `system shutdown [--purge]`: the daemon ends; its containers go on, unless everything is to go.

use clap::Parser;
use docker_cli::Invocation;
use engine_client::Transport;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Stop the daemon.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Also remove all containers, images, volumes and networks, and the daemon's directories
    #[arg(long)]
    purge: bool,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "system shutdown", |flags: &Flags| shut_down(invocation, flags.purge))
}

/// Asks the daemon to end, and waits until it has.
fn shut_down(invocation: &Invocation, purge: bool) -> anyhow::Result<()> {
    let endpoint = crate::own::endpoint(invocation)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = crate::own::client(endpoint.clone());
        let answer = client.post("/container-runtime/shutdown").flag("purge", purge).bytes().await?;
        // Of a daemon that runs elsewhere the number means nothing here, and does no harm.
        let daemon = serde_json::from_slice::<serde_json::Value>(&answer).ok();
        let daemon = daemon.and_then(|answer| answer["Pid"].as_u64());
        // A purge removes what may be many files before the daemon ends.
        let patience = Duration::from_secs(if purge { 600 } else { 60 });
        ended(&endpoint.transport, daemon, patience).await
    })
}

/// Waits for the daemon's process, which outlives its socket; one that systemd passed to it outlives the daemon.
async fn ended(transport: &Transport, daemon: Option<u64>, patience: Duration) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let alive = match (transport, daemon) {
            (Transport::Unix(_), Some(daemon)) => is_daemon(daemon),
            (Transport::Unix(path), None) => path.exists(),
            (Transport::Tcp { host, port }, _) => {
                tokio::net::TcpStream::connect((host.as_str(), *port)).await.is_ok()
            }
        };
        if !alive {
            return Ok(());
        }
        anyhow::ensure!(
            begin.elapsed() < patience,
            "the daemon has not ended within {patience:?}: see its log"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process of this number is a daemon of ours: from elsewhere the number may be a stranger's.
fn is_daemon(pid: u64) -> bool {
    // A process that nobody has waited for yet has ended all the same, and its arguments are empty.
    std::fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|arguments| arguments.split(|byte| *byte == 0).any(|argument| argument == b"daemon"))
}
