//! The library linked into the shim (youki's libcontainer).
//!
//! It clones this process, which is why the shim has one thread: a lock that another thread held would stay held in
//! the child for ever.

use super::Made;
use super::ahead;
use super::core_link;
use super::derive::{self, Derived};
use super::error_log::ErrorLog;
use super::explain;
use super::placed::{self, Held};
use crate::bundle::{self, parse};
use crate::error::{Error, Result};
use crate::log::note;
use crate::program::{Confinement, Identity, Kind, ProgramExecutor};
use crate::seccomp::Filter;
use crate::streams::Theirs;
use cgroups::Scope;
use errors::chain;
use libcgroups::common::{
    AnyCgroupManager, CgroupConfig, CgroupManager, ControllerOpt, create_cgroup_manager,
};
use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::error::LibcontainerError;
use libcontainer::oci_spec::runtime::LinuxResources;
use libcontainer::syscall::syscall::SyscallType;
use rustix::fs::{Mode, OFlags};
use shim_protocol::{Options, file};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use sys::thread::SingleThread;

/// How long processes that were killed may take to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// What libcontainer writes before it starts a process, and needs to remove the cgroup.
const CONFIG_OF_LIBCONTAINER: &str = "youki_config.json";

/// A container of libcontainer's, whose records are in the bundle.
#[derive(Debug)]
pub(crate) struct Libcontainer {
    id: String,
    bundle: PathBuf,
    /// libcontainer's directory of containers, with this one alone.
    root: PathBuf,
    /// Whether systemd makes its cgroup.
    systemd: bool,
    /// Whether the mount namespace is this shim's own.
    own_mounts: bool,
    /// Where compiled seccomp filters are kept.
    filters: Option<PathBuf>,
    error_log: Option<&'static ErrorLog>,
}

impl Libcontainer {
    pub(super) fn new(id: &str, bundle: &Path, options: &Options) -> Self {
        let error_log = ErrorLog::of_this_program();
        Self {
            id: id.to_owned(),
            bundle: bundle.to_owned(),
            root: bundle.join("libcontainer"),
            systemd: options.systemd_cgroup,
            own_mounts: options.private_mounts,
            filters: options.filters.clone(),
            error_log,
        }
    }

    pub(super) fn create(&self, streams: Theirs) -> Result<Made> {
        let (mut config, path) = (self.config()?, self.bundle.join(file::CONFIG));
        let scope = self.scope(&config)?;
        let held = scope.as_ref().map(|scope| Held::start(scope, &self.id)).transpose()?;
        if let Some(held) = &held {
            config = held.place(&path, &config)?;
        }
        let adapted = ahead::adapt(&config, &self.bundle)?;
        let text = adapted.as_ref().map_or(&config, |adapted| &adapted.text);
        let derived = derive::config(text, &self.bundle, self.own_mounts)?;
        std::fs::create_dir_all(&self.root).map_err(|cause| Error::file("make", &self.root, cause))?;
        self.write(file::CONFIG, &derived.text)?;
        let (text, own_devices) = (derived.text.clone(), derived.devices.is_none());
        let (console, builder) = with_streams(self.builder(Kind::Init, derived, None, &streams)?, streams);
        let container = self.guard(|| {
            let builder = builder.with_root_path(&self.root)?;
            builder.as_init(&self.root).with_systemd(false).with_detach(true).build()
        })?;
        let pid = container.pid().map(|pid| pid.as_raw()).ok_or_else(|| self.lost("the process's number"))?;
        self.write(file::CONFIG, &derive::settled(&text, &self.bundle, pid)?)?;
        if own_devices {
            core_link::rename(pid);
        }
        if let (Some(scope), Some(held)) = (&scope, &held) {
            scope.keep_limits(&held.path).map_err(placed::error)?;
        }
        Ok(Made { pid, master: console.map(crate::streams::Console::receive).transpose()? })
    }

    pub(super) fn start(&self) -> Result<()> {
        self.guard(|| self.load()?.start())
    }

    pub(super) fn exec(&self, document: &[u8], streams: Theirs) -> Result<Made> {
        let config = self.config()?;
        let identity = derive::has_user_namespace(&config, &self.bundle)?;
        let identity = identity.then(|| self.identity(document)).transpose()?;
        let seccomp = derive::seccomp(&config, &self.bundle)?;
        let derived = derive::exec(document, seccomp, identity.is_some())?;
        let path = self.write("process.json", &derived.text)?;
        let builder = self.builder(Kind::Exec, derived, identity, &streams)?;
        let (console, builder) = with_streams(builder, streams);
        let made = self.guard(|| {
            let builder = builder.with_root_path(&self.root)?;
            builder.as_tenant().with_process(Some(&path)).with_detach(true).build()
        });
        let _ = std::fs::remove_file(&path);
        let made = made.map_err(|error| explain::naming_directory(error, document));
        Ok(Made { pid: made?.as_raw(), master: console.map(crate::streams::Console::receive).transpose()? })
    }

    /// By its cgroup: the process numbers in the records may be others' by now.
    pub(super) fn kill_all(&self) -> Result<()> {
        if !self.directory().exists() {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pids = self.guard(|| Ok(self.cgroup()?.get_all_pids()?)).unwrap_or_default();
            if pids.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let cause = rustix::io::Errno::BUSY.into();
                return Err(Error::Kernel { doing: "kill the container's processes", cause });
            }
            for pid in pids {
                // It may be gone meanwhile.
                let _ = sys::signals::send(pid.as_raw(), 9);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn cgroup(&self) -> Result<AnyCgroupManager, LibcontainerError> {
        let container = self.load()?;
        Ok(create_cgroup_manager(CgroupConfig {
            cgroup_path: container.spec()?.cgroup_path,
            systemd_cgroup: false,
            container_name: self.id.clone(),
        })?)
    }

    pub(super) fn update(&self, resources: &[u8]) -> Result<()> {
        let resources: LinuxResources = parse(Path::new("resources"), resources)?;
        self.guard(|| {
            let manager = self.cgroup()?;
            let options = ControllerOpt {
                resources: &resources,
                disable_oom_killer: false,
                oom_score_adj: None,
                freezer_state: None,
            };
            Ok(manager.apply(&options)?)
        })?;
        if let Some(scope) = self.scope(&self.config()?)? {
            let path = self.guard(|| Ok(self.load()?.spec()?.cgroup_path))?;
            // The kernel has them already: systemd would only set them anew at its next reload.
            if let Err(error) = scope.keep_limits(&path) {
                note(format_args!("tell systemd of the limits: {}", chain(&error)));
            }
        }
        Ok(())
    }

    pub(super) fn delete(&self) -> Result<()> {
        if self.directory().join(CONFIG_OF_LIBCONTAINER).exists() {
            self.guard(|| self.load()?.delete(true))?;
        } else if !self.systemd
            && let Ok(config) = self.config()
        {
            placed::remove_unused(&self.bundle.join(file::CONFIG), &config)?;
        }
        if self.systemd
            && let Ok(config) = self.config()
            && let Some(scope) = self.scope(&config)?
        {
            scope.stop().map_err(placed::error)?;
        }
        match std::fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::file("remove", &self.root, error))
            }
            _ => Ok(()),
        }
    }

    /// None where systemd is not asked.
    fn scope(&self, config: &[u8]) -> Result<Option<Scope>> {
        self.systemd.then(|| placed::scope(&self.bundle.join(file::CONFIG), config)).transpose()
    }

    fn directory(&self) -> PathBuf {
        self.root.join(&self.id)
    }

    fn load(&self) -> Result<Container, LibcontainerError> {
        Container::load(self.directory())
    }

    /// Whom an exec's process becomes in the container's own user namespace.
    fn identity(&self, document: &[u8]) -> Result<Identity> {
        let user = parse::<bundle::Process>(Path::new("the exec's process"), document)?.user;
        let pid = self.guard(|| Ok(self.load()?.pid()))?.ok_or_else(|| self.lost("the process's number"))?;
        let path = format!("/proc/{pid}/ns/user");
        let namespace = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|cause| Error::file("open namespace", Path::new(&path), cause))?;
        let groups = user.groups.unwrap_or_default();
        Ok(Identity { namespace, uid: user.uid, gid: user.gid, groups })
    }

    fn builder(
        &self,
        kind: Kind,
        derived: Derived,
        identity: Option<Identity>,
        streams: &Theirs,
    ) -> Result<ContainerBuilder> {
        let mut inherited_fds = sys::fds::open_now().map_err(Error::kernel("list the open descriptors"))?;
        let needed = identity.as_ref().map(|identity| identity.namespace.as_raw_fd());
        inherited_fds.retain(|fd| *fd > 2 && !streams.contain(*fd) && needed != Some(*fd));
        let Derived { seccomp, capabilities, limits, home_missing, devices, .. } = derived;
        let filter = seccomp.map(|profile| self.filter(&profile)).transpose()?;
        let confinement = Confinement { identity, devices, filter, capabilities, limits, home_missing };
        let executor = ProgramExecutor::new(kind, confinement, inherited_fds);
        Ok(ContainerBuilder::new(self.id.clone(), SyscallType::default()).with_executor(executor))
    }

    fn filter(&self, profile: &str) -> Result<Filter> {
        let what = || "an exec under a seccomp profile with a listener".to_owned();
        Filter::of(profile, self.filters.as_deref())?.ok_or_else(|| Error::Unsupported { what: what() })
    }

    fn config(&self) -> Result<Vec<u8>> {
        let path = self.bundle.join(file::CONFIG);
        std::fs::read(&path).map_err(|cause| Error::file("read", &path, cause))
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<PathBuf> {
        let path = self.root.join(name);
        std::fs::write(&path, text).map_err(|cause| Error::file("write", &path, cause))?;
        Ok(path)
    }

    /// Runs a function of libcontainer's: gives its failure the causes from its log, takes back the descriptors that
    /// it leaks when it fails, and the shim's own standing with the kernel's out-of-memory killer, which it changes.
    fn guard<T>(&self, run: impl FnOnce() -> Result<T, LibcontainerError>) -> Result<T> {
        const SCORE: &str = "/proc/self/oom_score_adj";
        let score = std::fs::read_to_string(SCORE).unwrap_or_default();
        let open = sys::fds::open_now().map_err(Error::kernel("list the open descriptors"))?;
        drop(self.log());
        let result = run();
        if std::fs::read_to_string(SCORE).is_ok_and(|now| now != score) {
            let _ = std::fs::write(SCORE, score.trim());
        }
        result.map_err(|error| {
            let _ = SingleThread::check().and_then(|alone| sys::fds::close_others(&open, alone));
            explain::libcontainer(&chain(&error), &self.log())
        })
    }

    fn log(&self) -> Vec<String> {
        self.error_log.map(ErrorLog::take).unwrap_or_default()
    }

    fn lost(&self, what: &str) -> Error {
        Error::Runtime {
            class: errors::Class::Internal,
            message: format!("libcontainer lost {what} of {}", self.id),
        }
    }
}

fn with_streams(
    builder: ContainerBuilder,
    streams: Theirs,
) -> (Option<crate::streams::Console>, ContainerBuilder) {
    match streams {
        Theirs::Pipes { stdin, stdout, stderr } => {
            (None, builder.with_stdin(stdin).with_stdout(stdout).with_stderr(stderr))
        }
        Theirs::Terminal(console) => {
            let path = console.path().to_owned();
            (Some(console), builder.with_console_socket(Some(path)))
        }
    }
}
