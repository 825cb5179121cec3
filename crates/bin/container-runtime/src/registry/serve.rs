//! `container-runtime registry serve`

use super::options::{Serve, Tls};
use super::{access, runtime, storage, told, with_options};
use anyhow::{Context, Result};
use docker_cli::Invocation;
use registry_api::{Access, Registry, TlsFiles};
use repositories::{Collection, Repositories};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Serves until it is asked to end.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    with_options(invocation, "serve", |options: &Serve| {
        let level = if invocation.debug { "debug" } else { &options.log_level };
        crate::log::start(level, options.log_format);
        let runtime = runtime()?;
        let served = runtime.block_on(serve(options));
        runtime.shutdown_timeout(Duration::from_secs(2));
        served
    })
}

async fn serve(options: &Serve) -> Result<()> {
    let opened = storage::open(&options.storage.storage)?;
    let access = access::from(&options.access, &options.storage.storage)?;
    let tls = match tls_files(&options.tls) {
        Some(files) => Some(registry_api::server_config(files).map_err(told)?),
        None => None,
    };
    let listener = registry_api::bind(options.listen, tls).await.map_err(told)?;
    let address = listener.address().context("find out the port")?;
    if matches!(access, Access::Open) && !address.ip().is_loopback() {
        tracing::warn!(%address, "without --htpasswd everybody who reaches this port may push and delete");
    }
    announce(&format!("listening on {address}"));
    let repositories = opened.repositories.clone();
    let secure = listener.is_secure() || options.tls.behind_tls;
    let registry = Arc::new(Registry { repositories: repositories.clone(), access, secure });
    let stop = CancellationToken::new();
    let rules = Collection { untagged: options.gc_untagged, ..Collection::default() };
    let collecting = tokio::spawn(collect_regularly(repositories, options.gc_interval, rules));
    let serving = tokio::spawn(registry_api::serve(listener, registry, stop.clone()));
    wait_for_end().await?;
    tracing::info!("ending");
    stop.cancel();
    collecting.abort();
    serving.await?;
    Ok(())
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

async fn collect_regularly(repositories: Repositories, interval: Duration, rules: Collection) {
    if interval.is_zero() {
        return;
    }
    loop {
        tokio::time::sleep(interval).await;
        match repositories.collect(&rules).await {
            Ok(collected) => tracing::info!(?collected, "collected garbage"),
            Err(error) => tracing::warn!(error = %errors::chain(&error), "collect garbage"),
        }
    }
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
