//! Creating a container: its files, its shim, its init process.

use crate::config::RuntimeKind;
use crate::error::{Error, Result};
use crate::events::EventHub;
use crate::rpc::link::Link;
use crate::rpc::{CREATE, Rpc, Version};
use crate::runtimes::{CreateTask, RootMount, Runtimes};
use crate::shim::find_program;
use crate::shim::foreign::{self, program_of};
use crate::shim::idle::IdleShim;
use crate::shim::log::LogCopier;
use crate::shim::lost::Cleanup;
use crate::shim::record::{ShimRecord, write_json};
use crate::task::Task;
use containerd_shim_protos::api::{CreateTaskRequest, CreateTaskResponse, Empty, Mount, ShutdownRequest};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use shim_protocol::{ATTACH_STREAM, Runtime, file};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For a shim to end itself after a failed creation.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// A runtime with its programs found.
pub(crate) enum Found {
    /// Our shim, and what it drives.
    Own(Runtime),
    /// A foreign shim's program.
    Foreign(PathBuf),
}

/// Finds the programs of a runtime.
pub(crate) fn find(name: &str, kind: &RuntimeKind) -> Result<Found> {
    let find = |program: &Path| {
        find_program(program).ok_or_else(|| Error::ProgramNotFound {
            runtime: name.to_owned(),
            program: program.display().to_string(),
        })
    };
    match kind {
        RuntimeKind::Builtin => Ok(Found::Own(Runtime::Libcontainer)),
        RuntimeKind::Command { path, args } => {
            Ok(Found::Own(Runtime::Command { path: find(path)?, args: args.clone() }))
        }
        RuntimeKind::Shim { name } => Ok(Found::Foreign(find(&program_of(name))?)),
    }
}

/// Creates a container.
pub(crate) async fn create(runtimes: &Runtimes, request: CreateTask) -> Result<Task> {
    let name = request.runtime.as_deref().unwrap_or(&runtimes.config.default).to_owned();
    let found = find(&name, &runtimes.kind(&name)?)?;
    runtimes.hub.take_out_of_memory(&request.id);
    match found {
        Found::Own(runtime) => create_own(runtimes, request, name, runtime).await,
        Found::Foreign(program) => create_foreign(runtimes, request, name, program).await,
    }
}

async fn create_own(
    runtimes: &Runtimes,
    mut request: CreateTask,
    name: String,
    runtime: Runtime,
) -> Result<Task> {
    request.options.runtime = runtime;
    request.options.systemd_cgroup = runtimes.config.systemd_cgroup;
    request.options.events_address = Some(format!("unix://{}", runtimes.events_path.display()));
    request.options.filters = Some(runtimes.config.state_dir.join("seccomp"));
    let socket = request.bundle.join(file::SOCKET);
    let record = ShimRecord {
        runtime: name,
        program: runtimes.config.shim.clone(),
        own: true,
        socket: socket.clone(),
        version: Version::V2,
        cgroup: cgroup_of(&request),
    };
    let stdin = if request.open_stdin { ATTACH_STREAM } else { "" };
    let call = call(&request, Path::new(stdin), ATTACH_STREAM);
    let request = write_files(request, &record).await?;
    let mut shim = runtimes.pool.take().await?;
    if let Err(error) = shim.move_to(&socket) {
        shim.discard();
        return Err(error);
    }
    let IdleShim { connection, process, .. } = shim;
    let link = Link::new(socket, connection, Some(process));
    let rpc = Rpc::new(link, Version::V2, request.id.clone(), runtimes.config.patience);
    let cleanup = runtimes.cleanup(request.id, request.bundle, record);
    finish(cleanup, rpc, &call, &runtimes.hub, None).await
}

async fn create_foreign(
    runtimes: &Runtimes,
    mut request: CreateTask,
    name: String,
    program: PathBuf,
) -> Result<Task> {
    let mut record = ShimRecord {
        runtime: name,
        program,
        own: false,
        socket: PathBuf::new(),
        version: Version::V2,
        cgroup: cgroup_of(&request),
    };
    request.options.events_address = None;
    let logger = logger(&runtimes.config.shim, &request.bundle);
    let input = request.bundle.join(file::STDIN);
    let call = call(&request, if request.open_stdin { &input } else { Path::new("") }, &logger);
    let request = write_files(request, &record).await?;
    if request.open_stdin {
        make_fifo(&input)?;
    }
    let log = LogCopier::start(&request.bundle)?;
    let (namespace, events) = (&runtimes.config.namespace, &runtimes.events_path);
    let shim = foreign::start(&record.program, namespace, &request.id, &request.bundle, events).await?;
    record.socket = shim.socket.clone();
    record.version = shim.version;
    let link = Link::new(shim.socket, shim.connection, None);
    let rpc = Rpc::new(link, shim.version, request.id.clone(), runtimes.config.patience);
    let cleanup = runtimes.cleanup(request.id, request.bundle, record);
    if let Err(error) = cleanup.record.write(&cleanup.bundle) {
        abandon(&cleanup, &rpc, true).await;
        return Err(error);
    }
    finish(cleanup, rpc, &call, &runtimes.hub, Some(log)).await
}

/// The call itself. If it fails nothing stays.
async fn finish(
    cleanup: Cleanup,
    rpc: Rpc,
    call: &CreateTaskRequest,
    hub: &EventHub,
    log: Option<LogCopier>,
) -> Result<Task> {
    match rpc.call::<CreateTaskResponse>("Create", call, CREATE).await {
        Ok(response) => {
            rpc.know_process().await;
            Ok(Task::new(cleanup, rpc, response.pid, hub.clone(), log))
        }
        Err(error) => {
            // A shim that refuses has undone what it did; of one that says nothing that is not known.
            let tidy = matches!(error, Error::Refused { .. }) && cleanup.record.own;
            abandon(&cleanup, &rpc, !tidy).await;
            Err(error)
        }
    }
}

async fn abandon(cleanup: &Cleanup, rpc: &Rpc, clean_up: bool) {
    let request = ShutdownRequest { id: cleanup.id.to_string(), now: true, ..ShutdownRequest::default() };
    let _ = rpc.call::<Empty>("Shutdown", &request, SHUTDOWN).await;
    if let Some(process) = rpc.link.process() {
        process.kill();
    }
    if clean_up && let Err(error) = cleanup.run().await {
        // Who removes the bundle finds it by that.
        tracing::error!(error = errors::chain(&error), "a failed creation");
    }
    let _ = std::fs::remove_file(&cleanup.record.socket);
}

fn cgroup_of(request: &CreateTask) -> Option<PathBuf> {
    request.spec.linux().as_ref().and_then(|linux| linux.cgroups_path().clone())
}

fn call(request: &CreateTask, stdin: &Path, output: &str) -> CreateTaskRequest {
    CreateTaskRequest {
        id: request.id.to_string(),
        bundle: request.bundle.display().to_string(),
        rootfs: request.rootfs.iter().map(mount).collect(),
        terminal: request.terminal,
        stdin: stdin.display().to_string(),
        stdout: output.to_owned(),
        stderr: if request.terminal { String::new() } else { output.to_owned() },
        ..CreateTaskRequest::default()
    }
}

fn mount(mount: &RootMount) -> Mount {
    Mount {
        type_: mount.fstype.clone(),
        source: mount.source.clone(),
        options: mount.options.clone(),
        ..Mount::default()
    }
}

/// The files of a bundle; not synced, since they do not outlive a reboot. Gives the request back.
async fn write_files(request: CreateTask, record: &ShimRecord) -> Result<CreateTask> {
    let record = record.clone();
    let write = move || {
        let bundle = &request.bundle;
        let rootfs = bundle.join(file::ROOTFS);
        std::fs::create_dir_all(&rootfs).map_err(|cause| Error::File {
            action: "create",
            path: rootfs,
            cause,
        })?;
        // Of an earlier run of the same container.
        let _ = std::fs::remove_file(bundle.join(file::EXIT));
        write_json(&bundle.join(file::CONFIG), &request.spec)?;
        write_json(&bundle.join(file::OPTIONS), &request.options)?;
        record.write(bundle)?;
        Ok(request)
    };
    offload::blocking(write).await
}

/// Our shim as the logger of a foreign one, by containerd's convention.
fn logger(shim: &Path, bundle: &Path) -> String {
    format!("binary://{}?log={}", percent_encoded(shim), percent_encoded(bundle))
}

fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.map(|&b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn make_fifo(path: &Path) -> Result<()> {
    match mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0) {
        Err(error) if error != rustix::io::Errno::EXIST => {
            Err(Error::File { action: "create", path: path.to_path_buf(), cause: error.into() })
        }
        _ => Ok(()),
    }
}
