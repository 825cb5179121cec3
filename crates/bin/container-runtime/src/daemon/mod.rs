//! `container-runtime daemon`: reads the settings, opens the engine, serves it, and goes without taking containers along.

mod listeners;
mod notify;
mod options;
mod own_log;
mod purge;
mod reload;
mod settings;

use crate::log::{Level, LogFormat};
use crate::own::told;
use crate::{lock, registry};
use anyhow::{Context, Result};
use clap::Parser;
use docker_cli::Invocation;
use engine::Services;
use engine::settings::Sources;
use engine::system::{self, Opening, Shutdown};
use options::Options;
use own_log::OwnLog;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Exit code of a daemon that could not start, or not end well.
const FAILED: u8 = 1;

/// Runs the daemon until it is asked to end.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    let program = format!("{} daemon", invocation.program);
    let options = match Options::try_parse_from(std::iter::once(&program).chain(&invocation.args)) {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 125 } else { 0 });
        }
    };
    let debug = options.debug || invocation.debug;
    let read = settings::sources(&options, debug).and_then(|sources| {
        let effective = told(sources.load())?;
        Ok((sources, effective))
    });
    let begun = match read {
        Ok((sources, effective)) => {
            let (level, format) = (own_log::level(&effective.settings), own_log::format(&effective.settings));
            let log = OwnLog(crate::log::start(level, format));
            start(&options, Begin { sources, effective, log })
        }
        Err(error) => {
            crate::log::start(Level::Info, options.log_format.unwrap_or(LogFormat::Text));
            Err(error)
        }
    };
    match begun {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// What is known before the daemon begins.
struct Begin {
    sources: Sources,
    effective: config::Effective,
    log: OwnLog,
}

fn start(options: &Options, begin: Begin) -> Result<()> {
    if let Ok(spec) = std::env::var("CONTAINER_RUNTIME_INJECT") {
        undo::inject::configure(&spec).context("read CONTAINER_RUNTIME_INJECT")?;
    }
    sys::heap::few_arenas();
    let shim = find_shim(options.shim.as_deref())?;
    // Verbs mostly wait; two threads keep one that computes from holding up the others.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8))
        .max_blocking_threads(64)
        .thread_keep_alive(std::time::Duration::from_secs(2))
        .thread_name("engine")
        .enable_all()
        .build()
        .context("start the async runtime")?;
    let served = runtime.block_on(serve(options, begin, shim));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    served
}

async fn serve(options: &Options, begin: Begin, shim: PathBuf) -> Result<()> {
    let Begin { sources, effective, log } = begin;
    // Whoever sends one may do so as soon as there is a process.
    let hang_ups = reload::hang_ups().context("listen for SIGHUP")?;
    let settings = effective.settings.clone();
    let root = settings.runtime.root_dir.clone();
    let state = settings.runtime.state_dir.clone();
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "the daemon makes mounts, namespaces and network devices: run it as root"
    );
    durable::create_dir_all(&root, 0o711)?;
    durable::create_dir_all(&state, 0o711)?;
    let locks = [
        lock::acquire(&root, "daemon.lock", "only one daemon can work on a root directory at a time")?,
        // Its own name, as the two directories may be one.
        lock::acquire(&state, "state.lock", "only one daemon can work on a state directory at a time")?,
    ];
    // Bound before the engine opens: a client that comes early waits instead of failing.
    let listeners = listeners::bind(options, &state).await?;
    let registry = registry::beside_engine::start(&settings).await?;
    let private = root != config::Runtime::default().root_dir;
    let served = registry.as_ref().and_then(registry::Serving::checkup);
    let netd = netd_program()?;
    let opened = system::open(Opening {
        sources,
        effective,
        subscribers: vec![Arc::new(log)],
        shim,
        netd,
        private,
        served,
    })
    .await;
    let services = told(opened)?;

    let stop = CancellationToken::new();
    let servers = TaskTracker::new();
    for listener in &listeners.bound {
        tracing::info!(%listener, "serving the Engine API");
        servers.spawn(docker_api::serve(listener.clone(), Arc::clone(&services), stop.clone()));
    }
    servers.close();
    tokio::spawn(reload::follow(Arc::downgrade(&services), hang_ups));
    notify::ready();
    let wish = wait_for_end(&services).await?;
    notify::stopping();
    tracing::info!(purge = wish.purge, "ending");

    // Nobody may begin anything beside a purge.
    stop.cancel();
    servers.wait().await;
    if let Some(registry) = registry
        && let Err(error) = registry.end().await
    {
        tracing::error!("end the registry: {error:#}");
    }
    let purged = if wish.purge { system::purge(&services).await } else { Ok(()) };
    system::close(&services).await;
    drop(services);
    if wish.purge {
        purged.map_err(|error| anyhow::anyhow!("purge: {error}"))?;
        let (blobs, layers) = (system::blobs_dir(&settings), system::layers_dir(&settings));
        purge::remove_directories(&[&blobs, &layers, &root, &state], &listeners.inherited())?;
        // If it held nothing else: it may be anybody's directory.
        let _ = std::fs::remove_dir(settings.storage_root());
    }
    drop(locks);
    // Last of all: a client that waits for the end waits for this.
    listeners.remove();
    Ok(())
}

/// A signal, or a client's `system shutdown`.
async fn wait_for_end(services: &Services) -> Result<Shutdown> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut wishes = services.shutdown.subscribe();
    tokio::select! {
        _ = terminate.recv() => Ok(Shutdown::default()),
        _ = interrupt.recv() => Ok(Shutdown::default()),
        wish = wishes.wait_for(Option::is_some) => Ok(wish.ok().and_then(|wish| *wish).unwrap_or_default()),
    }
}

/// netd is this same program.
fn netd_program() -> Result<netd::Program> {
    let path = std::env::current_exe().context("find this program's own file")?;
    Ok(netd::Program { path, arguments: Vec::new() })
}

/// Our shim: named by a flag, beside this program, or where packages put it.
///
/// # Errors
/// If there is none.
pub(crate) fn find_shim(named: Option<&Path>) -> Result<PathBuf> {
    const NAME: &str = "container-runtime-shim";
    if let Some(path) = named {
        anyhow::ensure!(path.exists(), "the shim {} does not exist", path.display());
        return Ok(std::path::absolute(path)?);
    }
    let program = std::env::current_exe().context("find this program's own file")?;
    let beside = program.parent().map(|dir| dir.join(NAME));
    let packaged = program
        .parent()
        .and_then(|dir| dir.parent())
        .map(|dir| dir.join("libexec/container-runtime").join(NAME));
    beside.into_iter().chain(packaged).find(|path| path.exists()).with_context(|| {
        format!("{NAME} was not found beside {}: install it there, or name it with --shim", program.display())
    })
}
