//! `container-runtime registry serve`

use super::options::{Serve, Tls};
use super::serving::{Plan, Serving};
use super::{access, mirror, runtime, storage};
use crate::log::Level;
use anyhow::{Context, Result};
use docker_cli::Invocation;
use registry_api::TlsFiles;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until it is asked to end.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "registry serve", |options: &Serve| {
        let level = if invocation.debug { Level::Debug } else { options.log_level };
        crate::log::start(level, options.log_format);
        let runtime = runtime()?;
        let served = runtime.block_on(serve(options));
        runtime.shutdown_timeout(Duration::from_secs(2));
        served
    })
}

async fn serve(options: &Serve) -> Result<()> {
    let opened = storage::open(&options.storage).await?;
    let certificates = config::Registry::default().config_dirs;
    let mirror = mirror::from(&options.mirror, &opened.repositories, certificates, Vec::new())?;
    let plan = Plan {
        mirror,
        listen: options.listen,
        tls: tls_files(&options.tls),
        behind_tls: options.tls.behind_tls,
        access: access::from(&options.access, &opened.directory)?,
        gc_interval: options.gc_interval,
        gc_untagged: options.gc_untagged,
        max_connections: options.max_connections,
    };
    let serving = Serving::start(opened, plan).await?;
    announce(&format!("listening on {}", serving.address));
    wait_for_end().await?;
    tracing::info!("ending");
    serving.end().await
}

fn tls_files(options: &Tls) -> Option<TlsFiles> {
    Some(TlsFiles {
        certificate: options.tls_certificate.clone()?,
        key: options.tls_key.clone()?,
        client_authority: options.tls_client_ca.clone(),
    })
}

/// Whoever asked for port 0 reads here which one it is.
#[expect(clippy::print_stdout, reason = "the one line that scripts wait for")]
fn announce(line: &str) {
    println!("{line}");
}

async fn wait_for_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
