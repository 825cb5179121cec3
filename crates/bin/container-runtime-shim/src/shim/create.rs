//! Create: the container, its streams, its log and its attach socket.

use super::Shim;
use crate::bundle::{self, Config, ConsoleSize, Linux};
use crate::cgroup::Cgroup;
use crate::container::Container;
use crate::devices::Guard;
use crate::error::{Error, Result};
use crate::log;
use crate::poll::{Interest, Token, Watch};
use crate::process::{INIT, Phase, Process};
use crate::rootfs::{self, Mount};
use crate::runtime::{Backend, Made};
use crate::streams::{self, Endpoints, Ours};
use crate::trace::Steps;
use containerd_shim_protos::api::{CreateTaskRequest, CreateTaskResponse};
use logs::json_file::Writer;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{Winsize, tcsetwinsize};
use shim_protocol::{Log, Options, file};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

impl Shim {
    pub(super) fn create(&mut self, request: &CreateTaskRequest) -> Result<CreateTaskResponse> {
        if let Some(container) = &self.container {
            return Err(Error::Exists { what: "container", id: container.id.clone() });
        }
        if !request.checkpoint.is_empty() {
            return Err(Error::Unsupported { what: "restoring a checkpoint".to_owned() });
        }
        let bundle = PathBuf::from(&request.bundle);
        log::open(&bundle.join(file::LOG));
        let mut steps = Steps::of("create");
        let options = bundle::options(&bundle)?;
        let config = bundle::config(&bundle)?;
        let endpoints = Endpoints::parse(&request.stdin, &request.stdout, &request.stderr)?;
        if request.terminal != config.process.terminal {
            return Err(Error::invalid("the request and config.json disagree about the terminal"));
        }
        steps.done("read");
        if options.private_mounts && !self.private {
            rootfs::go_private()?;
            self.private = true;
        }
        let mounts = mounts(request);
        let target = bundle.join(file::ROOTFS);
        mount(&mounts, &target, config.linux.user_namespace())?;
        if !mounts.is_empty() {
            let root = (config.linux.host_uid(0), config.linux.host_gid(0));
            rootfs::make_directory(&target, &config.process.cwd, root);
        }
        steps.done("mount");
        let order =
            Order { id: request.id.clone(), bundle, options, config, endpoints, mounts: mounts.len() };
        let container = self.make(order, &mut steps).inspect_err(|_| {
            rootfs::unmount_all(mounts.len(), &target);
            let _ = std::fs::remove_file(Path::new(&request.bundle).join(file::ATTACH));
        })?;
        let pid = container.init().pid.unwrap_or_default();
        self.container = Some(container);
        Ok(CreateTaskResponse { pid: pid.cast_unsigned(), ..CreateTaskResponse::default() })
    }

    fn make(&self, order: Order, steps: &mut Steps) -> Result<Container> {
        let Order { id, bundle, options, config, endpoints, mounts } = order;
        let log = open_log(&options)?;
        let attach = listen(&bundle)?;
        let terminal = config.process.terminal;
        let owner = config.linux.host_uid(config.process.user.uid);
        let backend = Backend::new(&id, &bundle, &options);
        let (theirs, ours) = streams::open(&endpoints, terminal, &bundle, owner)?;
        steps.done("prepare");
        let undo = |_: &Error| drop(backend.delete());
        let made = backend.create(theirs).inspect_err(undo)?;
        steps.done("runtime");
        let pid = made.pid;
        let ours = connect(made, ours, &endpoints, owner, config.process.console_size).inspect_err(undo)?;
        let cgroup =
            Cgroup::of(pid).map_err(Error::kernel("find the container's cgroup")).inspect_err(undo)?;
        let devices = guard_devices(&backend, cgroup.as_ref(), &config.linux).inspect_err(undo)?;
        let mut init = Process::recorded(String::new(), terminal, endpoints, Vec::new());
        (init.phase, init.pid) = (Phase::Created, Some(pid));
        init.connect(INIT, ours, &self.poll);
        let mut attach = Watch::new(attach, Token::Attach);
        attach.set(&self.poll, Interest::READ);
        let mut container = Container {
            id,
            bundle,
            options,
            backend,
            linux: config.linux,
            mounts,
            cgroup,
            devices,
            memory: None,
            mount_namespace: hold_mounts(pid),
            memory_kills: 0,
            attach,
            log,
            processes: BTreeMap::from([(INIT, init)]),
        };
        self.watch_memory(&mut container);
        steps.done("connect");
        Ok(container)
    }
}

/// Runtimes with a command line guard the devices themselves, and version 1 of cgroups has a controller for them.
fn guard_devices(backend: &Backend, cgroup: Option<&Cgroup>, linux: &Linux) -> Result<Option<Guard>> {
    let directory = cgroup.and_then(Cgroup::unified_directory);
    let directory = directory.filter(|_| matches!(backend, Backend::Libcontainer(_)));
    directory
        .map(|directory| Guard::new(directory, linux.resources.devices.as_deref().unwrap_or_default()))
        .transpose()
}

/// A process that has its end in the meantime simply unmounts by itself.
fn hold_mounts(pid: i32) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(format!("/proc/{pid}/ns/mnt"), flags, Mode::empty()).ok()
}

/// What a container is made from.
struct Order {
    id: String,
    bundle: PathBuf,
    options: Options,
    config: Config,
    endpoints: Endpoints,
    mounts: usize,
}

fn mounts(request: &CreateTaskRequest) -> Vec<Mount> {
    let convert = |mount: &containerd_shim_protos::api::Mount| Mount {
        kind: mount.type_.clone(),
        source: mount.source.clone(),
        options: mount.options.clone(),
    };
    request.rootfs.iter().map(convert).collect()
}

fn mount(mounts: &[Mount], target: &Path, user: Option<&Path>) -> Result<()> {
    if mounts.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(target).map_err(|cause| Error::file("make", target, cause))?;
    rootfs::mount(mounts, target, user)
}

pub(super) fn open_log(options: &Options) -> Result<Option<Writer>> {
    match &options.log {
        Log::None => Ok(None),
        Log::JsonFile { path, options } => match Writer::open(path, options) {
            Ok(writer) => Ok(Some(writer)),
            Err(error) => {
                let class = errors::Classified::class(&error);
                Err(Error::Runtime { class, message: errors::chain(&error) })
            }
        },
    }
}

pub(super) fn listen(bundle: &Path) -> Result<std::os::unix::net::UnixListener> {
    let path = bundle.join(file::ATTACH);
    let _ = std::fs::remove_file(&path);
    let listener = streams::bind(bundle, file::ATTACH).map_err(|cause| Error::file("bind", &path, cause))?;
    listener.set_nonblocking(true).map_err(|cause| Error::file("bind", &path, cause))?;
    Ok(listener)
}

/// The shim's ends of the streams: the terminal's, if the process has one.
pub(super) fn connect(
    made: Made,
    pipes: Ours,
    endpoints: &Endpoints,
    owner: u32,
    size: Option<ConsoleSize>,
) -> Result<Ours> {
    let Some(master) = made.master else { return Ok(pipes) };
    if let Some(size) = size {
        resize(&master, size.width, size.height)?;
    }
    Ours::terminal(master, endpoints, owner)
}

/// Sets a terminal's size, in characters.
pub(super) fn resize(terminal: impl AsFd, columns: u16, rows: u16) -> Result<()> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).map_err(Error::kernel("resize the terminal"))
}
