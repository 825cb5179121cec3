//! The container that a shim holds.

use crate::bundle::Linux;
use crate::cgroup::{Cgroup, MemoryWatch};
use crate::devices::Guard;
use crate::error::{Error, Result};
use crate::poll::{Number, Watch};
use crate::process::{INIT, Process};
use crate::runtime::Backend;
use logs::json_file::Writer;
use shim_protocol::Options;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

/// A container, from Create to Delete.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) bundle: PathBuf,
    pub(crate) options: Options,
    pub(crate) backend: Backend,
    pub(crate) linux: Linux,
    /// How many mounts make its root file system.
    pub(crate) mounts: usize,
    pub(crate) cgroup: Option<Cgroup>,
    /// Where cgroups are of version 2 and libcontainer leaves the devices to us.
    pub(crate) devices: Option<Guard>,
    pub(crate) memory: Option<Watch<MemoryWatch>>,
    /// Keeps the mounts of the first process, which would otherwise unmount them before it is seen to have ended, and
    /// wait for every processor meanwhile.
    pub(crate) mount_namespace: Option<OwnedFd>,
    /// How many processes the kernel had killed for lack of memory when that was last told.
    pub(crate) memory_kills: u64,
    pub(crate) attach: Watch<UnixListener>,
    pub(crate) log: Option<Writer>,
    pub(crate) processes: BTreeMap<Number, Process>,
}

impl Container {
    /// Whether its processes are frozen, by the kernel's account.
    pub(crate) fn is_paused(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_frozen)
    }

    /// Freezes or thaws its processes. libcontainer's own way would refuse what it did not do itself.
    pub(crate) fn pause(&self, paused: bool) -> Result<()> {
        match (&self.backend, &self.cgroup) {
            (Backend::Libcontainer(_), Some(group)) => {
                let doing = if paused { "freeze the container" } else { "thaw the container" };
                group.freeze(paused).map_err(Error::kernel(doing))
            }
            (Backend::Libcontainer(_), None) => {
                Err(Error::Unsupported { what: "pausing a container without a cgroup of its own".to_owned() })
            }
            (backend, _) if paused => backend.pause(),
            (backend, _) => backend.resume(),
        }
    }

    /// The process of an exec's id; empty: the first one.
    pub(crate) fn find(&self, exec: &str) -> Result<Number> {
        let found = self.processes.iter().find(|(_, process)| process.id == exec);
        found.map(|(&number, _)| number).ok_or_else(|| self.no_exec(exec))
    }

    /// Likewise, to change it.
    pub(crate) fn process(&mut self, exec: &str) -> Result<&mut Process> {
        let number = self.find(exec)?;
        let missing = self.no_exec(exec);
        self.processes.get_mut(&number).ok_or(missing)
    }

    /// The first process.
    pub(crate) fn init(&self) -> &Process {
        self.processes.get(&INIT).expect("a container has its first process from Create to Delete")
    }

    pub(crate) fn init_mut(&mut self) -> &mut Process {
        self.processes.get_mut(&INIT).expect("a container has its first process from Create to Delete")
    }

    fn no_exec(&self, exec: &str) -> Error {
        Error::NoExec { id: self.id.clone(), exec: exec.to_owned() }
    }
}
