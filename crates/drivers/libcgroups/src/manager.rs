//! A container's cgroup, as libcontainer sees it.

use crate::stats::Stats;
use cgroups::{Cgroup, Host, Mode};
use nix::unistd::Pid;
use oci_spec::runtime::LinuxResources;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where hosts mount cgroups.
pub const DEFAULT_CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// What goes wrong with a cgroup.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The driver's word, with its cause: libcontainer shows only this text.
    #[error("{}", errors::chain(.0))]
    Driver(cgroups::Error),
    /// systemd is asked for scopes elsewhere.
    #[error("a cgroup made by systemd is not supported here: {}", .path.display())]
    Systemd {
        /// What was asked for.
        path: PathBuf,
    },
    /// Figures are read elsewhere.
    #[error("statistics of a cgroup are not supported here")]
    Statistics,
}

impl From<cgroups::Error> for Error {
    fn from(error: cgroups::Error) -> Self {
        Self::Driver(error)
    }
}

/// libcontainer's name for failures of [`AnyCgroupManager`].
pub type AnyManagerError = Error;

/// A failure to find out where a cgroup is. Another type than [`Error`], since libcontainer converts from both.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CreateCgroupSetupError(#[from] Error);

/// A failure to find out how cgroups are mounted.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct GetCgroupSetupError(#[from] Error);

/// What libcontainer does with a cgroup.
pub trait CgroupManager {
    /// Why it fails.
    type Error;

    /// Moves a process into it, and makes it where it is not there.
    fn add_task(&self, pid: Pid) -> Result<(), Self::Error>;

    /// Sets limits.
    fn apply(&self, controller_opt: &ControllerOpt<'_>) -> Result<(), Self::Error>;

    /// Kills what is in it and removes it.
    fn remove(&self) -> Result<(), Self::Error>;

    /// Freezes or thaws it.
    fn freeze(&self, state: FreezerState) -> Result<(), Self::Error>;

    /// What it has used.
    fn stats(&self) -> Result<Stats, Self::Error>;

    /// Its processes.
    fn get_all_pids(&self) -> Result<Vec<Pid>, Self::Error>;
}

/// Which cgroup.
#[derive(Debug, Clone)]
pub struct CgroupConfig {
    /// The specification's `linux.cgroupsPath`.
    pub cgroup_path: PathBuf,
    /// Whether systemd shall make it.
    pub systemd_cgroup: bool,
    /// For systemd.
    pub container_name: String,
}

/// What is to be set.
#[derive(Debug, Clone)]
pub struct ControllerOpt<'a> {
    /// Limits.
    pub resources: &'a LinuxResources,
    /// Said by `resources` already.
    pub disable_oom_killer: bool,
    /// Not a cgroup's.
    pub oom_score_adj: Option<i32>,
    /// Whether to freeze or thaw.
    pub freezer_state: Option<FreezerState>,
}

/// The state of a cgroup's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezerState {
    /// Not to be changed.
    Undefined,
    /// Stopped.
    Frozen,
    /// Going on.
    Thawed,
}

/// How cgroups are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupSetup {
    /// Version 1, with an empty hierarchy of version 2.
    Hybrid,
    /// Version 1.
    Legacy,
    /// Version 2.
    Unified,
}

/// How this host mounts cgroups.
pub fn get_cgroup_setup() -> Result<CgroupSetup, GetCgroupSetupError> {
    Ok(match Host::detect().map_err(Error::from)?.mode() {
        Mode::V1 => CgroupSetup::Legacy,
        Mode::V2 => CgroupSetup::Unified,
        Mode::Hybrid => CgroupSetup::Hybrid,
    })
}

/// A cgroup of this host.
#[derive(Debug)]
pub struct AnyCgroupManager {
    host: Host,
    group: Cgroup,
    rootless: bool,
}

/// Finds out where it is; it need not exist.
pub fn create_cgroup_manager(config: CgroupConfig) -> Result<AnyCgroupManager, CreateCgroupSetupError> {
    let CgroupConfig { cgroup_path, systemd_cgroup, .. } = config;
    if systemd_cgroup && !cgroup_path.is_absolute() {
        return Err(Error::Systemd { path: cgroup_path }.into());
    }
    let host = Host::detect().map_err(Error::from)?;
    let group = host.cgroup(Path::new(&cgroup_path));
    Ok(AnyCgroupManager { host, group, rootless: false })
}

impl AnyCgroupManager {
    /// Whether it is made without being root: it stays where it is, then, if the kernel wants it so.
    pub fn with_rootless(mut self, rootless: bool) -> Self {
        self.rootless = rootless;
        self
    }
}

impl CgroupManager for AnyCgroupManager {
    type Error = Error;

    fn add_task(&self, pid: Pid) -> Result<(), Error> {
        let joined = self.host.make(&self.group).and_then(|()| self.group.join(pid.as_raw().cast_unsigned()));
        match joined {
            Err(cgroups::Error::File { cause, .. })
                if self.rootless
                    && matches!(
                        cause.kind(),
                        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                    ) =>
            {
                Ok(())
            }
            joined => Ok(joined?),
        }
    }

    fn apply(&self, options: &ControllerOpt<'_>) -> Result<(), Error> {
        self.group.limit(options.resources)?;
        options.freezer_state.map_or(Ok(()), |state| self.freeze(state))
    }

    fn remove(&self) -> Result<(), Error> {
        self.group.kill()?;
        Ok(self.group.remove()?)
    }

    fn freeze(&self, state: FreezerState) -> Result<(), Error> {
        match state {
            FreezerState::Undefined => Ok(()),
            FreezerState::Frozen => Ok(self.group.freeze()?),
            FreezerState::Thawed => Ok(self.group.thaw()?),
        }
    }

    fn stats(&self) -> Result<Stats, Error> {
        Err(Error::Statistics)
    }

    fn get_all_pids(&self) -> Result<Vec<Pid>, Error> {
        Ok(self.group.pids()?.into_iter().map(|pid| Pid::from_raw(pid.cast_signed())).collect())
    }
}
